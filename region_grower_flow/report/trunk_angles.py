"""Angles of trunks: with the pia, and between trunks; reference, fitted law and synthesized.

Angles, laws and tests are those of :mod:`region_grower_flow.validation.trunks`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from region_grower_flow.report import style
from region_grower_flow.report.names import TableRow
from region_grower_flow.validation.cells import ValidationCell
from region_grower_flow.validation.results import REFERENCE, SYNTHESIZED
from region_grower_flow.validation.trunks import (
    ORIGIN,
    SOMA,
    Angle,
    angle_tests,
    angles,
    drawn_by_laws,
    known_laws,
    measured,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from region_grower_flow.validation.verdict import Verdict

COLUMNS = ("mtype", "neurite_type", "angle", "population", "cell", "radians")
SUMMARY_COLUMNS = (
    "mtype", "neurite_type", "angle", "n_reference", "n_synthesized", "median_reference",
    "median_synthesized", "median_law", "by_law", "ks", "p", "p_adjusted", "verdict",
)  # fmt: skip
SPANS = (6, 12, 30, 60, 90, 180)
"""Degrees that a panel may show, the least that holds all angles; 12 bins each."""
BINS = 12
DRAWS = 200
"""Times that the trunks of each synthesized cell are drawn from the law."""
_COLUMNS_OF_PANELS = 3
_PANEL = (3.5, 2.5)

Panel: TypeAlias = tuple[Angle, dict[str, Any]]
"""An angle, and what :func:`trunk_panels` finds of it."""


def trunk_panels(
    references: Sequence[ValidationCell],
    cells: Sequence[ValidationCell],
    kinds: Sequence[str],
    parameters: Mapping[str, Any] | None,
    seed: int,
) -> list[Panel]:
    """Contents of a figure of trunk angles.

    Args:
        references, cells: [ValidationCell].
        kinds: neurite types.
        parameters: NeuroTS's parameters of the mtype, or None.
        seed: of the draws from laws.

    Returns:
        [(Angle, {"reference": [(cell, angles)], "synthesized": the same, "law": angles or None})]
    """
    sides = measured(references, kinds, SOMA), measured(cells, kinds, ORIGIN)
    laws = known_laws(parameters, kinds)
    drawn = drawn_by_laws(sides[1], laws, DRAWS, np.random.default_rng(seed))
    panels = []
    for angle in angle_tests(kinds):
        found = {
            population: [
                (cell.name, values)
                for cell, trunks in zip(members, side, strict=True)
                if len(values := angles(trunks, angle))
            ]
            for population, members, side in (
                (REFERENCE, references, sides[0]),
                (SYNTHESIZED, cells, sides[1]),
            )
        }
        if any(found.values()):
            has_law = angle.kinds <= laws.keys()
            law = [angles(cell, angle).ravel() for cell in drawn] if has_law else []
            pooled = np.concatenate([np.empty(0), *law])
            panels.append((angle, {**found, "law": pooled if len(pooled) else None}))
    return panels


def angle_title(angle: Angle) -> str:
    """An angle in words."""
    kind = angle.kind.replace("_", " ")
    if angle.other is None:
        return f"{kind} and pia"
    if angle.other == angle.kind:
        return f"between {kind}s"
    return f"{kind} and {angle.other.replace('_', ' ')}"


@style.styled
def plot_trunk_angles(panels: Sequence[Panel], title: str) -> Figure:
    """A figure with a panel per angle; see :func:`trunk_panels`."""
    rows = max(-(-len(panels) // _COLUMNS_OF_PANELS), 1)
    columns = min(max(len(panels), 1), _COLUMNS_OF_PANELS)
    figure = style.new_figure(_PANEL[0] * columns + 0.3, _PANEL[1] * rows + 0.5)
    figure.suptitle(style.shorten(title, 20 + 20 * columns), x=0.01, ha="left", weight="bold")
    if not panels:
        style.say(figure.add_subplot(), "no cell has trunks")
        return figure
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes, (angle, values) in zip(grid.flat, panels, strict=False):
        _panel(axes, angle, values)
    for axes in grid.flat[len(panels) :]:
        axes.set_axis_off()
    for row in range(rows):
        grid[row, 0].set_ylabel("density (1/rad)")
    return figure


def _panel(axes: Axes, angle: Angle, values: dict[str, Any]) -> None:
    pooled = {name: np.degrees(pool(values[name])) for name in (REFERENCE, SYNTHESIZED)}
    greatest = max(found.max() for found in pooled.values() if len(found))
    span = next(span for span in SPANS if greatest <= span or span == SPANS[-1])
    edges = np.linspace(0, span, BINS + 1)
    for population, found in pooled.items():
        if not len(found):
            continue
        fill = population == REFERENCE
        axes.stairs(
            _density(found, edges, len(found)), edges, fill=fill, alpha=0.4 if fill else 1,
            lw=0 if fill else 1.6, color=style.POPULATION_COLORS[population],
            label=f"{population} ({len(values[population])} cells, {len(found)})",
        )  # fmt: skip
    if values["law"] is not None:
        _draw_law(axes, np.degrees(values["law"]), np.linspace(0, span, 3 * BINS + 1))
    axes.set_title(angle_title(angle), fontsize=8.5, weight="normal")
    axes.set_xlim(0, span)
    axes.set_ylim(0, axes.get_ylim()[1] * 1.35)
    axes.set_xticks(np.linspace(0, span, 5 if span == SPANS[-1] else 4))
    axes.set_xlabel("angle (°)")
    axes.legend(loc="upper right", fontsize=6.8)
    style.bare(axes)


def _draw_law(axes: Axes, law: np.ndarray, edges: np.ndarray) -> None:
    """The law as a curve; as a line across when all of it is one angle."""
    line: dict[str, Any] = {"color": style.FITTED, "lw": 1.3, "label": "fitted law"}
    if np.ptp(law) < edges[1] - edges[0]:
        axes.axvline(np.median(law), **line)
    else:
        axes.plot((edges[1:] + edges[:-1]) / 2, _density(law, edges, len(law)), **line)


def _density(degrees: np.ndarray, edges: np.ndarray, total: int) -> np.ndarray:
    """Shares of the angles per radian, in bins of degrees."""
    return np.histogram(degrees, edges)[0] / total / np.radians(edges[1] - edges[0])


def pool(values: Sequence[tuple[str, np.ndarray]]) -> np.ndarray:
    """The angles (rad) of all cells."""
    return np.concatenate([found for _, found in values]) if values else np.empty(0)


def angle_rows(mtype: str, panels: Iterable[Panel]) -> list[TableRow]:
    """Rows of COLUMNS: every angle."""
    return [
        {
            "mtype": mtype,
            "neurite_type": angle.kind,
            "angle": angle.name,
            "population": population,
            "cell": cell,
            "radians": float(value),
        }
        for angle, values in panels
        for population in (REFERENCE, SYNTHESIZED)
        for cell, found in values[population]
        for value in found
    ]


def summary_rows(
    mtype: str, panels: Iterable[Panel], verdicts: Iterable[Verdict]
) -> list[TableRow]:
    """Rows of SUMMARY_COLUMNS: numbers of cells, medians (rad), and the validation's test.

    Args:
        mtype: of the cells.
        panels: see :func:`trunk_panels`.
        verdicts: [Verdict] of ``validation.trunks.compare``.
    """
    tests = {(verdict.neurite_type, verdict.test): verdict for verdict in verdicts}
    rows = []
    for angle, values in panels:
        test = tests.get((angle.kind, angle.name))
        pooled = {name: pool(values[name]) for name in (REFERENCE, SYNTHESIZED)}
        law = values["law"]
        rows.append(
            {
                "mtype": mtype,
                "neurite_type": angle.kind,
                "angle": angle.name,
                "n_reference": len(values[REFERENCE]),
                "n_synthesized": len(values[SYNTHESIZED]),
                "median_reference": _median(pooled[REFERENCE]),
                "median_synthesized": _median(pooled[SYNTHESIZED]),
                "median_law": None if law is None else _median(law),
                "by_law": law is not None,
                "ks": None if test is None else test.statistic,
                "p": None if test is None else test.p,
                "p_adjusted": None if test is None else test.p_adjusted,
                "verdict": None if test is None else test.verdict,
            }
        )
    return rows


def _median(values: np.ndarray) -> float | None:
    return float(np.median(values)) if len(values) else None
