"""Compiled kernels on disk: filled once, then only read; and the kernels without compilation."""

import errno
import fcntl
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import llvmlite.binding
import pytest

from region_grower_flow.engine import cache, filling, target
from region_grower_flow.engine.groups import GROUPS
from region_grower_flow.engine.warm import WARM
from region_grower_flow.errors import WorkerFailed

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
import subprocess
import sys
from region_grower_flow.engine import cache, filling


def start_compiler(group, target, errors):
    with open(sys.argv[1], "a") as journal:
        print(group, target, file=journal)
    return subprocess.Popen(["sleep", "1"])


filling.start_compiler = start_compiler
filling.fill(["core", "axon", "space"])
print(*(cache.usable_folder(group) for group in ("core", "axon", "space", "diameters")))
"""


def test_two_processes_fill_each_group_once(tmp_path):
    folder, journal = tmp_path / "kernels", tmp_path / "journal"
    both = [run(FILL, folder, journal) for _ in range(2)]
    used = [output(process) for process in both]
    made = {path.name.split("-")[0]: path for path in folder.iterdir() if path.is_dir()}
    begun = [line.split()[0] for line in journal.read_text().splitlines()]
    assert sorted(begun) == sorted(made) == ["axon", "core", "space"]
    assert all((path / cache.COMPLETE).is_file() for path in made.values())
    assert used == [f"{made['core']} {made['axon']} {made['space']} None\n"] * 2


@pytest.mark.slow
def test_the_filling_process_compiles_into_its_folder(tmp_path):
    code = (
        "import numpy; from region_grower_flow.engine.kernels.hull import convex_hull;"
        "convex_hull(numpy.ones((3, 2)))"
    )
    output(run(code, tmp_path / "absent", **{cache.FILL_VARIABLE: f"core:{tmp_path}/filling"}))
    assert list((tmp_path / "filling").rglob("*.nbi"))
    assert not (tmp_path / "absent").exists()


@pytest.mark.slow
def test_only_read_afterwards(kernels):
    folders = [cache.folder(group) for group in GROUPS]
    before = [files_of(folder) for folder in folders]
    assert all(any(name.endswith(".nbi") for name in names) for names in before)
    output(run(GROW, cache.base_folder(), TESTS))
    assert [files_of(folder) for folder in folders] == before


@pytest.mark.slow
def test_same_cells_without_compilation(kernels, tmp_path):
    compiled = json.loads(output(run(GROW, cache.base_folder(), TESTS)))
    plain = json.loads(output(run(GROW, tmp_path, TESTS, NUMBA_DISABLE_JIT="1")))
    assert plain == compiled
    assert not list(tmp_path.iterdir())


def test_folder_changes_with_the_sources_of_its_group(tmp_path, monkeypatch):
    imported = "from region_grower_flow.engine.kernels.two import y\n"
    (tmp_path / "jit.py").touch()
    (tmp_path / "one.py").write_text(imported + '@entry("core")\ndef x():\n    return y\n')
    (tmp_path / "two.py").write_text("y = 1\n")
    (tmp_path / "three.py").write_text('@entry("axon")\ndef z():\n    return 1\n')
    monkeypatch.setattr(cache, "KERNELS", tmp_path)
    before = [cache.sources_digest(group) for group in ("core", "axon")]
    assert [cache.sources_digest(group) for group in ("core", "axon")] == before
    (tmp_path / "two.py").write_text("y = 2\n")
    assert cache.sources_digest("core") != before[0]
    assert cache.sources_digest("axon") == before[1]
    (tmp_path / "jit.py").write_text("x = 1\n")
    assert cache.sources_digest("axon") != before[1]


def test_each_group_has_sources_of_its_own():
    sources = {group: {path.name for path in cache.sources(group)} for group in GROUPS}
    assert {"forest.py", "tree.py", "step.py", "geometry.py", "jit.py"} <= sources["core"]
    assert {"mesh.py", "forest.py"} <= sources["space"]
    assert "axon.py" in sources["axon"]
    assert all("axon.py" not in names for group, names in sources.items() if group != "axon")
    assert set(WARM) == set(GROUPS)


def test_name_of_the_folder_has_the_processor(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.BASE_VARIABLE, str(tmp_path))
    monkeypatch.setattr(target, "_flags", lambda: target.GENERIC_FLAGS | {"avx512f"})
    monkeypatch.setattr(target.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(llvmlite.binding, "get_host_cpu_name", lambda: "raptorlake")
    names = []
    for named in (None, "host", "znver5"):
        target.target_name.cache_clear()
        if named:
            monkeypatch.setenv(target.NUMBA_VARIABLE, named)
        names.append(cache.folder("axon").name)
    target.target_name.cache_clear()
    assert names[0].endswith("-" + target.GENERIC)
    assert names[0].startswith("axon-")
    assert names[1].endswith("-raptorlake")
    assert names[2].endswith("-znver5")


def test_old_folders_are_removed(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.BASE_VARIABLE, str(tmp_path))
    monkeypatch.setattr(filling, "KEPT_FOLDERS", 2)
    common = "numba0.60.0-numpy1.26.4-python3.11.7-znver5"
    used = {  # days since their latest use
        f"core-0.1.0-{1:016x}-{common}": 1,
        f"core-0.1.0-{2:016x}-{common}": 2,
        f"core-0.1.0-{3:016x}-{common}": 3,  # more than are kept
        f"axon-0.1.0-{1:016x}-{common}": 40,
        f"0.1.0-{4:016x}-{common}": 40,  # before there were groups
        "mine-and-old": 40,
        cache.folder("core").name: 40,
    }
    for name, days in used.items():
        (tmp_path / name).mkdir()
        (tmp_path / f"{name}.lock").touch()
        (tmp_path / name / cache.COMPLETE).touch()
        then = time.time() - days * 86_400
        os.utime(tmp_path / name / cache.COMPLETE, (then, then))
    filling.remove_old_folders()
    left = {path.name for path in tmp_path.iterdir() if path.is_dir()}
    assert left == set(list(used)[:2] + list(used)[-2:])
    assert {path.name[:-5] for path in tmp_path.glob("*.lock")} == left


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
    filling.provide(["core"])
    assert "Not a directory" in caplog.text
    assert "each process compiles its own" in caplog.text


def test_folder_without_locks(tmp_path, monkeypatch, caplog):
    def flock(handle, kind):
        raise OSError(errno.ENOLCK, "No locks available")  # as some network mounts do

    monkeypatch.setenv(cache.BASE_VARIABLE, str(tmp_path))
    monkeypatch.setattr(fcntl, "flock", flock)
    filling.provide(["core"])
    assert "No locks available" in caplog.text
    assert "each process compiles its own" in caplog.text


def test_full_folder_that_cannot_be_written(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv(cache.BASE_VARIABLE, str(tmp_path))
    cache.folder().mkdir()
    (cache.folder() / cache.COMPLETE).touch()
    filling.provide(["core"])
    assert caplog.text == ""
    monkeypatch.setattr(cache.os, "access", lambda *_: False)  # root may write anywhere
    filling.provide(["core"])
    assert "cannot be written to" in caplog.text
    assert "Compiling" not in caplog.text


def test_nothing_is_filled_without_compilation(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.BASE_VARIABLE, str(tmp_path))
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    filling.provide()
    assert list(tmp_path.iterdir()) == []


KILLED = """
import subprocess
import time
from region_grower_flow.engine import filling

filling.start_compiler = lambda *_: subprocess.Popen(["true"])
begun = filling.Filling.begin("core")
print("holds the lock", flush=True)
time.sleep(600)
"""


def test_what_a_killed_process_filled_is_filled_anew(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.BASE_VARIABLE, str(tmp_path))
    monkeypatch.setattr(filling, "start_compiler", lambda *_: subprocess.Popen(["true"]))
    other = run(KILLED, tmp_path)
    try:
        assert other.stdout.readline() == "holds the lock\n"
        assert filling.Filling.begin("core") is None
    finally:
        other.kill()
        other.wait()
    filling.fill(["core"])
    assert cache.is_filled("core")
    assert {path.name for path in tmp_path.iterdir()} == {
        cache.folder("core").name, cache.folder("core").name + ".lock",
    }  # fmt: skip


def test_interrupted_filling_leaves_nothing(tmp_path, monkeypatch):
    started = []

    def start(group, target, errors):
        (target / "half").touch()
        started.append(subprocess.Popen(["sleep", "60"]))
        return started[-1]

    def interrupt(seconds):
        raise KeyboardInterrupt

    monkeypatch.setenv(cache.BASE_VARIABLE, str(tmp_path))
    monkeypatch.setattr(filling, "start_compiler", start)
    monkeypatch.setattr(filling.time, "sleep", interrupt)
    with pytest.raises(KeyboardInterrupt):
        filling.fill()
    assert {path.suffix for path in tmp_path.iterdir()} == {".lock"}
    assert all(process.poll() == -9 for process in started)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("raise ValueError('odd')", "ValueError: odd"),
        ("import os; os.kill(os.getpid(), 11)", "ended by SIGSEGV"),
        ("raise SystemExit(3)", "ended with 3"),
    ],
)
def test_failed_compilation_is_told_with_its_last_words(tmp_path, monkeypatch, code, words):
    def start(group, target, errors):
        return subprocess.Popen([sys.executable, "-c", code], stderr=errors)

    monkeypatch.setenv(cache.BASE_VARIABLE, str(tmp_path))
    monkeypatch.setattr(filling, "start_compiler", start)
    with pytest.raises(WorkerFailed, match=f"cannot be compiled: .*{words}"):
        filling.fill(["axon"])
    assert not cache.is_filled("axon")
