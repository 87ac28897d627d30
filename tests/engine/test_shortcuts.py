"""Shortcuts through Numba's compilation and loading change no result, and fail softly."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from region_grower_flow.engine import shortcuts

pytestmark = pytest.mark.skipif(
    os.environ.get("NUMBA_DISABLE_JIT", "0") != "0", reason="nothing is compiled"
)

COMPILE = """
import numpy as np
from numba import njit
from region_grower_flow.engine import shortcuts
shortcuts.take()
from numba.core import codegen
made = []
finish = codegen.JITCodeLibrary._finalize_specific
codegen.JITCodeLibrary._finalize_specific = lambda self: (made.append(self.name), finish(self))[1]

@njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)
def inner(x):
    total = 0.0
    for value in x:
        total += np.sqrt(value)
    return total

@njit(no_cfunc_wrapper=True)
def entry(x, rng):
    if len(x) == 0:
        raise ValueError("nothing")
    return inner(x) + inner(x[1:]) + rng.random()

x, rng = np.arange(100.0), np.random.default_rng(1)
sums = [np.cumsum(np.sqrt(part))[-1] for part in (x, x[1:])]
expected = sums[0] + sums[1] + np.random.default_rng(1).random()
assert entry(x, rng) == expected, (entry(x, rng), expected)
try:
    entry(x[:0], rng)
except ValueError as error:
    assert str(error) == "nothing"
else:
    raise AssertionError
assert any("entry" in name for name in made)
assert not any("inner" in name for name in made), made
"""

CACHED = """
import numpy as np
from numba import njit

@njit(no_cfunc_wrapper=True, cache=True)
def cached(x):
    return x.sum()
"""

USE_CACHED = """
sys.path.insert(0, sys.argv[1])
import kept
if sys.argv[2] == "shortcuts":
    from region_grower_flow.engine import shortcuts
    shortcuts.take()
import numpy as np
assert kept.cached(np.arange(5.0)) == 10.0
hits = sum(kept.cached.stats.cache_hits.values())
assert hits == (sys.argv[2] == "shortcuts"), hits
"""

LOAD = """
import sys
from region_grower_flow.engine.warm import load_kernels
load_kernels(["core"])
from region_grower_flow.engine.kernels.jit import CACHE_FOLDERS
if CACHE_FOLDERS["core"] is not None:
    late = {"scipy.linalg", "numba.np.linalg"} & set(sys.modules)
    assert not late, late
# What is not cached is compiled as ever.
import numpy as np
from numba import njit
assert njit(lambda x: np.sort(x)[::-1].sum())(np.arange(5.0)) == 10.0
"""


def run(script, *arguments):
    path = str(Path(__file__).resolve().parents[2])
    words = [sys.executable, "-c", f"import sys; sys.path.insert(0, {path!r})\n{script}"]
    words += map(str, arguments)
    done = subprocess.run(words, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr[-2000:]


def test_no_machine_code_of_inner_functions():
    run(COMPILE)


@pytest.mark.slow
def test_a_kernel_from_the_cache_runs_where_others_are_compiled(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    (tmp_path / "kept.py").write_text(CACHED)
    run(USE_CACHED, tmp_path, "as ever")
    run(USE_CACHED, tmp_path, "shortcuts")


@pytest.mark.slow
def test_loading_a_kernel_imports_nothing_for_compilation(kernels):
    run(LOAD)


def test_another_numba_is_left_as_it_is(monkeypatch):
    from numba.core import codegen, cpu
    from numba.core.targetconfig import TargetConfig

    kept = cpu.CPUContext.get_executable, TargetConfig.values
    monkeypatch.delattr(codegen.CPUCodeLibrary, "_verify_declare_only_symbols")
    monkeypatch.delattr(TargetConfig, "values")
    monkeypatch.setattr(shortcuts, "_tell_nobody", lambda: None)
    shortcuts.take()
    assert cpu.CPUContext.get_executable is kept[0]
    assert not hasattr(TargetConfig, "values")


def test_flags_have_the_same_values(monkeypatch):
    from numba.core.targetconfig import TargetConfig

    slow = TargetConfig.values
    monkeypatch.setattr(TargetConfig, "values", slow)
    from numba.core.compiler import Flags

    some, others = Flags(), Flags()
    some.error_model = "numpy"
    others.no_cpython_wrapper = True
    expected = [flags.values() for flags in (some, others)]
    shortcuts._compare_flags_quickly()
    assert TargetConfig.values is not slow
    assert [flags.values() for flags in (some, others)] == expected
    assert [list(flags.values()) for flags in (some, others)] == list(map(list, expected))
