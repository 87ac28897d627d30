"""CPU per cell inside one process, this package against the reference, in turn."""

import contextlib
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent


class Grower:
    """A process that grows the same cells again for each round.

    Args:
        python: the interpreter.
        script: in this folder.
        request: what the script reads.
        log: a file for what the process says.
    """

    def __init__(self, python, script, request, log):
        place = Path(log).with_suffix(".json")
        place.write_text(json.dumps(request), encoding="utf-8")
        checkout = str(HERE.parent)
        environment = os.environ | one_thread()
        if python == sys.executable:
            paths = [os.environ.get("PYTHONPATH", ""), checkout]
            environment["PYTHONPATH"] = os.pathsep.join(filter(None, paths))
        self._log = Path(log)
        with open(log, "w", encoding="utf-8") as file:
            self._process = subprocess.Popen(
                [str(python), str(HERE / script), str(place)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
                env=environment,
            )
        self.start = self._answer()

    def ask(self, word="round"):
        """The answer to one line."""
        self._process.stdin.write(word + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self):
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the process has ended, see {self._log}")
        return json.loads(line)

    def close(self):
        """End the process."""
        self._process.stdin.close()
        self._process.wait()


def one_thread():
    """Environment variables that keep linear algebra to one thread."""
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS")
    return dict.fromkeys(names, "1")


def race(scenario, scratch, reference=None, rounds=3, cells=20, skip_write=False):
    """Measure one scenario.

    Args:
        scenario: a Scenario.
        scratch: a folder for outputs and logs.
        reference: the reference's Python; None to measure this package only.
        rounds: of both, in turn.
        cells: at most so many, spread evenly over the scenario's; those that are dropped are left
            out on both sides.
        skip_write: grow only.

    Returns:
        dict: seconds of CPU per cell (median of rounds of the mean over cells) of both, what the
        system took of ours, the ratio, points per second, and the profile.

    Raises:
        RuntimeError: a side has not made as many different cells as it has timed.
    """
    scratch = Path(scratch)
    scratch.mkdir(parents=True, exist_ok=True)
    rows = chosen_rows(scenario, cells)
    with contextlib.ExitStack() as stack:
        growers = {}
        for name, python in {"ours": sys.executable, "reference": reference}.items():
            if python is None:
                continue
            keywords = {**scenario.keywords(scratch / name), "skip_write": skip_write}
            request = {"keywords": keywords, "rows": rows, "skip_write": skip_write}
            script = {"ours": "own_cells.py", "reference": "reference_cells.py"}[name]
            growers[name] = Grower(python, script, request, scratch / f"{name}.log")
            stack.callback(growers[name].close)
            rows = growers["ours"].start["cells"]  # those that are dropped are left out
        answers = {name: [] for name in growers}
        for _ in range(rounds):
            for name, grower in growers.items():
                answers[name].append(grower.ask())
                check_made(scenario.name, name, answers[name][-1])
        profile = growers["ours"].ask("profile")
        start = growers["ours"].start
    return {"scenario": scenario.name, **result(answers, start), "profile": profile}


def check_made(scenario, name, answer):
    """Raise RuntimeError unless as many different cells were made as were timed."""
    timed = len(answer["seconds"])
    if answer["made"] != timed:
        raise RuntimeError(f"{scenario}, {name}: {answer['made']} cells made, {timed} timed")


def result(answers, start):
    """The figures of a race from {who: [answer of each round]}."""
    seconds = {name: [each["seconds"] for each in rounds] for name, rounds in answers.items()}
    means = {name: statistics.median(map(statistics.mean, rs)) for name, rs in seconds.items()}
    cells = len(seconds["ours"][0])
    figures = {
        "cells": cells,
        "ours": means["ours"],
        "ours_system": statistics.median(each["system"] for each in answers["ours"]) / cells,
        "points_per_cell": start["points"] / cells,
        "points_per_second": start["points"] / cells / means["ours"],
        "first_pass": start["first_pass"],
        "dropped": start["dropped"],
        "fallbacks": start["fallbacks"],
    }
    if "reference" in means:
        ratios = [
            statistics.mean(theirs) / statistics.mean(ours)
            for ours, theirs in zip(seconds["ours"], seconds["reference"], strict=True)
        ]
        figures |= {"reference": means["reference"], "ratio": statistics.median(ratios)}
        figures["ratios"] = ratios
    return figures


def chosen_rows(scenario, most):
    """Rows of at most so many cells of the scenario, spread evenly."""
    from region_grower_flow.io.ranges import count_cells

    count = count_cells(scenario.path("input-cells"))
    return sorted({int(row) for row in np.linspace(0, count - 1, min(count, most))})
