"""Two checkouts raced in turn: what a change brings, on a machine whose speed drifts.

``python -m benchmarks.versions BEFORE AFTER --rounds 3 --parts rank ten``
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks import processes
from benchmarks.scenarios import find_scenarios, with_cells

FEW = 400
PARTS = ("rank", "ten", "first", "groups", "files", "both", "only")
CONTAINER = {"files": (), "both": ("container-path",), "only": ("container-path", "container-only")}
LOAD = """
import time
start = time.process_time()
from region_grower_flow.engine.warm import load_kernels
load_kernels(["core"])
print(time.process_time() - start)
"""
FILL = """
import resource
from region_grower_flow.engine import filling
filling.fill()
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime)
"""


class Race:
    """Makes runs of two checkouts, each with a kernel cache and bytecode of its own.

    Args:
        trees: {name: checkout}.
        scratch: folder for everything.
        cells: of the long runs.
    """

    def __init__(self, trees, scratch, cells):
        self.trees, self.scratch, self.cells = trees, Path(scratch), cells
        plain = find_scenarios(("plain",), scratch=self.scratch)[0]
        sizes = (10, 100, FEW, cells)
        self._sized = {n: with_cells(plain, n, self.scratch) for n in sizes}

    def environment(self, tree, cache):
        """The environment in which a checkout runs, with this kernel cache."""
        kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
        own = {
            "PYTHONPATH": str(Path(self.trees[tree]).resolve()),
            "PYTHONPYCACHEPREFIX": str(self.scratch / f"bytecode_{tree}"),
            "REGION_GROWER_FLOW_CACHE": str(self.scratch / f"{cache}_{tree}"),
        }
        return {**kept, **own}

    def run(self, tree, cells, more=(), cache="cache", **words):
        """The Cost of a run without a page."""
        out = self.scratch / f"out_{tree}"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir()
        options = {name: True if name == "container-only" else out / "c.h5" for name in more}
        words = {"hide-progress-bar": True, "skip-page": True, **words, **options}
        command = processes.own_command(*self._sized[cells].arguments(out, **words))
        log, folder = self.scratch / f"{tree}.log", self._sized[cells].folder
        return processes.run(command, log, self.environment(tree, cache), None, folder)

    def printed(self, tree, code, cache="cache"):
        """The number that a piece of Python prints."""
        done = subprocess.run(
            [sys.executable, "-c", code],
            env=self.environment(tree, cache),
            capture_output=True,
            text=True,
            check=True,
        )
        return float(done.stdout.split()[-1])

    def empty(self, tree, cache):
        """Remove a kernel cache."""
        shutil.rmtree(self.scratch / f"{cache}_{tree}", ignore_errors=True)

    def measure(self, part, tree):
        """{what: seconds, or milliseconds a cell} of a part."""
        if part == "rank":
            return {"a rank's kernels (s CPU)": self.printed(tree, LOAD)}
        if part == "ten":
            cost = self.run(tree, 10)
            return {"ten cells (s CPU)": cost.cpu, "ten cells (s)": cost.wall}
        if part in ("first", "groups"):
            self.empty(tree, part)
        if part == "first":
            return {"first run of 100 (s CPU)": self.run(tree, 100, cache=part).cpu}
        if part == "groups":
            return {"all groups of kernels (s CPU)": self.printed(tree, FILL, part)}
        return {f"a cell, {part} (ms CPU)": self._per_cell(tree, CONTAINER[part])}

    def _per_cell(self, tree, more):
        few, many = (self.run(tree, n, more, **{"nb-processes": 2}) for n in (FEW, self.cells))
        return 1e3 * (many.cpu - few.cpu) / (self.cells - FEW)


def main(words=None):
    """Race two checkouts and print the medians, and the medians of the rounds' ratios."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("before", help="a checkout")
    parser.add_argument("after", help="another checkout")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--cells", type=int, default=10_000)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    options = parser.parse_args(words)
    found = {}
    with tempfile.TemporaryDirectory() as scratch:
        race = Race({"before": options.before, "after": options.after}, scratch, options.cells)
        for tree in race.trees:
            race.run(tree, 100)  # bytecode and kernels are there
        for _ in range(options.rounds):
            for part in options.parts:
                for tree in race.trees:
                    for what, value in race.measure(part, tree).items():
                        found.setdefault(what, {}).setdefault(tree, []).append(value)
    print(f"{'':34} before  after  ratio (load {os.getloadavg()[0]:.0f})")
    for what, values in found.items():
        before, after = values["before"], values["after"]
        ratio = statistics.median(b / a for a, b in zip(before, after, strict=True))
        medians = statistics.median(before), statistics.median(after)
        print(f"{what:34} {medians[0]:6.2f} {medians[1]:6.2f} {ratio:6.2f}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
