"""The reference's outputs under Python 3.13, numpy 2 and NeuroTS 3.6, whose growth is not used."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.golden import SCENARIOS, compare, options_of

FEW = ("limits", "external_diameters")
"""Scenarios that are tried by default."""
CHECKOUT = Path(__file__).resolve().parents[2]
VERSIONS = "import numpy, importlib.metadata as m; print(numpy.__version__, m.version('neurots'))"


def newer_python():
    """A Python 3.13 of this machine that can make environments, or None."""
    beside = sorted(Path.home().glob(".pyenv/versions/3.13*/bin/python3.13"))
    for candidate in [shutil.which("python3.13"), *beside]:
        check = [candidate, "-c", "import venv, ensurepip"]
        if candidate and subprocess.run(check, capture_output=True, check=False).returncode == 0:
            return candidate
    return None


def environment_of(python, folder):
    """The Python of a new environment with the package and what it pulls in, without MPI.

    Without pip of its own, and without byte code: most of what is installed is never imported.
    """
    subprocess.run([python, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    source = folder / "source"  # a build would leave files in the checkout
    source.mkdir()
    for name in ("setup.cfg", "pyproject.toml", "README.rst"):
        shutil.copy(CHECKOUT / name, source)
    shutil.copytree(CHECKOUT / "region_grower_flow", source / "region_grower_flow")
    own = folder / "venv" / "bin" / "python"
    pip = [sys.executable, "-m", "pip", "--python", own]
    command = [*pip, "install", "--quiet", "--no-compile", source]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return own


@pytest.mark.golden
@pytest.mark.slow
@pytest.mark.longest
@pytest.mark.timeout(1500)
def test_newer_stack_agrees_with_the_reference(shared, tmp_path):
    python = newer_python()
    if python is None:
        pytest.skip("there is no Python 3.13")
    own = environment_of(python, tmp_path)
    said = subprocess.run([own, "-c", VERSIONS], capture_output=True, text=True, check=True).stdout
    numpy, neurots = said.split()
    assert numpy.startswith("2.")
    assert neurots.startswith("3.6.")
    # Its kernels are kept where those of the tests are, by their sources and its versions.
    for name in SCENARIOS if "RGF_STRESS" in os.environ else FEW:
        scenario, out = shared / "golden" / name, tmp_path / name
        out.mkdir()
        command = [own.with_name("region-grower-flow"), *options_of(scenario, out)]
        done = subprocess.run(
            command,
            cwd=scenario,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        print(name, compare(shared, scenario, out))
