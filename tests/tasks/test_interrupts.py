"""Signals that end a run: also where Python cannot raise."""

import signal
import threading
from types import SimpleNamespace

import pytest

from region_grower_flow.runtime.processes import Terminated
from region_grower_flow.tasks import interrupts


@pytest.mark.parametrize(
    ("error", "number"),
    [(Terminated(signal.SIGTERM), signal.SIGTERM), (KeyboardInterrupt(), signal.SIGINT)],
)
def test_a_signal_that_python_ignores_comes_again(error, number, monkeypatch):
    came, sent = threading.Event(), []
    monkeypatch.setattr(interrupts, "AGAIN_SECONDS", 0.0)
    monkeypatch.setattr(
        interrupts.os, "kill", lambda pid, signal: (sent.append(signal), came.set())
    )
    interrupts._come_again(SimpleNamespace(exc_value=error))
    assert came.wait(30)
    assert sent == [number]
