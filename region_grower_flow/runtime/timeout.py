"""The time limit of one cell, and the reason of a cell that is dropped at it."""

import contextlib
import signal
import threading
from collections.abc import Iterator


class CellTimeout(BaseException):
    """Raised within a cell at its time limit; not an Exception, so that nothing swallows it."""


_REASON = "the cell exceeded its time limit of "


def timeout_reason(seconds: float) -> str:
    """The reason of a cell that is dropped at its time limit."""
    return f"{_REASON}{seconds:g} s"


def limit_of_reason(reason: str | None) -> float | None:
    """The time limit (s) at which a cell was dropped for this reason; None for other reasons."""
    if reason is None or not reason.startswith(_REASON):
        return None
    return float(reason.removeprefix(_REASON).split()[0])


@contextlib.contextmanager
def time_limit(seconds: float | None) -> Iterator[None]:
    """Raise CellTimeout in the block after so many seconds (None: never).

    Python code is interrupted at once, compiled code when it returns: a cell that never returns is
    the launcher's business. Outside of the main thread there are no signals and so no limit.
    """
    if seconds is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    armed = True

    def ring(*_: object) -> None:
        if armed:
            raise CellTimeout

    earlier = signal.signal(signal.SIGALRM, ring)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        armed = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, earlier)
