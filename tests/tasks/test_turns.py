"""A stage that a run makes again and again."""

import pytest

from helpers.sentences import saying
from region_grower_flow.errors import MadeAgain
from region_grower_flow.record.manifest import Manifest
from region_grower_flow.tasks import turns as module
from region_grower_flow.tasks.turns import MOST, TURNS, turns


@pytest.fixture
def make(monkeypatch):
    """Makes a stage with a fingerprint, in the run that began at a time."""
    made = []

    def make(fingerprint, began=1.0):
        monkeypatch.setattr(module, "arrival_time", lambda: began)
        last = made[-1] if made else None
        fact = turns(last, fingerprint, "LoadAtlas", "w")
        made.append(Manifest(fingerprint, {}, {}, {TURNS: fact}))

    return make


def test_two_flows_in_turn_end(make):
    for _ in range(MOST):
        make("a")
        make("b")
    with pytest.raises(MadeAgain, match=saying("w: LoadAtlas | undone each time | of its own")):
        make("a")


def test_another_run_begins_anew(make):
    for began in range(10):
        make("a", began)
        make("b", began)
    for number in range(10):  # a scan in one process
        make(str(number), 10)
