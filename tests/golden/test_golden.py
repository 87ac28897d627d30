"""The reference's own outputs, cell by cell, through the command line."""

import json
import os

import pytest

from helpers.flow_factory import COMMAND, environment
from helpers.forked import run_forked
from helpers.golden import SCENARIOS, compare, options_of

THOROUGH = "RGF_STRESS" in os.environ


@pytest.mark.golden
@pytest.mark.slow
@pytest.mark.parametrize("name", SCENARIOS)
def test_agrees_with_the_reference(shared, kernels, tmp_path, name):
    scenario = shared / "golden" / name
    command = [COMMAND, *options_of(scenario, tmp_path), "--launcher", "inprocess"]
    done = run_forked(command, scenario, environment(), 300)
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
    command = [COMMAND, *options_of(scenario, tmp_path), *engine]
    done = run_forked(command, scenario, environment(), 300)
    assert done.returncode == 0, done.stdout + done.stderr
    compare(shared, scenario, tmp_path)


@pytest.mark.golden
def test_the_comparison_can_fail(shared):
    scenarios = shared / "golden"
    with pytest.raises(AssertionError, match="differ"):
        compare(shared, scenarios / "plain", scenarios / "limits" / "golden")
