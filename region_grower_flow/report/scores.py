"""The score matrix: the median difference over the visible spread (MVS), mtypes by features.

Against the matrix of synthesis-workflow it shows how many cells stand behind a score, and which
score such numbers of cells give by chance (the 95th percentile of the null): a score means a
difference only above that.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from region_grower_flow.report import style
from region_grower_flow.report.names import TableRow

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

TOP_OF_SCALE = 0.5
"""Score from which on the color is the darkest."""
MOST_WITH_NUMBERS = 24
"""Greatest number of mtypes with numbers in their boxes: of more they could not be read."""
BOX, SMALL_BOX = (0.62, 0.34), (0.26, 0.24)
"""Width and height (inches) of the box of a score, with numbers and without."""
COLUMNS = (
    "mtype", "neurite_type", "feature", "n_reference", "n_synthesized", "mvs", "null_95", "limit",
    "above",
)  # fmt: skip


@style.styled
def plot_score_matrix(rows: Sequence[TableRow]) -> Figure:
    """A figure of the scores.

    Args:
        rows: dicts with the keys COLUMNS: ``mvs`` None where it cannot be tested; ``null_95`` is
            the null's 95th percentile at these numbers of cells, ``limit`` what a score may be.

    Returns:
        matplotlib Figure.
    """
    mtypes = list(dict.fromkeys(row["mtype"] for row in rows))
    features = list(dict.fromkeys((row["neurite_type"], row["feature"]) for row in rows))
    if not rows:
        figure = style.new_figure(5, 2)
        style.say(figure.add_subplot(), "no feature of any mtype can be compared")
        return figure
    wide = len(mtypes) <= MOST_WITH_NUMBERS
    box = BOX if wide else SMALL_BOX
    figure = style.new_figure(3.4 + box[0] * len(mtypes) + 0.9, 2.8 + box[1] * len(features))
    axes = figure.add_subplot()
    shown = _draw(axes, rows, mtypes, features, wide)
    bar = figure.colorbar(shown, ax=axes, shrink=min(1.0, 2.4 / figure.get_figheight()), pad=0.02)
    bar.set_label("MVS", fontsize=8)
    bar.ax.tick_params(labelsize=7)
    figure.suptitle(_TITLE, x=0.01, ha="left", weight="bold")
    figure.supxlabel(_LEGEND, x=0.01, ha="left", fontsize=8, color=style.MUTED)
    return figure


_TITLE = "Median difference over visible spread (MVS)"
_LEGEND = (
    "Below each score: the 95th percentile of the null at these numbers of cells. "
    "Framed: above max(0.10, null).  ○: too few cells."
)


def _colors() -> ListedColormap:
    """Light to middle blue: red frames stay visible on it."""
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    return ListedColormap(colormaps["Blues"](np.linspace(0.02, 0.72, 128)))


def _draw(
    axes: Axes,
    rows: Sequence[TableRow],
    mtypes: Sequence[str],
    features: Sequence[tuple[str | None, str]],
    wide: bool,
) -> AxesImage:
    matrix = np.full((len(features), len(mtypes)), np.nan)
    places = {}
    for row in rows:
        place = features.index((row["neurite_type"], row["feature"])), mtypes.index(row["mtype"])
        places[place] = row
        if row["mvs"] is not None:
            matrix[place] = row["mvs"]
    shown = axes.imshow(
        np.ma.masked_invalid(matrix), cmap=_colors(), vmin=0, vmax=TOP_OF_SCALE, aspect="auto"
    )
    for place, row in places.items():
        _box(axes, place, row, wide)
    _labels(axes, rows, mtypes, features)
    return shown


def _box(axes: Axes, place: tuple[int, int], row: TableRow, wide: bool) -> None:
    from matplotlib.patches import Rectangle

    across, down = place[1], place[0]
    score = row["mvs"]
    if score is None:
        axes.text(across, down, "○", ha="center", va="center", color=style.MUTED, fontsize=7)
        return
    dark = score > 0.75 * TOP_OF_SCALE
    if wide:
        color = "white" if dark else style.INK
        axes.text(across, down - 0.14, f"{score:.2f}", ha="center", va="center", color=color,
                  fontsize=7, weight="bold" if row["above"] else "normal")  # fmt: skip
        if row["null_95"] is not None:
            axes.text(across, down + 0.26, f"{row['null_95']:.2f}", ha="center", va="center",
                      color="#eef4f9" if dark else "#3d4a55", fontsize=5.5)  # fmt: skip
    if row["above"]:
        corner = across - 0.46, down - 0.46
        axes.add_patch(Rectangle(corner, 0.92, 0.92, fill=False, edgecolor=style.BAD, lw=1.6))


def _labels(
    axes: Axes,
    rows: Sequence[TableRow],
    mtypes: Sequence[str],
    features: Sequence[tuple[str | None, str]],
) -> None:
    cells: dict[str, tuple[int, int]] = {}
    for row in rows:
        n_reference, n_synthesized = cells.get(row["mtype"], (0, 0))
        cells[row["mtype"]] = (
            max(n_reference, row["n_reference"] or 0),
            max(n_synthesized, row["n_synthesized"] or 0),
        )
    words = [f"{style.shorten(m, 24)}  ({cells[m][0]} | {cells[m][1]})" for m in mtypes]
    axes.set_xticks(range(len(mtypes)), words, rotation=60, ha="left", rotation_mode="anchor")
    axes.xaxis.tick_top()
    names = [f"{_kind(kind)}{feature.replace('_', ' ')}" for kind, feature in features]
    axes.set_yticks(range(len(features)), names)
    axes.tick_params(length=0, labelsize=7.5)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("mtype (reference | synthesized cells)", fontsize=8, color=style.MUTED)
    axes.xaxis.set_label_position("top")
    kinds = [kind for kind, _ in features]
    for i in range(1, len(kinds)):
        if kinds[i] != kinds[i - 1]:
            axes.axhline(i - 0.5, color="white", lw=3)


def _kind(neurite_type: str | None) -> str:
    return f"{neurite_type.replace('_dendrite', '')}: " if neurite_type else ""
