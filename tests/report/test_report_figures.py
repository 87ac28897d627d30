"""Figures show what they should, are the same each time, and fit hostile or empty input."""

import matplotlib as mpl
import numpy as np
import pytest

from helpers.report_factory import (
    HOSTILE,
    cells,
    debug_file,
    debug_line,
    depth_rows,
    fit,
    pixels,
    pyramid,
    shows,
)
from region_grower_flow.morphology import APICAL_DENDRITE, BASAL_DENDRITE
from region_grower_flow.report import features, path_fits, scales, trunk_angles
from region_grower_flow.report.drawing import Morphologies, round_length
from region_grower_flow.report.lineup import UprightCell, plot_lineup
from region_grower_flow.report.profiles import plot_profiles
from region_grower_flow.report.scores import plot_score_matrix
from region_grower_flow.report.style import (
    BAD,
    FITTED,
    LAYER_FILLS,
    NEURITE_COLORS,
    REFERENCE,
    SYNTHESIZED,
    image,
    new_figure,
    shorten,
)
from region_grower_flow.report.violins import density, finite, plot_violins

LAYERS = ((1, 0.0, 60.0), ("SP", 60.0, 150.0))
HEAD = 60
"""Pixels of a figure's title and legend, in which both populations have their colors anyway."""
EXACT = 0.01
"""Tolerance for light colors, which are close to white."""
BASAL, APICAL = NEURITE_COLORS[BASAL_DENDRITE], NEURITE_COLORS[APICAL_DENDRITE]


def lineup(count=3, **options):
    shown = [UprightCell(f"cell {i}", pyramid(10 + i), 80.0, LAYERS) for i in range(count)]
    return plot_lineup(shown, HOSTILE, **options)


def violins(values=None):
    rng = np.random.default_rng(0)
    values = values or {"reference": rng.normal(size=12), "synthesized": rng.normal(size=40)}
    return plot_violins([("basal dendrite", "total length (µm)", values)], HOSTILE)


def score_figure(mtypes=("A", HOSTILE)):
    rows = [
        features.score_row(mtype, "basal_dendrite", name, (9, 20), score)
        for mtype in mtypes
        for name, score in (("tips", (0.3, 0.2)), ("area", (0.02, 0.2)), ("trees", (None, None)))
    ]
    return plot_score_matrix(rows)


def scale_figure(tmp_path):
    lines = [debug_line(i, "A", target=[0.5 + i / 10], limits=[0.1]) for i in range(8)]
    return scales.plot_scales(*scales.read_scales(debug_file(tmp_path / "d.jsonl", lines)))


def trunk_figure():
    shown = cells([10.0, 12.0])
    panels = trunk_angles.trunk_panels(shown, shown, ["basal_dendrite"], None, seed=0)
    return trunk_angles.plot_trunk_angles(panels, HOSTILE)


def test_a_lineup_shows_cells_in_their_layers():
    picture = pixels(lineup())
    for color in (BASAL, APICAL):
        assert shows(picture, color)
    for color in LAYER_FILLS:
        assert shows(picture, color, 200, EXACT)


def test_a_lineup_in_vacuum_has_no_layers():
    picture = pixels(lineup(in_atlas=False))
    assert shows(picture, APICAL)
    assert not shows(picture, LAYER_FILLS[1], 20, EXACT)


def test_all_rows_of_a_lineup_have_one_scale_and_bar():
    cells = [UprightCell(str(size), pyramid(size)) for size in (50, 60, 12)]
    figure = plot_lineup(cells, in_atlas=False, most_in_row=2)
    (bar,) = figure.artists
    (words,) = {text.get_text() for text in figure.texts}
    start, end = figure.transFigure.transform(bar.get_xydata())
    for axes in figure.axes:
        (left, _), (right, _) = axes.transData.transform([(0, 0), (float(words.split()[0]), 0)])
        assert end[0] - start[0] == pytest.approx(right - left, rel=0.01)
        below = axes.get_tightbbox(figure.canvas.get_renderer()).ymin
        assert start[1] < below, "the bar is below all cells and their labels"
    assert len(figure.axes) == 2


def test_upright_cells_have_the_pia_above():
    picture = pixels(lineup(1))
    rows = [
        np.flatnonzero((np.abs(picture[:-30] - mpl.colors.to_rgb(color)).max(-1) < 0.2).any(1))
        for color in (APICAL, BASAL)
    ]
    assert rows[0].mean() < rows[1].mean()


def test_violins_show_both_populations():
    picture = pixels(violins())[HEAD:]
    assert shows(picture, REFERENCE)
    assert shows(picture, SYNTHESIZED)


@pytest.mark.parametrize(
    "values",
    [
        {"reference": [0.0] * 9, "synthesized": [0.0] * 20},
        {"reference": [1.0], "synthesized": []},
        {"reference": [float("nan")] * 4, "synthesized": [2.0] * 9},
        {},
    ],
)
def test_violins_of_odd_values_are_drawn(values):
    assert pixels(violins(values)).std() > 0


def test_violins_do_not_leave_the_values():
    values = finite([0.0, 0.0, 1.0, 5.0, float("nan"), 2.0])
    heights, widths = density(values)
    assert (heights[0], heights[-1]) == (0.0, 5.0)
    assert widths.max() == 1.0
    assert density(finite([3.0] * 9)) is None


def test_scores_above_their_limit_are_framed():
    assert shows(pixels(score_figure()), BAD)
    many = score_figure([f"mtype {i}" for i in range(40)])
    assert shows(pixels(many), BAD)


def test_profiles_show_both_populations_and_layers():
    rows = [{k: v for k, v in row.items() if k != "part"} for row in depth_rows("full", "A")]
    picture = pixels(plot_profiles(rows, "A", LAYERS))
    assert shows(picture, SYNTHESIZED)
    assert shows(picture, LAYER_FILLS[0], 200, EXACT)
    without = [{**row, "reference": None} for row in rows]
    assert shows(pixels(plot_profiles(without, "A", in_atlas=False)), SYNTHESIZED)


def test_a_layer_that_is_seen_in_part_has_its_name():
    rows = [{k: v for k, v in row.items() if k != "part"} for row in depth_rows("full", "A")]
    axes = plot_profiles(rows, "A", (*LAYERS, ("deep", 150.0, 900.0))).axes[0]
    bottom, top = axes.get_ylim()
    assert (bottom, top) == (300.0, 0.0)
    places = {text.get_text(): text.xy[1] for text in axes.texts}
    assert places == {"L1": 30.0, "SP": 105.0, "deep": 225.0}


def test_path_fits_show_line_outliers_and_cells():
    picture = pixels(path_fits.plot_path_fits({"apical_dendrite": fit()}, HOSTILE))
    # The residuals below have a line of the same color.
    assert shows(picture[: len(picture) // 2], FITTED)
    assert shows(picture, BAD, 5)
    assert shows(picture, REFERENCE, 5)
    assert pixels(path_fits.plot_path_fits({"basal_dendrite": fit(slope=None)}, "A")).std() > 0


def test_scales_show_removed_trees(tmp_path):
    picture = pixels(scale_figure(tmp_path))
    assert shows(picture, BAD, 10)
    assert shows(picture, REFERENCE)


def test_trunk_angles_show_both_populations():
    picture = pixels(trunk_figure())
    assert shows(picture, SYNTHESIZED)


def test_empty_input_is_a_sentence_not_an_error():
    figures = [
        plot_lineup([]),
        plot_violins([], "A"),
        plot_score_matrix([]),
        plot_profiles([], "A"),
        path_fits.plot_path_fits({}, "A"),
        scales.plot_scales([], {}),
        trunk_angles.plot_trunk_angles([], "A"),
    ]
    for figure in figures:
        assert any(text.get_text().strip() for axes in figure.axes for text in axes.texts)


@pytest.mark.slow
def test_figures_are_the_same_each_time(tmp_path):
    for make in (lineup, violins, score_figure, trunk_figure, lambda: scale_figure(tmp_path)):
        assert image(make(), "png", 50) == image(make(), "png", 50)
    assert image(violins(), "svg") == image(violins(), "svg")
    assert b"<dc:date>" not in image(violins(), "svg")


def test_a_users_matplotlib_settings_change_nothing():
    before = image(violins(), "png", 50)
    with mpl.rc_context({"text.usetex": True, "font.size": 30, "axes.facecolor": "black"}):
        assert image(violins(), "png", 50) == before
        assert mpl.rcParams["font.size"] == 30


def test_no_global_figures_are_left():
    import sys

    lineup()
    assert (
        "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()
    )


def test_lines_are_as_wide_as_neurites():
    figure = new_figure(4, 4, layout=None)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_aspect("equal")
    axes.set_xlim(-36, 36)
    axes.set_ylim(-36, 36)
    shown = Morphologies()
    shown.add(pyramid(5.0))
    shown.draw(axes)
    # 4 inches of 72 points for 72 um: 4 points per um, and diameters of 1 um.
    widths = {width for lines in axes.collections[:2] for width in lines.get_linewidths()}
    assert list(widths) == pytest.approx([4.0])
    assert shown.kinds() == [BASAL_DENDRITE, APICAL_DENDRITE]
    assert shown.bounds == pytest.approx((-5.0, -15.0, 5.0, 35.0))


def test_somata_and_bars_of_length():
    assert pyramid().soma_radius == pytest.approx(5.0)
    assert [round_length(x) for x in (1.0, 4.9, 99, 200, 730)] == [1, 2, 50, 200, 500]
    assert shorten("abcdefghij", 5) == "ab…ij"
    assert shorten("abc", 5) == "abc"
    assert shorten("a\u202eb") == "a\\u202eb"
