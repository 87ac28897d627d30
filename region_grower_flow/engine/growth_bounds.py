"""Bounds of growth: what would take all memory, or for ever, is refused before any work.

Functions for :mod:`region_grower_flow.engine.growth_checks`; ``report`` collects the problems.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from region_grower_flow.engine.check_report import ProblemReport
    from region_grower_flow.engine.model import Params

MAX_TREES = 10_000
"""Trees of one type that no cell has."""
MAX_SOMA = 1e4
"""Radius of a soma (um) that no cell has."""
MAX_STEPS = 100_000_000
"""Steps of all trees of one type in a cell: gigabytes, where a large axon has some millions."""


def check_soma_bounds(mean: float, report: ProblemReport) -> None:
    """The mean radius of the soma (um)."""
    if mean > MAX_SOMA:
        keys = ("soma", "size", "norm", "mean")
        report.distribution(keys, f"expected at most {MAX_SOMA:g} um, not {mean:g}")


def check_tree_numbers(kind: str, counts: Mapping[str, Any], report: ProblemReport) -> None:
    """The bins of the distribution of the number of trees."""
    keys = (kind, "num_trees", "data", "bins")
    if max(counts["bins"], default=0) > MAX_TREES:
        report.distribution(keys, f"expected at most {MAX_TREES} trees")
    elif min(counts["bins"], default=0) < 0:
        report.distribution(keys, "expected numbers of trees from 0 on")


def check_steps(kind: str, neurite: Params, drawn: Params, report: ProblemReport) -> None:
    """The steps that a cell may need: its barcodes are as long as the cell's trees may get.

    Growth by layers scales barcodes, mostly down; ``cell_timeout`` ends what grows for too long.
    """
    barcodes = drawn.get("persistence_diagram")
    if report.problems or not isinstance(barcodes, list):
        return
    step = neurite["step_size"]["norm"]
    # A step is what is left of a normal draw above zero: about its spread where the mean is 0.
    length = max(step["mean"], step["std"])
    longest = max(float(np.ptp(np.array(bars)[:, :2], axis=1).sum()) for bars in barcodes)
    trees = max(drawn["num_trees"]["data"]["bins"], default=0)
    steps = trees * longest / length
    if steps > MAX_STEPS:
        report.parameter(
            (kind, "step_size", "norm", "mean"),
            f"{trees:g} trees of {longest:g} um in steps of {length:g} um are {steps:.1e} steps, "
            f"more than {MAX_STEPS:.0e}",
        )
