"""Bad inputs after a run that has finished: its outputs stay, and it is not spoilt for later."""

import functools
import shutil

import pytest

from helpers.bad.cases import BY_NAME
from helpers.bad.harness import changes, copied, snapshot, synthesize

NAMES = (
    "parameters-missing", "parameters-truncated", "distributions-deep",
    "structure-laughs", "cells-cut-0.5", "cells-nan-position", "unknown-mtype",
    "brain_regions-cut-data", "orientation-nan", "trees-billion", "steps-tiny", "chunksize=0",
    "out_apical-a-folder", "over-parameters.json",
    "all-at-once",
    "axons-short", "axons-name-outside", "donor-cut-0.7", "donors-missing",
)  # fmt: skip


@pytest.fixture(scope="module")
def finished(bases, tmp_path_factory):
    """Gives a flow of a kind that has run, and a copy of its folder."""
    folder = tmp_path_factory.mktemp("finished")

    @functools.cache
    def run(kind):
        flow = copied(bases[kind], folder / kind / "flow")
        outcome = synthesize(flow)
        assert outcome.code == 0, outcome.text
        backup = folder / f"{kind}_backup"
        shutil.copytree(flow.folder, backup, symlinks=True)
        return flow, backup

    return run


def restore(flow, backup):
    for path in (flow.folder, *flow.folder.rglob("*")):
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o755)
    shutil.rmtree(flow.folder)
    shutil.copytree(backup, flow.folder, symlinks=True)


QUICK = NAMES[::3]
SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in NAMES if name not in QUICK]


@pytest.mark.parametrize("name", [*QUICK, *SLOW])
def test_outputs_of_an_earlier_run_are_unharmed(finished, name):
    case = BY_NAME[name]
    flow, backup = finished(case.base)
    options = dict(flow.options)
    before = snapshot(flow.folder)
    try:
        case.spoil(flow)
        spoilt = set(changes(before, snapshot(flow.folder)))
        synthesize(flow, humble=case.humble).assert_refused(case.words)
        # Nothing but what the case itself has changed differs from the finished run.
        assert set(changes(before, snapshot(flow.folder))) == spoilt
    finally:
        flow.options.clear()
        flow.options.update(options)
        restore(flow, backup)
    again = synthesize(flow)
    assert (again.code, again.changed) == (0, [])
    assert "Nothing to do: all outputs are there and up to date." in again.text
