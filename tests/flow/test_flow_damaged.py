"""Morphologies of the users and of the work folder are one file: what damages one damages both."""

import os
import time

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
    text = process.stdout + process.stderr
    assert "Traceback" not in text
    assert "1 damaged cell grown again" in text
    assert "In this run 1 cell was grown and 7 kept" in text
    assert linked.morphologies() == before
    assert linked.summary["grown_now"] == 1 + 4  # the other chunk was grown by the first run
    again = linked.luigi()
    assert stages_run(again) == set()


def test_what_is_damaged_again_in_the_same_run_ends_it_and_the_next_one_mends_it(linked):
    before = linked.morphologies()
    name = next(iter(before))
    with open(linked.path("out", "morphologies", name), "r+b") as file:
        file.truncate(100)
    later = time.time() + 3600
    for manifest in linked.path("work", "manifests").glob("SynthesizeChunk_*"):
        os.utime(manifest, (later, later))  # as if this run had grown its cells
    process = linked.luigi()
    text = process.stdout + process.stderr
    assert process.returncode == 30, text
    assert "missing or damaged (1) and have to be grown again" in text
    assert "Traceback" not in text
    process = linked.luigi()
    assert process.returncode == 0, process.stdout + process.stderr
    assert linked.morphologies() == before
