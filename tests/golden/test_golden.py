"""The reference's own outputs, cell by cell, through the command line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.golden import SCENARIOS, compare, options_of

THOROUGH = "RGF_STRESS" in os.environ
COMMAND = Path(sys.executable).with_name("region-grower-flow")


@pytest.mark.golden
@pytest.mark.slow
@pytest.mark.parametrize("name", SCENARIOS)
def test_agrees_with_the_reference(shared, kernels, tmp_path, name):
    scenario = shared / "golden" / name
    command = [COMMAND, *options_of(scenario, tmp_path), "--launcher", "inprocess"]
    done = subprocess.run(
        command, cwd=scenario, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    print(name, compare(shared, scenario, tmp_path))
    summary = json.loads((tmp_path / "nodes_summary.json").read_text())
    assert summary["fallbacks"]["cells"] == 0


@pytest.mark.golden
@pytest.mark.slow
@pytest.mark.parametrize("name", ["limits", "peer_suite"] if THOROUGH else ["peer_suite"])
def test_neurots_itself_agrees_too(shared, tmp_path, name):
    scenario = shared / "golden" / name
    engine = ["--launcher", "inprocess", "--engine", "neurots"]
    done = subprocess.run(
        [COMMAND, *options_of(scenario, tmp_path), *engine],
        cwd=scenario,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    compare(shared, scenario, tmp_path)


@pytest.mark.golden
def test_the_comparison_can_fail(shared):
    scenarios = shared / "golden"
    with pytest.raises(AssertionError, match="differ"):
        compare(shared, scenarios / "plain", scenarios / "limits" / "golden")
