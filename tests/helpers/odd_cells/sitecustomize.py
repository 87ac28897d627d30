"""On the PYTHONPATH of tests only: cells of the real flow that are slow, crash or hang on request.

Python imports a module of this name when it starts, in the luigi process and in every rank. The
environment variable RGF_TEST_ODD holds JSON: {"seconds": of each cell, "journal": a file that gets
a line each time a cell is begun, "odd": {row: behavior}, "slow": {"module:function": seconds that a
call waits before it begins, which it notes in the journal's sibling}}.
"""

import functools
import importlib.abc
import importlib.machinery
import json
import os
import sys
import time

from helpers.odd_behaviors import hang, kill, loop, note, segfault

ODD = json.loads(os.environ.get("RGF_TEST_ODD", "null"))
SYNTHESIS = "region_grower_flow.cell.synthesis"
SLOW = [(*name.split(":"), seconds) for name, seconds in (ODD or {}).get("slow", {}).items()]


def memory():
    raise MemoryError("pretended")


def odd():
    raise LookupError("pretended")


def output():
    from region_grower_flow.errors import OutputFailed

    raise OutputFailed("The disk is full (pretended).")


BEHAVIORS = {f.__name__: f for f in (segfault, kill, hang, loop, memory, odd, output)}


def slow_down(module, name, seconds):
    """Let a function of a module wait before each call."""
    real = getattr(module, name)

    def wait(*arguments, **keywords):
        note(f"{ODD['journal']}.slow", name)
        time.sleep(seconds)
        return real(*arguments, **keywords)

    setattr(module, name, functools.wraps(real)(wait))


def spoil(module):
    """Let a module behave as asked."""
    for name, function, seconds in SLOW:
        if name == module.__name__:
            slow_down(module, function, seconds)
    if module.__name__ == SYNTHESIS:
        spoil_cells(module)


def spoil_cells(module):
    """Let the cells of the synthesizer behave as asked."""
    real = module.Synthesizer._make

    def make(self, cell):
        row = cell.row
        note(ODD["journal"], row)
        time.sleep(ODD.get("seconds", 0))
        how = ODD.get("odd", {}).get(str(row))
        if how:
            BEHAVIORS[how]()
        return real(self, cell)

    module.Synthesizer._make = make


class Finder(importlib.abc.MetaPathFinder):
    """Finds the real modules and spoils them once they are loaded."""

    def find_spec(self, name, path, target=None):
        if name != SYNTHESIS and name not in [module for module, _, _ in SLOW]:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        load = spec.loader.exec_module

        def exec_module(module):
            load(module)
            spoil(module)

        spec.loader.exec_module = exec_module
        return spec


if ODD:
    sys.meta_path.insert(0, Finder())
    if SYNTHESIS in sys.modules:  # in a fork of a process that has imported it
        spoil(sys.modules[SYNTHESIS])
