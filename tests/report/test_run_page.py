"""The page of a run: what it says is true, it is whole in one file, and a browser draws it."""

import base64
import dataclasses
import hashlib
import html
import itertools
import json
import re
from types import SimpleNamespace
from xml.etree import ElementTree

import numpy as np
import pytest

from helpers.mtype_factory import mtype_distributions, mtype_parameters
from helpers.page_reader import Page
from helpers.report_factory import HOSTILE, pyramid, summary
from helpers.run_page_parts import Stack, placed, run_report, told
from region_grower_flow.report import palette
from region_grower_flow.report.palette import looks
from region_grower_flow.report.run_page import science
from region_grower_flow.report.run_page.charts import violin_panel
from region_grower_flow.report.run_page.mtypes import (
    UNCALIBRATED,
    Row,
    draw_rows,
    feature_charts,
    grown_before,
    mtype_part,
    profile_chart,
    side_by_side,
)
from region_grower_flow.report.run_page.outline import contour_lines, outlines
from region_grower_flow.report.run_page.page import OtherPage, RunReport, run_page
from region_grower_flow.report.run_page.scene import scene
from region_grower_flow.report.run_page.section import (
    apart,
    beside,
    draw_section,
    fullest_slice,
    smooth,
)
from region_grower_flow.report.run_page.thin import kept_points, thinned
from region_grower_flow.report.run_page.timeline import timeline
from region_grower_flow.report.run_page.where import plot_depths, plot_projection
from region_grower_flow.report.run_page.words import how_to_validate
from region_grower_flow.report.units import ReportSettings, ReportUnit
from region_grower_flow.validation import morphometrics
from region_grower_flow.validation.cells import ValidationCell
from region_grower_flow.validation.morphometrics import measure

TURNED = np.array([[0.0, -1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])


# Thinning.


def test_thinned_lines_keep_their_shape():
    rng = np.random.default_rng(3)
    points = np.cumsum(rng.normal(size=(400, 3)), axis=0)
    offsets = np.array([0, 1, 3, 3, 150, 400])
    kept = kept_points(points, offsets, 2.0)
    assert 20 < kept.sum() < 250
    for start, stop in itertools.pairwise(offsets):
        if stop > start:
            assert kept[start]
            assert kept[stop - 1]
        own = np.flatnonzero(kept[start:stop]) + start
        for a, b in itertools.pairwise(own):
            chord = points[b] - points[a]
            along = np.clip((points[a:b] - points[a]) @ chord / (chord @ chord), 0, 1)
            away = points[a:b] - points[a] - along[:, None] * chord
            assert np.linalg.norm(away, axis=1).max() <= 2.0 + 1e-9


def test_a_straight_line_is_its_ends():
    points, offsets = thinned(np.linspace((0, 0), (9, 9), 10), [0, 10], 0.01)
    assert points.tolist() == [[0, 0], [9, 9]]
    assert offsets.tolist() == [0, 2]


# Colors.


def seen(color, kind):
    """A color (CIELAB) as readers of a kind see it (Machado, Oliveira and Fernandes, 2009)."""
    rgb = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    xyz = TO_XYZ @ np.clip(READERS[kind] @ linear, 0, 1) / (0.95047, 1, 1.08883)
    x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


TO_XYZ = np.array(
    [[0.41246, 0.35758, 0.18044], [0.21267, 0.71515, 0.07218], [0.01933, 0.11919, 0.95030]]
)
READERS = {
    "all colors": np.eye(3),
    "protanopia": np.array(
        [[0.15229, 1.05258, -0.20487], [0.11450, 0.78628, 0.09922], [-0.00388, -0.04812, 1.05200]]
    ),
    "deuteranopia": np.array(
        [[0.36732, 0.86065, -0.22797], [0.28009, 0.67250, 0.04741], [-0.01182, 0.04294, 0.96888]]
    ),
    "tritanopia": np.array(
        [[1.25553, -0.07675, -0.17878], [-0.07841, 0.93081, 0.14760], [0.00473, 0.69137, 0.30390]]
    ),
}


@pytest.mark.parametrize("kind", READERS)
def test_colors_are_apart_for_readers_who_see_fewer(kind):
    places = [seen(color, kind) for color in palette.COLORS]
    nearest = min(np.linalg.norm(a - b) for a, b in itertools.combinations(places, 2))
    assert nearest > 15


def test_sixty_mtypes_look_different():
    found = looks([f"m{i}" for i in range(60)])
    assert len(set(found.values())) == 60


# The scene.


def decoded(found):
    data = base64.b64decode(found["data"])
    first, count = found["points"]
    steps = np.frombuffer(data, "<i2", count, first).reshape(-1, 3)
    return steps * found["unit"] + found["origin"]


def test_a_scene_holds_the_cells_where_they_lie():
    cell = placed((1000.0, -200.0, 50.0), orientation=TURNED)
    found = scene([(cell, told(cell))])
    points = decoded(found)
    wanted = cell.morphology.points @ TURNED.T + cell.position
    # The pyramid's ends are all kept.
    assert np.allclose(points.min(axis=0), wanted.min(axis=0), atol=0.1)
    assert np.allclose(points.max(axis=0), wanted.max(axis=0), atol=0.1)
    assert found["cells"][0]["sections"] == 6
    first, count = found["counts"]
    counts = np.frombuffer(base64.b64decode(found["data"]), "<u2", count, first)
    assert counts.sum() * 3 == found["points"][1]


def test_no_cells_have_no_scene():
    assert scene([]) is None


def test_outlines_lie_on_the_boundaries_of_layers():
    found = dict(outlines(Stack(), np.eye(3), np.full(3, -600.0), np.full(3, 600.0)))
    assert list(found) == [1, 2, 3]
    top = np.concatenate(found[1])
    assert abs(top[:, 1].max() - 300) < 15
    assert abs(top[:, 1].min() - 200) < 15
    assert np.abs(top[:, [0, 2]]).max() < 515


def test_single_voxels_have_no_outline():
    mask = np.zeros((30, 30), bool)
    mask[5:20, 5:20] = mask[25, 25] = True
    assert len(contour_lines(np.arange(30.0), np.arange(30.0), mask, 0.1)) == 1


def test_a_mask_at_the_edge_has_a_closed_outline():
    (line,) = contour_lines(np.arange(5.0), np.arange(4.0), np.ones((4, 5), bool), 0.1)
    assert np.allclose(line[0], line[-1])


# The slice.


def test_the_fullest_slice_holds_the_crowd():
    rng = np.random.default_rng(0)
    crowd = np.c_[rng.uniform(0, 50, 60), rng.uniform(0, 900, 60), rng.uniform(0, 3000, 60)]
    few = np.c_[rng.uniform(400, 900, 60), rng.uniform(0, 900, 60), rng.uniform(0, 3000, 60)]
    view = fullest_slice(np.concatenate([few, crowd]), (0, 1, 0))
    assert view.holds(crowd).sum() >= 50
    assert view.holds(few).sum() <= 20


def test_a_slanted_slice_stands_on_the_layers():
    rng = np.random.default_rng(2)
    pia = np.array([1.0, 0.0, 1.0]) / np.sqrt(2)
    along, flat = np.array([0.0, 1.0, 0.0]), np.array([1.0, 0.0, -1.0]) / np.sqrt(2)
    steps = rng.uniform(-1, 1, (200, 3)) * (900, 500, 60)
    positions = 4000 + steps @ np.array([pia, along, flat])
    view = fullest_slice(positions, 0.9 * pia)
    assert np.allclose(view.frame[1], pia)
    assert abs(view.frame[2] @ flat) > 0.99  # the way in which the cells spread least
    assert np.allclose(view.frame @ view.frame.T, np.eye(3))
    assert view.holds(positions).mean() > 0.98
    assert not view.holds(positions + 200 * flat).any()
    heights = [view.project(position)[1] for position in positions]
    assert np.corrcoef(heights, positions @ pia)[0, 1] > 0.999
    assert fullest_slice(positions, 0.1 * pia).frame[1].max() == 1.0  # they point everywhere


def test_names_of_thin_layers_move_apart_and_lead_to_them():
    size = (2000, 1000)
    named = [("SLM", 1.0, 10.0), ("SP", 1.0, 50.0), ("SO", 1.0, 51.0), ("far", 60.0, 51.0)]
    moved, leaders = apart(named, size)
    assert [name for name, *_ in moved] == ["SLM", "SP", "SO", "far"]
    tops = {name: top for name, _, top in moved}
    assert tops["SLM"] == 10.0
    assert tops["far"] == 51.0
    # 13 pixels where the picture is 350 pixels wide, so 175 high.
    assert tops["SO"] - tops["SP"] >= 100 * 13 / 175 - 1e-9
    assert [line[3] for line in leaders] == [51.0]
    low, _ = apart([("A", 1.0, 99.0), ("B", 1.0, 99.5)], size)
    assert all(0 < top < 100 for *_, top in low)
    assert low[1][2] - low[0][2] >= 7


def test_names_stand_beside_their_layers_where_there_is_room():
    inside, outside = beside([("L1", 0.0, 5.0), ("SP", 40.0, 50.0)])
    assert inside == ("L1", 1.5, 5.0)
    assert outside[1] < 40 - 8


def test_layers_lose_the_stairs_of_voxels_and_keep_their_place():
    stairs = np.where(np.arange(60)[:, None] > np.arange(60) // 10 * 10, 1, -1)
    found = smooth(stairs, 5.0)
    assert set(np.unique(found)) == {-1, 1}
    assert abs((found == 1).mean() - (stairs == 1).mean()) < 0.03
    assert len(np.unique((found == 1).sum(axis=0))) > len(np.unique((stairs == 1).sum(axis=0)))
    assert smooth(stairs, 0.5) is stairs


def test_a_section_has_a_picture_without_words_and_the_words_beside():
    cells = [placed((x, 150.0, 0.0), name=f"c{x}") for x in (-40, 0, 40)]
    view = fullest_slice([cell.position for cell in cells], (0, 1, 0))
    somata = [(cell.mtype, cell.position) for cell in cells]
    found = draw_section(cells, somata, view, Stack(), looks(["L5_PC"]))
    assert found.data[:4] == b"RIFF"
    assert [name for name, *_ in found.layers] == ["L1", "L2", "L3"]
    tops = [top for *_, top in found.layers]
    assert tops == sorted(tops)
    assert "3 somata" in found.words
    share, words = found.bar
    assert 0 < share < 50
    assert words.endswith("µm")


# The verdict.


def table(count=60, slope=1.0, up=(0.0, 1.0, 0.0)):
    rng = np.random.default_rng(1)
    positions = rng.uniform(0, 290, (count, 3))
    orientations = np.tile(np.eye(3), (count, 1, 1))
    orientations[:, :, 1] = up
    return SimpleNamespace(
        positions=positions,
        orientations=orientations,
        depths=300 - slope * positions[:, 1],
        layer_counts=np.full(count, 3),
        mtypes=np.array(["L23_PC"] * count, dtype=object),
        synthesis_regions=["CTX"] * count,
        layer_names=lambda region: [1, 2, 3],
        layers_of=lambda row: [0.0, 100.0, 200.0, 300.0],
    )


def test_directions_that_agree_with_depths_are_right():
    found = science.directions(table(), np.arange(60))
    assert found.state == science.RIGHT
    assert "100 µm of depth" in found.words


def test_one_of_a_few_pairs_across_a_bend_is_no_fault(monkeypatch):
    pairs = np.column_stack([np.arange(9), np.arange(1, 10)])
    monkeypatch.setattr(science, "_near_pairs", lambda *_: pairs)
    bent = table(10)
    bent.positions[:, 1] = 40.0 * np.arange(10)
    bent.depths = 500 - bent.positions[:, 1]
    for last, expected in ((9, science.RIGHT), (8, science.NOTE)):
        bent.depths[last:] += 100.0 * np.arange(1, 11 - last)
        assert science.directions(bent, np.arange(10)).state == expected


def test_depths_of_coarse_voxels_are_compared_between_voxels():
    """Cells that are nearer than a voxel have depths that differ by none or by a whole one."""
    coarse = table(600)
    coarse.depths = 300 - 60.0 * np.round(coarse.positions[:, 1] / 60.0)
    assert science.directions(coarse, np.arange(600)).state != science.RIGHT
    assert science.directions(coarse, np.arange(600), voxel=60.0).state == science.RIGHT


def test_an_atlas_that_stands_on_its_head_is_wrong():
    found = science.directions(table(up=(0.0, -1.0, 0.0)), np.arange(60))
    assert found.state == science.WRONG


def test_directions_of_two_cells_cannot_be_told():
    assert science.directions(table(2), np.arange(2)).state == science.UNKNOWN


def test_cells_without_layers_are_not_called_right():
    flat = table()
    flat.layer_counts[:] = 0
    assert science.in_layers(flat, np.arange(60)).state == science.UNKNOWN
    flat.layer_counts[:30] = 3
    assert science.in_layers(flat, np.arange(60)).state == science.NOTE
    assert science.in_layers(table(), np.arange(60)).state == science.RIGHT


def test_somata_in_other_layers_than_their_names_are_noted():
    found = science.in_named_layers(table(), np.arange(60))
    assert found.state == science.NOTE  # a third lies in layer 1
    below = table()
    rows = np.flatnonzero(below.depths > 100)
    assert science.in_named_layers(below, rows).state == science.RIGHT
    below.mtypes[:] = "PYR"
    assert science.in_named_layers(below, rows) is None


def test_apical_dendrites_that_point_down_are_wrong():
    cell = pyramid()
    down = dataclasses.replace(cell, points=cell.points * np.float32([1, -1, 1]))
    assert science.pointing({"A": [cell]}, {"A": [cell]}).state == science.RIGHT
    assert science.pointing({"A": [cell]}, {"A": [down]}).state == science.WRONG
    assert science.pointing({}, {"A": [cell]}).state == science.UNKNOWN
    assert science.pointing({}, {}).state == science.UNKNOWN


def test_bipolar_cells_are_right_whichever_apical_dendrite_is_longer():
    cell = pyramid()
    reference = _joined(cell, _scaled(cell, -0.5))
    grown = _joined(_scaled(cell, 0.5), _scaled(cell, -1))
    found = science.pointing({"A": [reference]}, {"A": [grown]})
    assert found.state == science.RIGHT
    assert "1 of 2 grown apical dendrites point to the pia, as 1 of 2" in found.words


def _scaled(cell, factor):
    return dataclasses.replace(cell, points=cell.points * np.float32(factor))


def _joined(first, second):
    """The trees of two cells on the soma of the first."""
    arrays = {
        name: np.concatenate([getattr(first, name), getattr(second, name)])
        for name in ("points", "diameters", "types")
    }
    below = np.where(second.parents < 0, -1, second.parents + first.n_sections)
    offsets = np.concatenate([first.offsets, second.offsets[1:] + first.offsets[-1]])
    parents = np.concatenate([first.parents, below])
    return dataclasses.replace(first, offsets=offsets, parents=parents, **arrays)


class Place:
    """A cell whose target and limit are so high above its soma."""

    def __init__(self, target):
        constraint = {"extent_to_target": {"layer": 1, "fraction": 1.0}}
        self.params = {"context_constraints": {"apical_dendrite": constraint}}
        self.layers = SimpleNamespace(distance_to=lambda c: target if c else None)


def test_targets_that_are_missed_are_noted():
    cell = placed((0, 150, 0))
    reach = float(cell.morphology.points[:, 1].max() - 5.0)
    assert science.targets([(cell, Place(reach))]).state == science.RIGHT
    assert science.targets([(cell, Place(3 * reach))]).state == science.NOTE
    assert science.targets([]).state == science.UNKNOWN


def test_limits_that_are_left_are_wrong():
    cell = placed((0, 150, 0))
    place = Place(10.0)
    place.params = {"context_constraints": {"apical_dendrite": {"hard_limit_max": {"layer": 1}}}}
    assert science.limits([(cell, place)]).state == science.WRONG
    place.layers = SimpleNamespace(distance_to=lambda c: 500.0 if c else None)
    assert science.limits([(cell, place)]).state == science.RIGHT
    assert science.limits([]).state == science.UNKNOWN


def test_the_verdict_is_the_worst_and_names_what_is_not_known():
    right = science.Finding(science.RIGHT, "Cells", "")
    unknown = science.Finding(science.UNKNOWN, "Validation", "")
    wrong = science.Finding(science.WRONG, "Limits", "")
    assert science.overall([right])[0] == science.RIGHT
    state, words = science.overall([right, unknown])
    assert state == science.UNKNOWN
    assert "validation" in words
    assert science.overall([right, unknown, wrong])[0] == science.WRONG
    assert science.validated(None).state == science.UNKNOWN
    assert science.validated({"pass": 3, "no power": 1}).state == science.NOTE
    failed = science.validated({"pass": 3, "fail": 1}, ["L5_PC, pia angle"])
    assert failed.state == science.WRONG
    assert failed.words == "1 of 4 tests that decide fail: L5_PC, pia angle."


@pytest.mark.parametrize(
    ("command", "expected"),
    [
        ("region-grower-flow run my.cfg", "region-grower-flow validate my.cfg"),
        ("region-grower-flow run", "region-grower-flow validate flow.cfg"),
        (
            "region-grower-flow run --nb-processes 2 --limit=20 'my flow.cfg' --no-page",
            "region-grower-flow validate 'my flow.cfg' --limit 20",
        ),
        (
            "region-grower-flow run flow.cfg --mtypes L5_TPC:A",
            "region-grower-flow validate flow.cfg --cells-mtypes L5_TPC:A",
        ),
        (
            "luigi --module region_grower_flow SynthesizeMorphologies",
            "luigi --module region_grower_flow ValidateSynthesis --validation-dir out/validation",
        ),
        (
            "region-grower-flow synthesize-morphologies --seed 3",
            "region-grower-flow validate ... the options of this run ...",
        ),
        (None, "region-grower-flow validate ... the options of this run ..."),
    ],
)
def test_the_command_that_validates_is_that_of_the_run(command, expected):
    assert how_to_validate(command, "out/nodes.h5") == expected
    assert expected in science.validated(None, how=expected).words


@pytest.mark.parametrize(
    ("middles", "steep"), [((20.0, 50.0, 80.0), False), ((8.0, 20.0, 32.0), True)]
)
def test_names_below_cells_do_not_run_into_each_other(middles, steep):
    row = Row("Grown", b"RIFF", (100, 40), (20.0, "100 µm"), middles)
    report = dataclasses.replace(run_report(), beside=(["L1_DAC", "L23_NBC", "L5_MC"], [row]))
    assert ('class="names steep"' in run_page(report)) is steep


def test_many_drops_are_noted():
    found = science.made(summary())
    assert found.state == science.NOTE
    assert "3 were dropped" in found.words


# Times.


def test_a_timeline_leaves_out_the_night():
    stages = [
        ("chunk", "2026-01-02T09:00:30+0000", 30.0, 60),
        ("atlas", "2026-01-01T18:00:10+0000", 10.0, None),
        ("broken", "yesterday", 1.0, None),
    ]
    bars, idle = timeline(stages)
    assert [bar.name for bar in bars] == ["atlas", "chunk"]
    assert bars[1].start == pytest.approx(10.0)
    assert idle == pytest.approx(14 * 3600 + 3590, abs=10)
    assert bars[1].rate == pytest.approx(2.0)
    assert bars[1].left == pytest.approx(25.0)
    assert timeline([]) == ([], 0.0)


# Figures.


def test_figures_of_places_are_drawn():
    somata = {"A": np.random.default_rng(0).uniform(0, 100, (30, 3)), "B": np.zeros((0, 3))}
    shown = looks(["A", "B"])
    assert plot_projection(somata, shown, (0, 1), (0, -1, 0)).axes[0].yaxis_inverted()
    figure = plot_projection(somata, shown, (2, 1), (0, 1, 0), Stack())
    (shadow,) = figure.axes[0].get_images()
    assert shadow.get_extent() == [-500.0, 500.0, 0.0, 300.0]
    low, high = figure.axes[0].get_xlim()
    assert -200 < low < somata["A"][:, 2].min()  # of the region no more than is near
    assert somata["A"][:, 2].max() < high < 300
    assert plot_depths({"A": somata["A"][:, 0]}, shown, [(1, 0, 50), (2, 50, 100)]) is not None
    assert plot_depths({"A": np.full(3, np.nan)}, shown) is None


def test_cells_without_calibration_stand_between(kernels):
    model = (mtype_parameters(), mtype_distributions())
    unit = ReportUnit(
        "L5_PC", (), (placed((0, 150, 0)),), True, ReportSettings(None), {"uncalibrated": model}
    )
    (part,) = mtype_part(unit).rows["parts"]
    assert [row.title for row in part.rows] == [UNCALIBRATED, "Grown"]
    assert len(grown_before(*model, 3)) == 3


def test_charts_are_svg_with_words_of_eleven_pixels():
    few, many = [1.0, 2.0, 4.0], np.linspace(3, 9, 40)
    chart = violin_panel(HOSTILE, {"reference": many, "synthesized": [*few, np.nan]})
    root = ElementTree.fromstring(chart)
    texts = list(root.itertext())
    assert root.get("font-size") == "11"
    assert {"n=40", "n=3"} <= set(texts)
    assert "reconstructions 6 (n=40), grown 2 (n=3)" in root.get("aria-label")
    assert "<script" not in chart
    assert "no value" in violin_panel("length", {"synthesized": []})


def test_a_chart_shows_values_where_they_are():
    """Higher values stand higher, reconstructions to the left, on ticks of the same axis."""
    chart = violin_panel("length", {"reference": [10.0], "synthesized": [20.0]})
    dots = re.findall(r'd="M([\d.]+) ([\d.]+)h0"', chart)
    (left, low), (right, high) = [(float(x), float(y)) for x, y in dots]
    assert left < right
    assert low > high
    ticks = {
        float(words): float(y)
        for y, words in re.findall(r'y="([\d.]+)" text-anchor="end"[^>]*>([\d.]+)<', chart)
    }
    assert ticks[10.0] - 4 == pytest.approx(low, abs=0.1)
    assert ticks[20.0] - 4 == pytest.approx(high, abs=0.1)


def test_features_are_those_of_neurom():
    cells = [pyramid(), pyramid(3.0)]
    ((kind, charts),) = feature_charts(cells[:1], cells[1:], ["basal_dendrite"])
    assert kind == "basal"
    charts = "".join(charts)
    for side, cell in zip(("reconstructions", "grown"), cells, strict=True):
        found = measure(ValidationCell("c", cell), "basal_dendrite")
        length = found[morphometrics.NAMES.index("total length")]
        assert f"{side} {length:.4g} (n=1)" in charts


def test_a_profile_has_the_lengths_of_its_cells():
    cell = placed((0, 150.0, 0))
    chart = profile_chart([pyramid()], [cell], ["basal_dendrite", "axon"], 0)
    root = ElementTree.fromstring(chart)
    texts = list(root.itertext())
    assert "basal" in texts
    assert {"L1", "L2", "L3"} <= set(texts)
    filled = [p for p in root.iter("path") if p.get("fill") != "none"]
    assert len(filled) == 1  # the reconstruction
    assert len(ElementTree.fromstring(profile_chart([], [cell], ["basal_dendrite"], 0))) > 0
    flat = dataclasses.replace(cell, depth=None)
    assert profile_chart([pyramid()], [flat], ["basal_dendrite"], 0) is None


def test_rows_have_one_scale():
    small, large = [pyramid()] * 2, [pyramid(40.0)] * 3
    first, second = draw_rows([("Reconstructions", small), ("Grown", large)])
    assert first.size[0] == second.size[0]
    assert first.bar == second.bar
    assert second.size[1] > 2 * first.size[1]
    mtypes, rows = side_by_side({"A": small}, {"A": large, "B": small})
    assert mtypes == ["A"]
    assert [row.title for row in rows] == ["Reconstructions", "Grown"]


def test_cells_beside_each_other_are_those_of_median_length():
    sizes = [1.0, 90.0, 10.0, 2.0, 95.0]
    references, cells = [pyramid(size) for size in sizes], [pyramid(10.0)]
    assert (
        side_by_side({"A": references}, {"A": cells})[1]
        == (side_by_side({"A": [pyramid(10.0)]}, {"A": cells})[1])
    )


def test_borrowed_reconstructions_stand_once():
    references = {name: [pyramid()] for name in "ABC"}
    cells = {"A": [pyramid()], "B": [pyramid()] * 3, "C": [pyramid(9.0)]}
    shown, rows = side_by_side(references, cells, {"A": "one", "B": "one", "C": "two"})
    assert shown == ["B", "C"]
    assert rows[0].size[1] <= 0.27 * rows[0].size[0]
    # A grown cell stands below the reconstruction of its mtype.
    assert rows[0].middles == rows[1].middles
    assert len(rows[0].middles) == 2


# The page.


@pytest.fixture(scope="module")
def page():
    return run_page(run_report())


SCRIPT = re.compile(r"<script(?: type=\"[\w/]+\" id=\"\w+\")?>(.*?)</script>", re.S)


def without_scripts(page):
    return SCRIPT.sub("", page)


def test_the_page_is_well_formed_and_whole(page):
    read = Page(without_scripts(page))
    assert len(read.ids) == len(set(read.ids))
    head = page[: page.index("</head>")]
    assert read.tags.count("h1") == head.count("<title>") == 1
    assert not {"link", "iframe", "object", "embed", "base", "form"} & set(read.tags)
    assert all(source.startswith("data:image/") for source in read.sources)
    assert all(link[1:] in read.ids for link in read.links)
    assert not re.search(r"url\(|@import", without_scripts(page))
    assert len(page) < 2_000_000


def test_small_other_pages_are_held_and_large_ones_linked():
    inside = '<!DOCTYPE html>\n<p title="a & b">Tests &lt;here&gt;</p>'
    pages = [OtherPage("Tests", "v/a.html", inside), OtherPage("Growth", "w/b.html")]
    report = dataclasses.replace(run_report(), pages=pages)
    page = without_scripts(run_page(report))
    (held,) = re.findall(r'<iframe sandbox title="Tests" srcdoc="([^"]*)"', page)
    assert html.unescape(held) == inside
    assert "v/a.html" not in page
    assert '<a href="w/b.html">Growth</a>' in page


def test_the_page_says_what_was_made(page):
    text = Page(without_scripts(page)).text
    assert "2: the soma lies below its layers; 1: " in text
    assert "3 dropped" in text
    assert "Tests that fail" in text
    assert "All 2 tests that decide" in text
    assert "It took 2.00 attempts per cell." in text
    assert "1.2 kB" in text
    assert "1 cells per second" in text


def test_names_are_words_wherever_they_stand(page):
    read = Page(without_scripts(page))
    assert '<script>alert("x")</script>' in read.text
    assert "\u202e" not in without_scripts(page)
    # In the data of the viewer they cannot end the element.
    (data,) = re.findall(r'id="scene">(.*?)</script>', page, re.S)
    assert "<" not in data
    assert json.loads(data)["outlines"][0]["name"] == HOSTILE


def test_only_the_scripts_of_the_package_may_run(page):
    policy = re.search(r'Content-Security-Policy" content="(.*?)"', page).group(1)
    assert policy.startswith("default-src &#39;none&#39;")
    assert "unsafe-eval" not in policy
    scripts = re.findall(r"<script>(.*?)</script>", page, re.S)
    assert len(scripts) == 3
    for script in scripts:
        digest = base64.b64encode(hashlib.sha256(script.encode("utf-8")).digest()).decode()
        assert f"sha256-{digest}" in policy
    assert policy.count("sha256-") == 3


def test_a_page_without_cells_says_so():
    nothing = {**summary(), "mtypes": {}, "cells": {"asked": 0, "made": 0, "dropped": 0}}
    finding = science.made({**nothing, "cells": {"asked": 2, "made": 0, "dropped": 2}})
    page = run_page(RunReport("Run", nothing, [finding], {}))
    text = Page(without_scripts(page)).text
    assert finding.state == science.WRONG
    assert "Something is wrong: cells." in text
    assert len(re.findall(r"<script>", page)) == 1
