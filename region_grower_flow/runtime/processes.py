"""Starting a launcher so that nothing of it outlives us, and ending it.

The kernel sends the launcher SIGTERM when this process dies, even by SIGKILL: it is the signal on
which mpiexec (MPICH and Open MPI) and srun end their ranks. Linux only.
"""

import contextlib
import ctypes
import functools
import multiprocessing
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping

from region_grower_flow.errors import WorkerFailed

PR_SET_PDEATHSIG = 1
"""Option of prctl, from linux/prctl.h."""

TERMINATE_SECONDS = 5.0
"""Seconds for a launcher to end its ranks after SIGTERM, before everything is killed."""


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def die_with_parent(number: int, parent: int | None = None) -> None:
    """Ask the kernel to send this process a signal when its parent (thread) ends.

    Args:
        number: the signal.
        parent: expected parent process; the process ends when it has changed already.
    """
    _libc().prctl(PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if parent is not None and os.getppid() != parent:
        os._exit(1)


def die_with_forking_parent() -> None:
    """Let a process forked by :mod:`multiprocessing` (Luigi's task processes) die with its parent.

    Also when the parent has died before it could be asked for.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        die_with_parent(signal.SIGTERM)
        if not is_alive(parent.pid):
            os._exit(1)


def is_alive(pid: int | None) -> bool:
    """True if a process of this machine exists and is not a zombie."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] not in ("Z", "X")
    except (FileNotFoundError, ProcessLookupError):
        return False


def start(command: list[str], environment: Mapping[str, str]) -> "subprocess.Popen[bytes]":
    """Start a launcher in a session of its own, with pipes for what it says.

    The signal at the parent's death follows the thread that starts it: keep that thread until the
    launcher has ended.

    Raises:
        WorkerFailed: it cannot be started.
    """
    _libc()
    parent = os.getpid()
    try:
        return subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=lambda: die_with_parent(signal.SIGTERM, parent),
        )
    except OSError as error:
        raise WorkerFailed(f"{command[0]} cannot be started: {error.strerror}.") from error


def stop(process: "subprocess.Popen[bytes]", marker: str | None = None) -> None:
    """End a launcher and its ranks: SIGTERM, a few seconds, then SIGKILL to all of them.

    Args:
        process: the Popen.
        marker: an argument that the launcher and its ranks bear (the path of their job file).
            Without one only the launcher is waited for.
    """
    if process.poll() is None:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(TERMINATE_SECONDS)
    if process.poll() is None:
        process.kill()
        process.wait()
    if marker is not None:
        kill_marked(marker)
    for pipe in filter(None, (process.stdout, process.stderr)):
        pipe.close()


def kill_marked(marker: str) -> None:
    """SIGKILL every worker or launcher of this machine that bears ``marker`` as an argument.

    Ranks of Open MPI have process groups of their own and outlive a killed mpiexec, so neither
    groups nor descendants find them; the unique name of their job file does.
    """
    pids = marked(marker)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + TERMINATE_SECONDS
    while any(map(is_alive, pids)) and time.monotonic() < deadline:
        time.sleep(0.01)


def marked(marker: str) -> list[int]:
    """The other processes of this machine that were started for a job.

    They have both ``marker`` and the worker's own option among their arguments: somebody who only
    looks at the job file is left alone.
    """
    wanted = {os.fsencode(marker), b"--expected-ranks"}
    found = []
    for name in os.listdir("/proc"):
        if not name.isdigit() or int(name) == os.getpid():
            continue
        with contextlib.suppress(OSError), open(f"/proc/{name}/cmdline", "rb") as file:
            if wanted <= set(file.read().split(b"\0")) and is_alive(int(name)):
                found.append(int(name))
    return found


class Terminated(KeyboardInterrupt):
    """SIGTERM or SIGHUP arrived; ``number`` says which.

    A KeyboardInterrupt, because Luigi takes any other exception, SystemExit too, for the failure
    of one task and goes on with the next.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"ended by {signal.Signals(number).name}")
        self.number = number


@contextlib.contextmanager
def signals_raise() -> Iterator[None]:
    """Let SIGTERM and SIGHUP end the block by :class:`Terminated`, so that it can clean up.

    Only in the main thread, and only where nobody else handles the signal.
    """
    earlier = {}

    def leave(number: int, _: object) -> None:
        raise Terminated(number)

    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGHUP):
            if signal.getsignal(number) is signal.SIG_DFL:
                earlier[number] = signal.signal(number, leave)
    try:
        yield
    finally:
        for number, handler in earlier.items():
            signal.signal(number, handler)


def open_streams() -> None:
    """Give a process whose standard streams are closed (``2>&-``) ones that lead nowhere.

    Daemons and some job managers start programs so. Python then has None for them, and the next
    files that are opened get their numbers, into which libraries and children would write.
    """
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        if getattr(sys, name) is not None:
            continue
        try:
            os.fstat(number)
        except OSError:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != number:
                os.dup2(opened, number)
                os.close(opened)
            os.set_inheritable(number, True)
            stream = os.fdopen(number, "r" if number == 0 else "w", closefd=False)
        else:  # another file has its number by now
            stream = open(os.devnull, "r" if number == 0 else "w", encoding="utf-8")  # noqa: SIM115
        setattr(sys, name, stream)


def end_of_output(error: OSError) -> None:
    """Say that standard output takes no more (``>/dev/full``), and let what waits lead nowhere."""
    with contextlib.suppress(OSError):
        os.dup2(os.open(os.devnull, os.O_RDWR), 1)
    with contextlib.suppress(OSError):
        print(f"Standard output takes no more: {error.strerror}.", file=sys.stderr, flush=True)
