"""End of a run under the luigi command on Ctrl-C, SIGTERM and SIGHUP: in one line."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, NoReturn

from region_grower_flow.runtime.processes import Terminated
from region_grower_flow.tasks import terminal

SIGNALS = (signal.SIGTERM, signal.SIGHUP)


def is_luigi_command() -> bool:
    """True in a process that was started as ``luigi`` or ``python -m luigi``."""
    return os.path.normpath(sys.argv[0]).endswith(("/luigi", "luigi/__main__.py")) or (
        sys.argv[0] == "luigi"
    )


def end_in_one_line() -> None:
    """Let signals raise, so that all is tidied up, and tell of the end in one line.

    Only for the main thread, and for signals that nobody else handles. Processes that are forked
    from this one have the system's handlers again.
    """
    if _earlier or threading.current_thread() is not threading.main_thread():
        return
    _earlier.append(sys.excepthook)
    sys.excepthook = _print_end
    sys.unraisablehook = _come_again
    for number in SIGNALS:
        if signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, _leave)
    os.register_at_fork(after_in_child=_forget)


_earlier: list[Callable[..., object]] = []


def _leave(number: int, _: FrameType | None) -> NoReturn:
    raise Terminated(number)


AGAIN_SECONDS = 0.1
"""Time after which a signal comes again that Python could not raise."""


def _come_again(unraisable: Any) -> None:
    """Let a signal come again that came in a destructor or a callback, where Python ignores it."""
    error = unraisable.exc_value
    if not isinstance(error, KeyboardInterrupt):
        sys.__unraisablehook__(unraisable)
        return
    number = getattr(error, "number", signal.SIGINT)
    timer = threading.Timer(AGAIN_SECONDS, os.kill, (os.getpid(), number))
    timer.daemon = True
    timer.start()


def _forget() -> None:
    for number in SIGNALS:
        if signal.getsignal(number) is _leave:
            signal.signal(number, signal.SIG_DFL)


def words_of(interrupt: BaseException | None) -> str:
    """The line for a KeyboardInterrupt, or for a signal that became one."""
    how = ""
    if isinstance(interrupt, Terminated):
        how = f" by {signal.Signals(interrupt.number).name}"
    return f"Interrupted{how}. What is finished is kept: run again to go on from it."


def _print_end(
    kind: type[BaseException], error: BaseException, trace: TracebackType | None
) -> None:
    terminal.close(succeeded=False)
    if issubclass(kind, KeyboardInterrupt):
        print(words_of(error), file=sys.stderr, flush=True)
    else:
        _earlier[0](kind, error, trace)
