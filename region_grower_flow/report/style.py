"""Style of all figures: no global state, the same bytes each time.

Colors follow NeuroM's convention for neurite types; the two populations differ in lightness as
well as in hue, so that they can be told apart in print and by those who see fewer colors.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Literal, ParamSpec, TypeVar

from region_grower_flow.errors import printable
from region_grower_flow.io.atomic import make_folder, write_bytes_atomic
from region_grower_flow.morphology import APICAL_DENDRITE, AXON, BASAL_DENDRITE, SOMA
from region_grower_flow.options.report import DPI

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

P = ParamSpec("P")
R = TypeVar("R")

NEURITE_COLORS = {
    SOMA: "#1a1a1a",
    AXON: "#2563c9",
    BASAL_DENDRITE: "#d62f2f",
    APICAL_DENDRITE: "#8b2fc9",
}
OTHER_NEURITE = "#7a7a7a"
NEURITE_WORDS = {
    SOMA: "soma",
    AXON: "axon",
    BASAL_DENDRITE: "basal dendrite",
    APICAL_DENDRITE: "apical dendrite",
}

REFERENCE, SYNTHESIZED, FITTED = "#3d4f63", "#e8833a", "#0f8f7e"
POPULATION_COLORS = {"reference": REFERENCE, "synthesized": SYNTHESIZED}
BAD, MUTED, INK = "#b3261e", "#8a949e", "#1f2933"
LAYER_FILLS = ("#eef3f8", "#dfe9f2")
"""Colors of layers, alternating from the top down."""

_RC = {
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.0,
    "axes.titlesize": 10.0,
    "axes.labelsize": 9.0,
    "axes.edgecolor": "#6b7680",
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.titlelocation": "left",
    "axes.titleweight": "bold",
    "axes.unicode_minus": True,
    "text.color": INK,
    "text.usetex": False,
    # A "$" in an mtype would start a formula.
    "text.parse_math": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "legend.fontsize": 8.0,
    "legend.frameon": False,
    "lines.linewidth": 1.4,
    "savefig.facecolor": "white",
    "figure.facecolor": "white",
    "path.simplify": True,
    "svg.fonttype": "path",
    "svg.hashsalt": "region-grower-flow",
}


def styled(function: Callable[P, R]) -> Callable[P, R]:
    """A function that draws, or writes, in our style, whatever the user's matplotlibrc says."""

    @functools.wraps(function)
    def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        import matplotlib as mpl

        if all(mpl.rcParams[name] == value for name, value in _RC.items()):
            return function(*args, **kwargs)  # by another such function
        with mpl.rc_context():
            mpl.rcdefaults()
            mpl.rcParams.update(_RC)
            return function(*args, **kwargs)

    return wrapper


def new_figure(
    width: float, height: float, layout: Literal["constrained"] | None = "constrained"
) -> Figure:
    """An empty figure (inches) with the Agg canvas.

    matplotlib's "constrained" layout takes seconds for dozens of axes: without it (None) axes are
    placed by hand.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), layout=layout)
    FigureCanvasAgg(figure)
    return figure


@styled
def image(figure: Figure, kind: str = "png", dpi: int = DPI) -> bytes:
    """The figure as bytes of a PNG or SVG file, without dates, so that they can be compared."""
    metadata = {"svg": {"Date": None, "Creator": None}, "png": {"Software": None}}[kind]
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, dpi=dpi, metadata=metadata)
    return buffer.getvalue()


def save(figure: Figure, path: Path, dpi: int = DPI) -> Path:
    """Write a figure as the kind that the path's suffix says; raises OutputFailed."""
    make_folder(path.parent)
    write_bytes_atomic(path, image(figure, path.suffix.lstrip("."), dpi))
    return path


def bare(axes: Axes, *, left: bool = True, bottom: bool = True) -> None:
    """Take the frame off axes, and the ticks of the sides that are not asked for."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines["left"].set_visible(left)
    axes.spines["bottom"].set_visible(bottom)
    if not left:
        axes.tick_params(left=False, labelleft=False)
    if not bottom:
        axes.tick_params(bottom=False, labelbottom=False)


def say(axes: Axes, sentence: str) -> None:
    """A sentence in the place of a plot that has nothing to show."""
    axes.text(
        0.5, 0.5, sentence, color=MUTED, wrap=True, ha="center", va="center",
        transform=axes.transAxes,
    )  # fmt: skip
    bare(axes, left=False, bottom=False)


def shorten(text: object, length: int = 40) -> str:
    """A name that fits a label: its middle is left out when it is longer."""
    text = printable(text, kept="")
    if len(text) <= length:
        return text
    head = (length - 1) // 2
    return f"{text[:head]}…{text[len(text) - (length - 1 - head) :]}"
