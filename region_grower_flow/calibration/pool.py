"""Processes that share work, and that end at once when the work is interrupted or fails."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import sys
import threading
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection, forkserver
from typing import Any

from region_grower_flow.errors import WorkerFailed
from region_grower_flow.io.files import expect, expectations


def start_server(preloaded: Iterable[str]) -> None:
    """Import modules once in the process from which the others are forked (where that exists)."""
    context = _context()
    if context.get_start_method() == "forkserver":
        context.set_forkserver_preload(list(preloaded))
        forkserver.ensure_running()


class _Pool(ProcessPoolExecutor):
    """Processes that do not run the main script of this one again: they need nothing of it.

    A script of a few lines, without ``if __name__ == "__main__"``, would begin its work anew in
    each of them.
    """

    def submit(self, *arguments: Any, **keywords: Any) -> Future[Any]:
        """Hand a call to a process, which is started here where there is none yet."""
        main = sys.modules["__main__"]
        sys.modules["__main__"] = types.ModuleType("__main__")
        try:
            return super().submit(*arguments, **keywords)
        finally:
            sys.modules["__main__"] = main


@contextlib.contextmanager
def worker_pool(count: int) -> Iterator[ProcessPoolExecutor]:
    """Yield a ProcessPoolExecutor of ``count`` processes."""
    context = _context()
    stop_reader, stop_writer = context.Pipe(duplex=False)
    pool = _Pool(
        count,
        mp_context=context,
        initializer=_prepare_worker,
        initargs=(stop_reader, expectations()),
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


def available_cpus() -> int:
    """The number of CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def share_out(
    function: Callable[[Any], Any],
    items: Iterable[Any],
    processes: int,
    advance: Callable[[int, int], None] = lambda done, total: None,
    preloaded: Iterable[str] = (),
    meanwhile: Callable[[], object] | None = None,
) -> list[Any]:
    """[what a function returns for each item], in the order of the items, by several processes.

    Args:
        function: of a module, so that processes find it.
        items: what it is called with, one after the other.
        processes: how many.
        advance: called with (items done, items), also before the first one.
        preloaded: see :func:`start_server`.
        meanwhile: called once in this process, while the others begin.

    Raises:
        WorkerFailed: a process died.
    """
    items, meanwhile = list(items), meanwhile or (lambda: None)
    results = [None] * len(items)
    advance(0, len(items))
    if processes <= 1 or len(items) <= 1:
        meanwhile()
        for place, item in enumerate(items):
            results[place] = function(item)
            advance(place + 1, len(items))
        return results
    start_server(preloaded)
    with worker_pool(min(processes, len(items))) as pool:
        places = {pool.submit(function, item): place for place, item in enumerate(items)}
        meanwhile()
        try:
            for done, future in enumerate(as_completed(places), start=1):
                results[places[future]] = future.result()
                advance(done, len(items))
        except BrokenProcessPool as error:
            unfinished = sum(result is None for result in results)
            raise WorkerFailed(
                f"A process died (out of memory, or killed from outside) while {unfinished} of "
                f"{len(items)} parts of the work were unfinished. Run again, with fewer processes "
                "or fewer cells when memory is short."
            ) from error
    return results


def _context() -> Any:
    methods = multiprocessing.get_all_start_methods()
    return multiprocessing.get_context("forkserver" if "forkserver" in methods else "spawn")


def _prepare_worker(stop: connection.Connection, expected: Sequence[Any]) -> None:
    """Leave interrupts to the parent, and end when it says so or ends, however it ends.

    Inputs are read as the parent expects them.
    """
    expect(*expected)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent: Any = multiprocessing.parent_process()
    threading.Thread(target=_end_with, args=([parent.sentinel, stop],), daemon=True).start()


def _end_with(signs: Sequence[Any]) -> None:
    connection.wait(signs)
    os._exit(1)
