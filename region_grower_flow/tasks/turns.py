"""Stages that are made again and again in one run, since two flows of it undo each other's work.

A task of another workflow may yield several flows. Where these share a work folder or outputs, each
finds that the other one's are there, and Luigi would make them in turn for ever.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from region_grower_flow.errors import MadeAgain
from region_grower_flow.tasks.arrival import arrival_time

if TYPE_CHECKING:
    from region_grower_flow.record.manifest import Manifest

TURNS = "turns"
"""Fact of a manifest: the beginning of the run, and the fingerprints of what it has made there."""

MOST = 3
"""Times that a run may make the same: a user may remove outputs while a process makes many."""


def turns(manifest: Manifest | None, fingerprint: str, what: str, work_dir: str) -> dict[str, Any]:
    """The fact of a stage that is about to be made.

    Args:
        manifest: of the last time that the stage was made.
        fingerprint: of today.
        what: the stage's name.
        work_dir: its work folder.

    Raises:
        MadeAgain: this run has made the same often enough.
    """
    earlier = {} if manifest is None else manifest.facts.get(TURNS, {})
    began = arrival_time()  # 0 without a run
    same_run = began and earlier.get("began") == began
    made = [*(earlier["made"] if same_run else ()), fingerprint]
    if made.count(fingerprint) > MOST:
        problem = f"{what} has been made {MOST} times in this run, and was undone each time"
        hint = "give each flow of a run a work_dir and outputs of its own"
        raise MadeAgain(problem, Path(work_dir), hint)
    return {"began": began, "made": made}
