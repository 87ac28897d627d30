"""Checks of reconstructions alone, in a process that has loaded nothing else."""

import subprocess
import sys

import pytest

from region_grower_flow.example.create import create_example


@pytest.mark.slow
def test_the_check_of_reconstructions_alone_does_without_neurots(tmp_path):
    paths = create_example(tmp_path / "example", n_cells=24)
    code = """
import sys
from region_grower_flow.checks.calibration import check_calibration
from region_grower_flow.tasks.checks import CheckInputs
morphologies, table = sys.argv[1:]
task = CheckInputs(
    checked="reconstructions", morphologies_dir=morphologies, dat_file=table, work_dir="work"
)
assert check_calibration(task) == []
assert "morphio" in sys.modules
assert "neurots" not in sys.modules
"""
    arguments = [sys.executable, "-c", code, str(paths.morphologies), str(paths.mtypes)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
