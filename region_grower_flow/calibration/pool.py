"""Processes that share work, and that end at once when the work is interrupted or fails."""

import contextlib
import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import connection, forkserver


def start_server(preloaded):
    """Import modules once in the process from which the others are forked (where that exists)."""
    context = _context()
    if context.get_start_method() == "forkserver":
        context.set_forkserver_preload(list(preloaded))
        forkserver.ensure_running()


@contextlib.contextmanager
def worker_pool(count):
    """Yield a ProcessPoolExecutor of ``count`` processes."""
    context = _context()
    stop_reader, stop_writer = context.Pipe(duplex=False)
    pool = ProcessPoolExecutor(
        count, mp_context=context, initializer=_prepare_worker, initargs=(stop_reader,)
    )
    try:
        yield pool
    except BaseException:
        stop_writer.close()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        stop_reader.close()
        stop_writer.close()


def _context():
    methods = multiprocessing.get_all_start_methods()
    return multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")


def _prepare_worker(stop):
    """Leave interrupts to the parent, and end when it says so or ends, however it ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    threading.Thread(target=_end_with, args=([parent.sentinel, stop],), daemon=True).start()


def _end_with(signs):
    connection.wait(signs)
    os._exit(1)
