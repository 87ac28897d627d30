"""Compiled kernels on disk: filled once, then only read; and the kernels without compilation."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from region_grower_flow.engine import cache

HERE = Path(__file__).parent

GROW = """
import sys
sys.path.insert(0, sys.argv[1])
import json
import numpy as np
from growth_inputs import ORIENTATIONS, mtype, site
from region_grower_flow import engine
from region_grower_flow.engine.model import BarcodeScaling

engine.warm_up()
types = {
    "apical_dendrite": {"growth_method": "tmd_gradient", "has_apical_tuft": True},
    "basal_dendrite": {"step_size": {"data": {"bins": [1.0, 2.0], "weights": [1, 2]}}},
}
prepared = engine.prepare(*mtype(types))
scaling = {"basal_dendrite": BarcodeScaling("target", path_distance=30.0)}
cells = []
for seed in range(4):
    rng = np.random.default_rng(seed)
    cell = engine.grow(prepared, site(1, scaling), rng)
    arrays = [cell.morphology.points, cell.morphology.offsets, cell.morphology.diameters]
    cells.append([[a.tolist() for a in arrays], rng.bit_generator.state["state"]["state"]])
print(json.dumps(cells))
"""


def run(code, folder, *arguments, **environment):
    environment = {**os.environ, cache.BASE_VARIABLE: str(folder), **environment}
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def output(process):
    stdout, stderr = process.communicate()
    assert process.returncode == 0, stderr
    return stdout


def files_of(folder):
    return {
        str(path.relative_to(folder)): path.stat().st_mtime_ns
        for path in folder.rglob("*")
        if path.is_file() and not path.name.endswith(".lock")
    }


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A cache that two processes have filled at once."""
    folder = tmp_path_factory.mktemp("kernels")
    code = "from region_grower_flow import engine; print(engine.warm_up())"
    both = [run(code, folder), run(code, folder)]
    assert output(both[0]) == output(both[1])
    return folder


@pytest.mark.slow
def test_filled_once(filled):
    made = [path for path in filled.iterdir() if path.is_dir()]
    assert len(made) == 1
    assert (made[0] / cache.COMPLETE).is_file()
    assert list(made[0].rglob("*.nbi"))


@pytest.mark.slow
def test_only_read_afterwards(filled):
    before = files_of(filled)
    output(run(GROW, filled, HERE))
    assert files_of(filled) == before


@pytest.mark.slow
def test_same_cells_without_compilation(filled, tmp_path):
    compiled = json.loads(output(run(GROW, filled, HERE)))
    plain = json.loads(output(run(GROW, tmp_path, HERE, NUMBA_DISABLE_JIT="1")))
    assert plain == compiled
    assert not list(tmp_path.iterdir())


def test_folder_changes_with_the_sources(tmp_path, monkeypatch):
    for name in ("one.py", "two.py"):
        (tmp_path / name).write_text("x = 1\n")
    monkeypatch.setattr(cache, "KERNELS", tmp_path)
    before = cache.sources_digest()
    assert cache.sources_digest() == before
    (tmp_path / "two.py").write_text("x = 2\n")
    assert cache.sources_digest() != before


def test_unfilled_folder_is_not_used(tmp_path, monkeypatch):
    monkeypatch.delenv(cache.FILL_VARIABLE, raising=False)
    monkeypatch.setenv(cache.BASE_VARIABLE, str(tmp_path))
    assert cache.usable_folder() is None
    cache.folder().mkdir()
    assert cache.usable_folder() is None
    (cache.folder() / cache.COMPLETE).touch()
    assert cache.usable_folder() == cache.folder()


def test_folder_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv(cache.BASE_VARIABLE, str(tmp_path / "file" / "below"))
    monkeypatch.setattr(cache, "load_kernels", lambda: None)
    with pytest.warns(UserWarning, match="each process compiles its own"):
        cache.warm_up()


def test_interrupted_filling_leaves_nothing(tmp_path, monkeypatch):
    def fail(target):
        (target / "half").touch()
        raise KeyboardInterrupt

    monkeypatch.setenv(cache.BASE_VARIABLE, str(tmp_path))
    monkeypatch.setattr(cache, "_compile_into", fail)
    with pytest.raises(KeyboardInterrupt):
        cache.fill()
    assert [path.suffix for path in tmp_path.iterdir()] == [".lock"]
