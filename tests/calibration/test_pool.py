"""Processes that share work."""

import subprocess
import sys

import pytest

from region_grower_flow.calibration.pool import share_out

SCRIPT = """
from region_grower_flow.calibration.pool import share_out
print(share_out(len, ["a", "bb", "ccc"], 2))
"""


def test_a_script_needs_no_guard(tmp_path):
    script = tmp_path / "three_lines.py"
    script.write_text(SCRIPT)
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "[1, 2, 3]\n"  # once: no process has run the script again


@pytest.mark.parametrize("processes", [1, 2])
def test_something_else_is_done_once_meanwhile(processes):
    done = []
    found = share_out(len, ["a", "bb"], processes, meanwhile=lambda: done.append("here"))
    assert found == [1, 2]
    assert done == ["here"]
