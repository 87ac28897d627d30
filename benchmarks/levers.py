"""The cost of growth with levers: CPU of a cell with them against one without, in one process.

Both grow from the same barcodes, those of all trees of a population's half, as the judge deals
it; in turn, so that a machine with other work slows both.
"""

import json
import statistics
import time

from benchmarks import judge

CELLS, ROUNDS = 100, 5


def measure(options, scratch, say):
    """The part ``levers`` of the command: each population, its first split."""
    found = []
    for name in options.populations or judge.POPULATIONS:
        first, _ = judge.halves(judge.population(options.data, name), options.splits[0])
        place = scratch / f"levers_{name}"
        judge.grow(first, place, name, 1, ["--growth-calibration", "extended", *options.option])
        found.append({"population": name, **race(place / "work", name)})
        say(line(found[-1]))
    return found


def race(work, mtype):
    """{"plain", "levers": ms of CPU a cell and us a point, "ratio": of cells, of points}."""
    from region_grower_flow.calibration.growth_cells import Grower
    from region_grower_flow.calibration.growth_values import NONE

    distributions = _entry(work / "tmd_distributions.json", mtype)
    growers = {
        "plain": Grower(_entry(work / "tmd_parameters.json", mtype), distributions, NONE),
        "levers": Grower(
            _entry(work / "tmd_parameters_calibrated.json", mtype), distributions, NONE
        ),
    }
    costs = {name: [] for name in growers}
    for grower in growers.values():
        grower.grow({}, 5, 0)  # prepared, and kernels loaded
    for turn in range(ROUNDS):
        for name, grower in growers.items():
            start = time.process_time()
            cells = grower.grow({}, CELLS, turn + 1)
            spent = time.process_time() - start
            points = sum(len(cell.points) for cell in cells)
            costs[name].append((1e3 * spent / max(len(cells), 1), 1e6 * spent / max(points, 1)))
    medians = {
        name: [statistics.median(each) for each in zip(*rounds, strict=True)]
        for name, rounds in costs.items()
    }
    ratio = [
        levers / plain for levers, plain in zip(medians["levers"], medians["plain"], strict=True)
    ]
    return {**medians, "ratio": ratio}


def line(found):
    """A result as a line of text."""
    (plain, _), (levers, _) = found["plain"], found["levers"]
    of_cells, of_points = found["ratio"]
    return (
        f"{found['population']:>10} {plain:.2f} ms a cell, {levers:.2f} with levers: "
        f"{of_cells:.2f} times, {of_points:.2f} times a point"
    )


def _entry(path, mtype):
    return next(iter(json.loads(path.read_text(encoding="utf-8")).values()))[mtype]
