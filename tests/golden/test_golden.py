"""The reference's own outputs, cell by cell, through the command line."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

THOROUGH = "RGF_STRESS" in os.environ
COMMAND = Path(sys.executable).with_name("region-grower-flow")
SCENARIOS = (
    "plain",
    "limits",
    "axon",
    "external_diameters",
    "boundary",
    "peer_suite",
    "synthdb_rat",
    "sscx",
)


def options_of(scenario, out):
    """The reference's options, with outputs in ``out``."""
    options = json.loads((scenario / "options.json").read_text())
    if "--out-apical-nrn-sections" in options:
        place = options.index("--out-apical-nrn-sections") + 1
        options[place] = str(out / "apical_nrn_sections.yaml")
    return [
        *options,
        *("--out-cells", str(out / "nodes.h5")),
        *("--out-morph-dir", str(out / "morphologies")),
        *("--out-apical", str(out / "apical.yaml")),
    ]


def compare(shared, scenario, out):
    """The comparison's last line; fails when anything differs."""
    tool = shared / "tools" / "compare_outputs.py"
    command = [sys.executable, tool, scenario / "golden", out]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()[-1]


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
