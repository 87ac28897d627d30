"""Golden scenarios: the reference's options, and the comparison with its outputs."""

import json
import subprocess
import sys

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
        # Region-grower's way: cells that fail do not make the run fail.
        *("--max-failure-ratio", "1"),
        # As the reference: some cells lie in regions that no entry of the region structure serves.
        "--allow-no-layers",
    ]


def compare(shared, scenario, out):
    """The comparison's last line; fails when anything differs."""
    tool = shared / "tools" / "compare_outputs.py"
    command = [sys.executable, tool, scenario / "golden", out]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()[-1]
