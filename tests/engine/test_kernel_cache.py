"""Compiled kernels on disk: filled once, then only read; and the kernels without compilation."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from region_grower_flow.engine import cache

TESTS = Path(__file__).parents[1]

GROW = """
import sys
sys.path.insert(0, sys.argv[1])
import json
import numpy as np
from helpers.growth_inputs import ORIENTATIONS, mtype, site
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
for seed in range(2):
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


FILL = """
import sys
import time
from region_grower_flow.engine import cache


def compile_into(target):
    with open(sys.argv[1], "a") as journal:
        print(target, file=journal)
    time.sleep(1)


cache._compile_into = compile_into
cache.fill()
print(cache.usable_folder())
"""


def test_two_processes_fill_it_once(tmp_path):
    folder, journal = tmp_path / "kernels", tmp_path / "journal"
    both = [run(FILL, folder, journal) for _ in range(2)]
    used = [output(process) for process in both]
    assert len(journal.read_text().splitlines()) == 1
    (made,) = [path for path in folder.iterdir() if path.is_dir()]
    assert (made / cache.COMPLETE).is_file()
    assert used == [f"{made}\n"] * 2


def test_the_filling_process_compiles_into_its_folder(tmp_path):
    code = (
        "import numpy; from region_grower_flow.engine.kernels.geometry import child_lists;"
        "child_lists(numpy.array([-1]))"
    )
    output(run(code, tmp_path / "absent", **{cache.FILL_VARIABLE: str(tmp_path / "filling")}))
    assert list((tmp_path / "filling").rglob("*.nbi"))
    assert not (tmp_path / "absent").exists()


@pytest.mark.slow
def test_only_read_afterwards(kernels):
    before = files_of(cache.folder())
    assert [name for name in before if name.endswith(".nbi")]
    output(run(GROW, cache.base_folder(), TESTS))
    assert files_of(cache.folder()) == before


@pytest.mark.slow
def test_same_cells_without_compilation(kernels, tmp_path):
    compiled = json.loads(output(run(GROW, cache.base_folder(), TESTS)))
    plain = json.loads(output(run(GROW, tmp_path, TESTS, NUMBA_DISABLE_JIT="1")))
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


def test_folder_that_cannot_be_made(tmp_path, monkeypatch, caplog):
    (tmp_path / "file").touch()
    monkeypatch.setenv(cache.BASE_VARIABLE, str(tmp_path / "file" / "below"))
    cache.provide()
    assert "Not a directory" in caplog.text
    assert "each process compiles its own" in caplog.text


def test_full_folder_that_cannot_be_written(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv(cache.BASE_VARIABLE, str(tmp_path))
    cache.folder().mkdir()
    (cache.folder() / cache.COMPLETE).touch()
    cache.provide()
    assert caplog.text == ""
    monkeypatch.setattr(cache.os, "access", lambda *_: False)  # root may write anywhere
    cache.provide()
    assert "cannot be written to" in caplog.text
    assert "Compiling" not in caplog.text


def test_nothing_is_filled_without_compilation(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.BASE_VARIABLE, str(tmp_path))
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    cache.provide()
    assert list(tmp_path.iterdir()) == []


def test_interrupted_filling_leaves_nothing(tmp_path, monkeypatch):
    def fail(target):
        (target / "half").touch()
        raise KeyboardInterrupt

    monkeypatch.setenv(cache.BASE_VARIABLE, str(tmp_path))
    monkeypatch.setattr(cache, "_compile_into", fail)
    with pytest.raises(KeyboardInterrupt):
        cache.fill()
    assert [path.suffix for path in tmp_path.iterdir()] == [".lock"]
