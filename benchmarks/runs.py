"""Whole runs, from the command's start to its end, with all processes."""

import shutil
import statistics
import subprocess
from pathlib import Path

from benchmarks import finished, processes, report
from benchmarks.scenarios import with_cells, with_small_cells

START_CELLS = 400
"""Cells of the run whose time is taken for the start: enough for every rank to have grown some."""


def measure(scenario, options, scratch, say):
    """All whole runs.

    Args:
        scenario: the Scenario that is repeated.
        options: of the command.
        scratch: folder for outputs.
        say: prints lines.
    """
    bench = Bench(scratch, options, say)
    figures = {"sizes": bench.sizes(scenario, options.sizes)}
    if options.scaling:
        figures["scaling"] = bench.scaling(scenario, options.scaling)
    if options.large:
        figures["large"] = bench.large(scenario, options.large)
    if options.finished:
        figures["finished"] = finished.measure(
            scenario, options.finished, scratch / "finished", say
        )
    return figures


class Bench:
    """Makes runs in a scratch folder.

    Args:
        scratch: the folder.
        options: of the command: reference, rounds, workers, budget.
        say: prints lines.
    """

    def __init__(self, scratch, options, say):
        self.scratch, self.options, self.say = Path(scratch), options, say
        self._warm = False

    def ours(self, scenario, workers):
        """The Cost of one run of this package."""
        words = {"nb-processes": workers, "hide-progress-bar": True}
        command = processes.own_command()
        return self._run(command, scenario, "ours", words, processes.own_environment())

    def reference(self, scenario, workers):
        """The Cost of one run of the reference."""
        python = Path(self.options.reference)
        command = [str(python.with_name("region-grower"))]
        words = {"nb-processes": workers, "hide-progress-bar": True}
        return self._run(command, scenario, "reference", words, None, self.options.budget)

    def _run(self, command, scenario, name, words, environment, timeout=None):
        out = self.scratch / f"out_{name}"
        shutil.rmtree(out, ignore_errors=True)
        out.mkdir(parents=True)
        command = [*command, *scenario.arguments(out, **words)]
        log = self.scratch / f"{name}.log"
        return processes.run(command, log, environment, timeout, scenario.folder)

    def median(self, scenario, workers, rounds=None):
        """The median run of several of this package, after the kernels have been compiled."""
        if not self._warm:
            self._warm = True
            self.ours(with_cells(scenario, START_CELLS, self.scratch), 0)
        rounds = rounds or self.options.rounds
        return median_cost([self.ours(scenario, workers) for _ in range(rounds)])

    def sizes(self, scenario, sizes):
        """Runs of several sizes, of both packages in turn."""
        workers, results, theirs = self.options.workers, [], {}
        for size in sorted(sizes):
            sized = with_cells(scenario, size, self.scratch)
            cost = self.median(sized, workers, 1 if size > 1000 else None)
            result = {"what": scenario.name, "cells": size, "workers": workers, **cost.as_dict()}
            if self.options.reference:
                result |= self._compare(sized, size, theirs)
            results.append(result)
            self.say("", *report.run_lines(results[-1:]))
        self.say("", *report.run_lines(results))
        return results

    def _compare(self, scenario, size, known):
        """The reference's wall time, extrapolated where the run would exceed the budget."""
        expected = extrapolate(known, size)
        if expected is None or expected < self.options.budget:
            try:
                cost = self.reference(scenario, self.options.workers)
            except subprocess.TimeoutExpired:
                if expected is None:
                    return {}
            else:
                known[size] = (cost.wall, cost.cpu)
                return {"reference_wall": cost.wall, "reference_cpu": cost.cpu}
        return {"reference_wall": expected, "extrapolated": True}

    def scaling(self, scenario, cells):
        """The same cells with one and with more workers, beyond the start."""
        few = with_cells(scenario, START_CELLS, self.scratch)
        many = with_cells(scenario, cells, self.scratch)
        results = []
        for workers in (1, self.options.workers):
            start = self.median(few, workers)
            cost = self.median(many, workers, 1)
            per_cell = (cost.wall - start.wall) / (cells - START_CELLS)
            results.append(
                {
                    "what": "scaling",
                    "cells": cells,
                    "workers": workers,
                    **cost.as_dict(),
                    "start": start.as_dict(),
                    "wall_per_cell": per_cell,
                }
            )
        speedup = results[0]["wall_per_cell"] / results[1]["wall_per_cell"]
        self.say("", *report.run_lines(results))
        self.say(f"{speedup:.2f} times as fast with {self.options.workers} workers as with one")
        return {"runs": results, "speedup": speedup}

    def large(self, scenario, sizes):
        """Small cells in large numbers: whether the time per cell stays."""
        small, workers = with_small_cells(scenario, self.scratch), self.options.workers
        start = self.median(with_cells(small, START_CELLS, self.scratch), workers)
        results = []
        for size in sorted(sizes):
            cost = self.median(with_cells(small, size, self.scratch), workers, 1)
            more = size - START_CELLS
            results.append(
                {
                    "what": small.name,
                    "cells": size,
                    "workers": workers,
                    **cost.as_dict(),
                    "wall_per_cell": (cost.wall - start.wall) / more,
                    "cpu_per_cell": (cost.cpu - start.cpu) / more,
                }
            )
            self.say("", *report.run_lines(results[-1:]))
        rows = [(r["cells"], 1e3 * r["wall_per_cell"], 1e3 * r["cpu_per_cell"]) for r in results]
        self.say(
            "", *report.table(("cells, beyond the start", "wall ms/cell", "CPU ms/cell"), rows)
        )
        return {"start": start.as_dict(), "runs": results}


def median_cost(costs):
    """The run with the median wall time (the faster one of two in the middle)."""
    middle = statistics.median_low([cost.wall for cost in costs])
    return next(cost for cost in costs if cost.wall == middle)


def extrapolate(known, size):
    """Seconds for ``size`` cells on the line through the two largest known runs, or None.

    Args:
        known: {cells: (wall, cpu)} of runs.
        size: number of cells.
    """
    if len(known) < 2:
        return None
    (few, (first, _)), (many, (last, _)) = sorted(known.items())[-2:]
    return last + (size - many) * (last - first) / (many - few)
