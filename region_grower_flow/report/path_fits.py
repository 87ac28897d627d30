"""Path distances against extents: the reference, the fitted line, what it leaves over, the cells.

The extent (um) is how far a dendrite rises towards the pia, the path distance (um) how long the way
to its farthest tip is. Synthesis knows the extent that a cell needs to reach its target, and takes
the path distance from the line.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from region_grower_flow.report import style
from region_grower_flow.report.names import TableRow

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = ("mtype", "neurite_type", "population", "tree", "extent_um", "path_distance_um",
           "used", "residual_um")  # fmt: skip
FIT_COLUMNS = ("mtype", "neurite_type", "slope", "intercept", "n_trees", "n_used", "r2",
               "rms_residual", "slope_in_parameters", "n_synthesized",
               "rms_residual_synthesized")  # fmt: skip
_SIZE = (3.7, 4.6)

Fit: TypeAlias = Mapping[str, Any]
"""A fit and its data, see :func:`plot_path_fits`."""


@style.styled
def plot_path_fits(fits: Mapping[str, Fit], title: str) -> Figure:
    """A figure with two panels per neurite type: the fit, and its residuals.

    Args:
        fits: {neurite type: dict}: ``extents``, ``path_distances``, ``used``, ``slope``, ``r2`` of
            the reference; ``synthesized`` [(extent, path distance)]; ``slope_in_parameters``, the
            slope that synthesis took when it is another, or None.
        title: of the figure.

    Returns:
        matplotlib Figure.
    """
    shown = {kind: fit for kind, fit in fits.items() if len(fit["extents"])}
    figure = style.new_figure(_SIZE[0] * max(len(shown), 1) + 0.4, _SIZE[1])
    figure.suptitle(style.shorten(title, 50), x=0.01, ha="left", weight="bold")
    if not shown:
        style.say(figure.add_subplot(), "no reference tree to fit")
        return figure
    panels = figure.subplots(2, len(shown), height_ratios=(3, 1.1), sharex="col", squeeze=False)
    for column, (kind, fit) in enumerate(shown.items()):
        upper, lower = panels[:, column]
        _fit_panel(upper, fit)
        _residual_panel(lower, fit)
        upper.set_title(kind.replace("_", " "), weight="normal")
        lower.set_xlabel("extent towards the pia (µm)")
    panels[0, 0].set_ylabel("path distance (µm)")
    panels[1, 0].set_ylabel("residual (µm)")
    return figure


def _columns(fit: Fit) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    extents, paths = np.array(fit["extents"], float), np.array(fit["path_distances"], float)
    synthesized = np.array(fit.get("synthesized") or [], float).reshape(-1, 2)
    return extents, paths, np.array(fit["used"], bool), synthesized


def _fit_panel(axes: Axes, fit: Fit) -> None:
    extents, paths, used, synthesized = _columns(fit)
    axes.plot(extents[used], paths[used], "o", color=style.REFERENCE, ms=4, mew=0, alpha=0.85,
              label=f"reference ({used.sum()})")  # fmt: skip
    if (~used).any():
        axes.plot(extents[~used], paths[~used], "x", color=style.BAD, ms=5,
                  label=f"outliers, not fitted ({(~used).sum()})")  # fmt: skip
    if len(synthesized):
        axes.plot(*synthesized.T, "o", color=style.SYNTHESIZED, ms=3, mew=0, alpha=0.75,
                  label=f"synthesized ({len(synthesized)})", zorder=1.5)  # fmt: skip
    end = max([*extents, *synthesized[:, 0], 1.0]) * 1.04
    if fit["slope"] is not None:
        label = f"{fit['slope']:.3f} \u00d7 extent{_explained(fit.get('r2'))}"
        axes.plot([0, end], [0, end * fit["slope"]], color=style.FITTED, label=label)
    other = fit.get("slope_in_parameters")
    if other is not None and (fit["slope"] is None or abs(other - fit["slope"]) > 1e-9):
        axes.plot([0, end], [0, end * other], color=style.MUTED, ls="--",
                  label=f"{other:.3f} \u00d7 extent, in the parameters")  # fmt: skip
    axes.set_xlim(0, end)
    axes.set_ylim(0, None)
    axes.legend(loc="upper left", fontsize=7.5)
    style.bare(axes)


def _explained(r2: float | None) -> str:
    """R2 in words; how far below 0 it is says nothing."""
    if r2 is None:
        return ""
    return f", R² {r2:.2f}" if r2 >= 0 else ", R² below 0"


def _residual_panel(axes: Axes, fit: Fit) -> None:
    extents, paths, used, synthesized = _columns(fit)
    axes.axhline(0, color=style.FITTED, lw=1)
    slope = fit["slope"] if fit["slope"] is not None else np.nan
    left = paths - slope * extents
    axes.plot(extents[used], left[used], "o", color=style.REFERENCE, ms=3, mew=0)
    axes.plot(extents[~used], left[~used], "x", color=style.BAD, ms=4)
    if len(synthesized):
        rest = synthesized[:, 1] - slope * synthesized[:, 0]
        axes.plot(synthesized[:, 0], rest, "o", color=style.SYNTHESIZED, ms=2.4, mew=0, alpha=0.75)
    style.bare(axes)


def fit_rows(mtype: str, fits: Mapping[str, Fit]) -> tuple[list[TableRow], list[TableRow]]:
    """(rows of COLUMNS, rows of FIT_COLUMNS) of an mtype's fits, see :func:`plot_path_fits`."""
    trees, lines = [], []
    for kind, fit in fits.items():
        about = {"mtype": mtype, "neurite_type": kind}
        extents, paths, used, synthesized = _columns(fit)
        slope = np.nan if fit["slope"] is None else fit["slope"]
        for i, (x, y) in enumerate(zip(extents, paths, strict=True)):
            trees.append({**about, "population": "reference", "tree": i, "extent_um": x,
                          "path_distance_um": y, "used": bool(used[i]),
                          "residual_um": y - slope * x})  # fmt: skip
        for i, (x, y) in enumerate(synthesized):
            trees.append({**about, "population": "synthesized", "tree": i, "extent_um": x,
                          "path_distance_um": y, "used": None,
                          "residual_um": y - slope * x})  # fmt: skip
        rest = synthesized[:, 1] - slope * synthesized[:, 0]
        known = ("slope", "intercept", "n_trees", "n_used", "r2", "rms_residual")
        lines.append(
            {
                **about,
                **{name: fit.get(name) for name in known},
                "slope_in_parameters": fit.get("slope_in_parameters"),
                "n_synthesized": len(synthesized),
                "rms_residual_synthesized": (
                    float(np.sqrt(np.mean(rest**2))) if len(rest) and np.isfinite(slope) else None
                ),
            }
        )
    return trees, lines
