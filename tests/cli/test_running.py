"""The end of a command: its exit code and its one line, however the work ends."""

import os
import signal

import pytest

from region_grower_flow.cli.running import FAILED, INTERRUPTED, INVALID, code_of
from region_grower_flow.errors import FlowError, InvalidInput


@pytest.fixture
def default_signals():
    """Signals as a command has them when it begins (a test runner may have its own handlers)."""
    numbers = (signal.SIGTERM, signal.SIGHUP)
    earlier = {number: signal.signal(number, signal.SIG_DFL) for number in numbers}
    yield
    for number, handler in earlier.items():
        signal.signal(number, handler)


def _raise(error):
    raise error


@pytest.mark.parametrize(
    ("work", "code", "line"),
    [
        (lambda: 0, 0, ""),
        (lambda: _raise(InvalidInput("is odd", "a.h5")), INVALID, "a.h5: is odd."),
        (lambda: _raise(FlowError("it broke")), FAILED, "it broke"),
        (lambda: _raise(KeyboardInterrupt), INTERRUPTED, "Interrupted. What is finished is kept"),
        (lambda: os.kill(os.getpid(), signal.SIGTERM), INTERRUPTED, "Interrupted by SIGTERM."),
        (lambda: os.kill(os.getpid(), signal.SIGHUP), INTERRUPTED, "Interrupted by SIGHUP."),
    ],
)
def test_every_end_is_a_code_and_a_line(capsys, default_signals, work, code, line):
    assert code_of(work) == code
    told = capsys.readouterr().err
    assert told.startswith(line)
    assert len(told.splitlines()) == bool(line)
