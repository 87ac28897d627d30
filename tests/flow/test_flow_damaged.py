"""Morphologies of the users and of the work folder are one file: what damages one damages both."""

import os

import pytest

from helpers.flow_factory import stages_run

pytestmark = pytest.mark.slow

GROWN_AGAIN = {"SynthesizeMorphologies"}


@pytest.fixture
def linked(finished):
    """A finished flow whose morphologies are links, as those of a run that was not copied."""
    for name in finished.morphologies():
        path = finished.path("out", "morphologies", name)
        path.unlink()
        os.link(finished.path("work", "morphologies", name), path)
    return finished


@pytest.mark.parametrize("damage", ["cut", "edited", "deleted"])
def test_a_damaged_morphology_is_grown_again(linked, damage):
    before = linked.morphologies()
    name = next(iter(before))
    path = linked.path("out", "morphologies", name)
    if damage == "deleted":
        path.unlink()
        linked.path("work", "morphologies", name).unlink()
    else:
        with open(path, "r+b") as file:
            file.truncate(100) if damage == "cut" else file.write(b"!")
    process = linked.luigi()
    assert process.returncode == 0, process.stdout + process.stderr
    assert "Traceback" not in process.stdout + process.stderr
    assert linked.morphologies() == before
    assert linked.summary["grown_now"] == 1 + 4  # the other chunk was grown by the first run
    again = linked.luigi()
    assert stages_run(again) == set()
