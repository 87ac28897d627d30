"""Scaling of cells: barcodes before growth, neurites at hard limits after it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.report import style
from region_grower_flow.report.names import TableRow
from region_grower_flow.report.violins import spread

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

KINDS = {
    "layers": "barcodes scaled to the layers' thickness",
    "target": "barcodes scaled to a target",
    "limits": "neurites scaled at hard limits",
}
"""Reasons to scale, and what they are."""
COLUMNS = ("cell", "mtype", "kind", "neurite_type", "scale", "removed")
SUMMARY_COLUMNS = (
    "mtype", "kind", "cells", "cells_scaled", "trees", "trees_scaled", "trees_removed", "minimum",
    "p05", "median", "p95", "maximum",
)  # fmt: skip
_TOLERANCE = 1e-6
_FUNCTIONS = {"default_func": "layers", "target_func": "target"}


def read_scales(path: PathLike) -> tuple[list[TableRow], dict[str, int]]:
    """The scales of all cells from a synthesis's debug data.

    Args:
        path: the JSON Lines file that ``out_debug_data`` names.

    Returns:
        (rows, cells): dicts with the keys COLUMNS, one per barcode that was scaled or tree that
        the limits changed; {mtype: number of cells that were made}.

    Raises:
        InvalidInput: the file is missing or holds something else.
    """
    rows: list[TableRow] = []
    cells: dict[str, int] = {}
    try:
        with open(path, encoding="utf-8") as file:
            for line in file:
                record = json.loads(line)
                if record["debug_infos"] is not None:
                    cells[record["mtype"]] = cells.get(record["mtype"], 0) + 1
                    rows += _rows(record)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        problem = f"the debug data cannot be read ({type(error).__name__}: {error})"
        raise InvalidInput(problem, path, "it is written with the option out_debug_data") from error
    return rows, cells


def _rows(record: Mapping[str, Any]) -> Iterator[TableRow]:
    about = {"cell": record["cell"], "mtype": record["mtype"]}
    debug = record["debug_infos"]
    for function, kind in _FUNCTIONS.items():
        for tree in debug.get("input_scaling", {}).get(function, {}).get("scaling", ()):
            scale = float(tree["scaling_ratio"])
            yield {**about, "kind": kind, "neurite_type": None, "scale": scale, "removed": False}
    for tree in debug.get("neurite_hard_limit_rescaling", ()):
        yield {
            **about,
            "kind": "limits",
            "neurite_type": tree["neurite_type"],
            "scale": float(tree["scale"]),
            "removed": bool(tree["deleted"]),
        }


def summarize_scales(rows: Sequence[TableRow], cells: Mapping[str, int]) -> list[TableRow]:
    """A row per mtype and kind of scaling, keys SUMMARY_COLUMNS.

    ``trees`` counts the barcodes that a function looked at; of hard limits it counts the trees
    that were changed, since nothing is recorded of the others.
    """
    found = []
    for mtype in sorted(cells):
        for kind in KINDS:
            mine = [row for row in rows if row["mtype"] == mtype and row["kind"] == kind]
            scales = np.array([row["scale"] for row in mine])
            changed = np.abs(scales - 1.0) > _TOLERANCE
            spans = np.percentile(scales, [0, 5, 50, 95, 100]).tolist() if mine else [None] * 5
            scaled = {row["cell"] for row, moved in zip(mine, changed, strict=True) if moved}
            found.append(
                {
                    "mtype": mtype,
                    "kind": kind,
                    "cells": cells[mtype],
                    "cells_scaled": len(scaled),
                    "trees": len(mine),
                    "trees_scaled": int(changed.sum()),
                    "trees_removed": sum(row["removed"] for row in mine),
                    **dict(zip(SUMMARY_COLUMNS[-5:], spans, strict=True)),
                }
            )
    return found


@style.styled
def plot_scales(rows: Sequence[TableRow], cells: Mapping[str, int]) -> Figure:
    """A figure with a panel per kind of scaling, a line per mtype.

    Args:
        rows, cells: see :func:`read_scales`.

    Returns:
        matplotlib Figure.
    """
    mtypes = sorted(cells)
    figure = style.new_figure(11.5, max(0.27 * len(mtypes) + 1.5, 2.4))
    figure.suptitle("Scales applied", x=0.01, ha="left", weight="bold")
    if not mtypes:
        style.say(figure.add_subplot(), "no cell was made with debug data")
        return figure
    panels = figure.subplots(1, len(KINDS), sharey=True)
    for axes, (kind, words) in zip(panels, KINDS.items(), strict=True):
        _panel(axes, [row for row in rows if row["kind"] == kind], mtypes)
        axes.set_title(words, fontsize=8.5, weight="normal")
        axes.set_xlabel("scale (1: unchanged)")
    panels[0].set_yticks(
        range(len(mtypes)), [f"{style.shorten(m, 26)} ({cells[m]})" for m in mtypes]
    )
    panels[0].set_ylim(len(mtypes) - 0.5, -0.5)
    return figure


def _panel(axes: Axes, rows: Sequence[TableRow], mtypes: Sequence[str]) -> None:
    axes.axvline(1.0, color=style.MUTED, lw=0.8, ls=":")
    for place, mtype in enumerate(mtypes):
        mine = [row for row in rows if row["mtype"] == mtype]
        kept = np.array([row["scale"] for row in mine if not row["removed"]])
        gone = np.array([row["scale"] for row in mine if row["removed"]])
        if len(kept):
            jitter = place + 0.56 * (spread(len(kept)) - 0.5)
            size = 3.0 if len(kept) < 300 else 1.5
            axes.plot(
                kept, jitter, ".", color=style.REFERENCE, alpha=0.4, ms=size, mew=0, rasterized=True
            )
            low, middle, high = np.percentile(kept, [5, 50, 95])
            axes.plot([low, high], [place, place], color=style.REFERENCE, lw=1.2)
            axes.plot([middle], [place], "|", color=style.REFERENCE, ms=9, mew=2)
        if len(gone):
            axes.plot(gone, np.full(len(gone), place), "x", color=style.BAD, ms=4)
        if not mine:
            axes.text(1.0, place, " none", fontsize=7, color=style.MUTED, va="center")
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="y", color="#eef1f4", lw=0.8)
    axes.set_axisbelow(True)
    if any(row["removed"] for row in rows):
        axes.plot([], [], "x", color=style.BAD, label="tree removed")
        axes.legend(loc="best")
    style.bare(axes, left=True)
    axes.spines["left"].set_visible(False)
