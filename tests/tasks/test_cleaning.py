"""Removing intermediates (through the command: tests/flow/test_flow_status.py)."""

import shlex

import luigi
import pytest

from helpers.factories import random_morphology
from region_grower_flow import DiagnoseReconstructions, layout
from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.morphologies import write_morphology
from region_grower_flow.tasks import arrival
from region_grower_flow.tasks.cleaning import removing
from region_grower_flow.tasks.roots import Flow

CFG = "[region_grower_flow]\nwork_dir = work\nmorphologies_dir = cells\ndat_file = cells.dat\n"


@pytest.fixture
def calibrated(tmp_path, monkeypatch):
    """A folder with reconstructions of which a stage has been made."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cells").mkdir()
    for seed, name in enumerate("abc"):
        write_morphology("cells", name, random_morphology(seed=seed, n_points=(15, 30)), ["h5"])
    (tmp_path / "cells.dat").write_text("a 1 M\nb 1 M\nc 1 M\n")
    (tmp_path / "flow.cfg").write_text(CFG)
    given = {"work_dir": "work", "morphologies_dir": "cells", "dat_file": "cells.dat"}
    task = DiagnoseReconstructions(**given, processes=1, hide_progress_bar=True)
    assert luigi.build([task], local_scheduler=True, log_level="ERROR")
    monkeypatch.setattr(arrival, "_arrived", [])
    return tmp_path


def test_what_is_stale_of_a_calibration_is_told_though_its_locks_are_held(calibrated):
    flow = Flow(calibrated / "flow.cfg")
    for _ in range(2):
        with removing(config=flow, task="DiagnoseReconstructions") as removal:
            assert removal.files == []
        (calibrated / "work" / layout.DIAGNOSIS).unlink(missing_ok=True)


def test_where_there_are_tries_only_they_are_named(tmp_path):
    (tmp_path / "work_limit_8" / layout.MANIFESTS).mkdir(parents=True)
    expected = r"only work_limit_8. .*clean .*work_limit_8"
    with pytest.raises(InvalidInput, match=expected), removing(tmp_path / "work", everything=True):
        pass


def test_a_command_that_is_named_can_be_given_as_it_stands(tmp_path):
    folder = tmp_path / "my brain"
    (folder / "work_limit_8" / layout.MANIFESTS).mkdir(parents=True)
    with pytest.raises(InvalidInput) as error, removing(folder / "work", everything=True):
        pass
    command = str(error.value).partition(": region-grower-flow ")[2].removesuffix(".")
    assert shlex.split(command) == ["clean", str(folder / "work_limit_8")]
