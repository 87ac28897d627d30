"""Make the pictures that explain growth, from the example that ``make synthesize`` has grown.

``make pictures`` runs it in the checkout, after ``make_pictures.py``.
"""

import io
import sys
from copy import deepcopy

import numpy as np
from PIL import Image

from make_pictures import rows_picture, save
from region_grower_flow.calibration.growth_cells import Grower, read_centered
from region_grower_flow.calibration.growth_stage import default_distributions
from region_grower_flow.calibration.growth_values import NONE
from region_grower_flow.report import style
from region_grower_flow.report.run_page.mtypes import draw_rows
from region_grower_flow.tasks.base import load_json_output
from region_grower_flow.tasks.distributions import ExtractDistributions
from region_grower_flow.tasks.merge import SynthesizeMorphologies
from region_grower_flow.tasks.models import model_paths
from region_grower_flow.tasks.parameters import BuildParameters
from region_grower_flow.tasks.reconstructions import prepared_dataset

MTYPE, LEVERED, SEED = "L5_TPC:A", "L23_BTC", 5
APICAL, BASAL = 4, 3
GREY, INK, BLUE, ORANGE = "#9aa5b1", "#1f2933", "#0072b2", "#d55e00"

OWNERS = {"owner_exponent": 0.6}
ANGLES = {"angles": "measured"}
LEVERS = (
    ("angles: measured", {}, ANGLES),
    ("fresh_start: true (both with angles)", ANGLES, {"fresh_start": True}),
    ("angle_scale: 1.4 (both with angles)", ANGLES, {"angle_scale": 1.4}),
    ("owner_exponent: 2", {}, {"owner_exponent": 2.0}),
    ("owner_fidelity: 1 (with owner_exponent)", {}, {**OWNERS, "owner_fidelity": 1.0}),
    ("heading: 1 (both with angles)", {**ANGLES, **OWNERS}, {"heading": 1.0}),
    ("wander: 0.3, wander_length: 25", {}, {"wander": 0.3, "wander_length": 25.0}),
    ("randomness_spread: 0.6", {}, {"randomness_spread": 0.6}),
    ("trunks: measured", {}, {"trunks": "measured"}),
    ("diameters: measured (both with owners)", OWNERS, {"diameters": "measured"}),
    ("stretch: [1.5, 1, 1]", {}, {"stretch": [1.5, 1.0, 1.0]}),
)
"""Levers of a neurite type, stronger than usual where the eye would else miss them."""


def webp(figure):
    """A matplotlib figure as a picture."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=200)
    return Image.open(buffer).convert("RGB")


def lines_of(cell, kind):
    """[(n, 2) points, (n,) path distances from the soma] of the sections of a neurite type."""
    ends, found = {}, []
    for i in np.flatnonzero(cell.types == kind):
        points = cell.points[cell.offsets[i] : cell.offsets[i + 1]].astype(float)
        steps = np.linalg.norm(np.diff(points, axis=0), axis=1)
        start = ends.get(int(cell.parents[i]), 0.0)
        paths = start + np.concatenate([[0.0], np.cumsum(steps)])
        ends[i] = paths[-1]
        found.append((points[:, :2], paths))
    return found


def draw_by_path(axes, cell, kind, most):
    """A tree whose color tells the path distance from the soma."""
    from matplotlib.collections import LineCollection

    for points, paths in lines_of(cell, kind):
        pieces = np.stack([points[:-1], points[1:]], axis=1)
        axes.add_collection(
            LineCollection(pieces, array=paths[:-1], cmap="viridis_r", clim=(0, most), lw=1.1)
        )
    axes.plot(0, 0, "o", color=INK, ms=5)
    axes.set_aspect("equal")
    axes.autoscale_view()
    axes.set_axis_off()


def draw_bars(axes, bars, most):
    """A barcode, the longest bar at the bottom, with the colors of the trees."""
    from matplotlib.collections import LineCollection

    bars = sorted((sorted(bar[:2]) for bar in bars), key=lambda bar: bar[0] - bar[1])
    for row, (low, high) in enumerate(bars):
        along = np.linspace(low, high, 40)
        points = np.column_stack([along, np.full(40, row)])
        pieces = np.stack([points[:-1], points[1:]], axis=1)
        axes.add_collection(
            LineCollection(pieces, array=along[:-1], cmap="viridis_r", clim=(0, most), lw=2)
        )
    axes.set_xlim(0, most)
    axes.set_ylim(-1, len(bars))
    axes.set_yticks([])
    axes.set_xlabel("path distance from the soma (µm)")
    style.bare(axes)
    axes.spines["left"].set_visible(False)


@style.styled
def barcode_picture(cell, code, grown):
    """A reconstructed apical dendrite, its barcode, and dendrites grown from that barcode."""
    most = max(max(bar[:2]) for bar in code)
    figure = style.new_figure(9.0, 4.2)
    panels = figure.subplots(1, 2 + len(grown), width_ratios=[1, 1.5, *[1] * len(grown)])
    draw_by_path(panels[0], cell, APICAL, most)
    draw_bars(panels[1], code, most)
    titles = ["reconstruction", "its barcode", *(["grown from it"] * len(grown))]
    for axes, morphology in zip(panels[2:], grown, strict=True):
        draw_by_path(axes, morphology, APICAL, most)
    trees = [panels[0], *panels[2:]]
    low, high = min(a.get_ylim()[0] for a in trees), max(a.get_ylim()[1] for a in trees)
    for axes in trees:
        axes.set_ylim(low, high)
        axes.set_xlim(-260, 260)
    for axes, title in zip(panels, titles, strict=True):
        axes.set_title(title, fontsize=9.5)
    return webp(figure)


@style.styled
def step_picture():
    """The next step of a section: target, history and a random vector, by their weights."""
    rng = np.random.default_rng(4)
    figure = style.new_figure(7.0, 2.6)
    panels = figure.subplots(1, 2, width_ratios=[1, 1])
    history = np.cumsum(rng.normal([1.0, 0.25], 0.22, (7, 2)), axis=0)
    here = history[-1]
    parts = (
        ("targeting times target", np.array([0.75, 1.1]), BLUE),
        ("history times mean of the last five", (history[-1] - history[-6]) / 5 * 0.7, GREY),
        ("randomness times random", np.array([0.45, -0.8]), ORANGE),
    )
    axes = panels[0]
    axes.plot(*history.T, "o-", color=INK, ms=3.5, lw=1.2)
    start = here
    for name, vector, color in parts:
        axes.annotate("", start + vector, start, arrowprops={"arrowstyle": "->", "color": color,
                                                             "lw": 1.8})  # fmt: skip
        axes.plot([], [], color=color, lw=2, label=name)
        start = start + vector
    axes.annotate("", start, here, arrowprops={"arrowstyle": "->", "color": INK, "lw": 1.4,
                                              "ls": "--"})  # fmt: skip
    axes.plot([], [], color=INK, lw=1.4, ls="--", label="direction of the next step")
    axes.plot(*np.array([here, start]).T, alpha=0)
    axes.legend(fontsize=7.5, loc="upper left", frameon=False)
    axes.set_ylim(history[:, 1].min() - 0.5, start[1] + 2.6)
    axes.set_title("one step", fontsize=9.5)
    for number, (randomness, color) in enumerate(((0.1, BLUE), (0.3, INK), (0.45, ORANGE))):
        path, last = [np.zeros(2)], [np.array([1.0, 0.0])] * 5
        for _ in range(160):
            noise = rng.normal(size=2)
            step = randomness * noise / np.linalg.norm(noise) + 0.15 * np.array([1.0, 0.0])
            step = step + (0.85 - randomness) * np.mean(last, axis=0)
            step /= np.linalg.norm(step)
            last = [*last[1:], step]
            path.append(path[-1] + step)
        path = np.array(path)
        panels[1].plot(path[:, 0], path[:, 1] - 40 * number, color=color, lw=1.2)
        panels[1].text(-6, -40 * number, f"{randomness}", fontsize=8, color=color, ha="right")
    panels[1].set_title("160 steps, by randomness", fontsize=9.5)
    for axes in panels:
        axes.set_aspect("equal")
        axes.set_axis_off()
    return webp(figure)


def draw_cell(axes, cell, left):
    """The basal dendrites of a cell at a place, as thick as they are; its width (um)."""
    from matplotlib.collections import LineCollection

    lines = [points for points, _ in lines_of(cell, BASAL)]
    low = min(points[:, 0].min() for points in lines)
    high = max(points[:, 0].max() for points in lines)
    shift = np.array([left - low, 0.0])
    mine = np.flatnonzero(cell.types == BASAL)
    widths = [cell.diameters[cell.offsets[i] : cell.offsets[i + 1]].mean() for i in mine]
    axes.add_collection(
        LineCollection([p + shift for p in lines], colors=INK, capstyle="round",
                       linewidths=0.6 * np.array(widths))
    )  # fmt: skip
    axes.plot(*shift, "o", color=INK, ms=3.5)
    return high - low


@style.styled
def levers_picture(pairs):
    """Cells of one seed, without and with each lever.

    Args:
        pairs: [(title, [cell] without the lever, [cell] of the same seed with it)].
    """
    figure = style.new_figure(9.0, 2.0 * -(-len(pairs) // 3))
    panels = figure.subplots(-(-len(pairs) // 3), 3, squeeze=False).ravel()
    for axes, (title, without, levered) in zip(panels, pairs, strict=False):
        left = 0.0
        for name, cells in (("without", without), ("with", levered)):
            begin = left
            for cell in cells:
                left += draw_cell(axes, cell, left) + 40.0
            axes.text((begin + left) / 2, -320, name, ha="center", fontsize=7.5, color="#52606d")
            left += 70.0
        axes.set_title(title, fontsize=9)
        axes.set_xlim(-20, max(left - 70, 800))
        axes.set_ylim(-330, 270)
        axes.set_aspect("equal")
    for axes in panels:
        axes.set_axis_off()
    return webp(figure)


def calibrated_picture(task):
    """Reconstructions, cells of NeuroTS's own parameters, and cells with calibrated growth."""
    params, distributions = model(task, MTYPE)
    calibrated = load_json_output(model_paths(task)["parameters"])[task.region][MTYPE]
    calibrated.pop("context_constraints", None)
    cells = [read_centered(cell.path) for cell in prepared_dataset(task).mtypes[MTYPE]]
    rows = [
        ("Reconstructions", cells[:6]),
        ("growth_calibration = none", grown(params, default_distributions(distributions), 6, SEED)),
        ("growth_calibration = extended", grown(calibrated, distributions, 6, SEED)),
    ]
    return rows_picture([MTYPE], draw_rows(rows))


def grown(params, distributions, count, seed):
    """FlatMorphologies of an mtype."""
    return Grower(params, distributions, NONE).grow({}, count, seed)


def main():
    """Draw the pictures."""
    task = SynthesizeMorphologies()
    if task.manifest() is None:
        sys.exit("The example has not been grown: make synthesize")
    params, distributions = model(task, MTYPE)
    cells = [read_centered(cell.path) for cell in prepared_dataset(task).mtypes[MTYPE]]
    code = distributions["apical_dendrite"]["persistence_diagram"][0]
    alone = deepcopy(distributions)
    alone["apical_dendrite"]["persistence_diagram"] = [code]
    plain = grown(params, default_distributions(alone), 3, 1)
    save(barcode_picture(cells[0], code, plain), "barcode.webp")
    save(step_picture(), "step.webp")
    save(calibrated_picture(task), "calibrated.webp")
    params, distributions = model(task, LEVERED)
    params = {**params, "grow_types": ["basal_dendrite"]}

    def with_levers(levers):
        own = {**params, "growth_levers": {"basal_dendrite": levers}}
        return grown(own, distributions, 2, SEED)[1:]

    pairs = [(title, with_levers(one), with_levers({**one, **more})) for title, one, more in LEVERS]
    save(levers_picture(pairs), "levers.webp")


def model(task, mtype):
    """(parameters, distributions) of an mtype before its growth is calibrated."""
    stages = map(task.clone, (BuildParameters, ExtractDistributions))
    params, distributions = (load_json_output(s.path)[task.region][mtype] for s in stages)
    return {k: v for k, v in params.items() if k != "context_constraints"}, distributions


if __name__ == "__main__":
    main()
