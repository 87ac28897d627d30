"""Fixtures that all tests share."""

import signal
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"

WITHOUT_KERNELS = {"atlas", "calibration", "example", "io", "placement", "runtime"}
"""Folders of tests that run no compiled kernel."""


def heed_signals():
    """Undo that a shell or nohup has these ignored: what tests start would ignore them too."""
    for number in (signal.SIGINT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            usual = number == signal.SIGINT
            signal.signal(number, signal.default_int_handler if usual else signal.SIG_DFL)


def pytest_sessionstart(session):
    """Fill the kernel cache before test modules import kernels: each would compile its own.

    The first process compiles (once per state of the kernels), the others wait for it.
    """
    heed_signals()
    if session.config.option.collectonly:
        return
    folders = {part for word in session.config.args for part in Path(word.split("::")[0]).parts}
    if not folders & WITHOUT_KERNELS:
        from region_grower_flow.engine import cache

        cache.fill()


@pytest.fixture(scope="session")
def shared():
    """The folder of golden scenarios and real data beside the checkout; skips when absent."""
    if not (SHARED / "golden").is_dir():
        pytest.skip("no folder 'shared' beside the checkout")
    return SHARED


@pytest.fixture(scope="session")
def kernels():
    """Compiled kernels on disk, before anything that is timed out starts a process."""
    from region_grower_flow.engine import cache

    cache.fill()
