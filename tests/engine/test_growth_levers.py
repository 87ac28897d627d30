"""Growth levers: what they do to cells, and that wrong ones are refused."""

import copy
from types import SimpleNamespace

import numpy as np
import pytest
import trimesh

from helpers.factories import BASAL_DENDRITE, measured_cell, random_morphology
from helpers.growth_inputs import ORIENTATIONS, mtype
from helpers.inner_kernels import from_python
from helpers.mtype_factory import mtype_distributions, mtype_parameters
from helpers.sentences import says
from region_grower_flow import engine
from region_grower_flow.calibration.measured import measure
from region_grower_flow.engine import GrowthSite
from region_grower_flow.engine.growth_checks import EntryChecker
from region_grower_flow.engine.kernels.measured import measured
from region_grower_flow.engine.kin import likeness
from region_grower_flow.engine.lever_checks import stretch_notes
from region_grower_flow.engine.model import BarcodeScaling
from region_grower_flow.engine.mtype import with_levers
from region_grower_flow.engine.parameters import check_mtypes
from region_grower_flow.engine.tree_starts import draw_barcode
from region_grower_flow.engine.warm import _Nothing as Nothing
from region_grower_flow.errors import DropCell, GrowthFailed
from region_grower_flow.io.schemas import load_schema, validator, violations
from region_grower_flow.io.table import Cell
from region_grower_flow.space.constraints import RegionSpace, constraints_for_cell

ALL = {
    "angles": "measured",
    "angle_scale": 1.05,
    "fresh_start": True,
    "owner_exponent": 0.6,
    "owner_fidelity": 0.3,
    "randomness_spread": 0.2,
    "wander": 0.02,
    "stretch": [1.0, 1.2, 0.7],
    "heading": 0.3,
    "bending": "measured",
}
SITE = GrowthSite(np.zeros(3), np.eye(3))
KINDS = ("basal_dendrite", "apical_dendrite")


def reference(n_cells=4, kinds=KINDS):
    cells = [
        measured_cell(str(i), random_morphology(seed=i, n_points=(15, 30), diameters="random"))
        for i in range(n_cells)
    ]
    return measure(cells, dict.fromkeys(kinds, 0))


def inputs(levers=ALL, **cell):
    """(params, distributions) of an mtype whose types have these levers."""
    uniform = {"orientation": ORIENTATIONS["uniform"]}
    params, distributions = mtype(dict.fromkeys(KINDS, uniform))
    params["growth_levers"] = {**dict.fromkeys(KINDS, levers), **cell}
    return params, {**distributions, "measured": reference()}


def grow(params, distributions, seed=0, **site):
    prepared = engine.prepare(params, distributions)
    assert prepared.unsupported is None
    where = GrowthSite(np.zeros(3), np.eye(3), **site)
    return tried(prepared, where, seed)


def tried(prepared, where, seed):
    """A cell, tried again where too few trunks are drawn."""
    rng = np.random.default_rng(seed)
    for _ in range(20):
        try:
            return engine.grow(prepared, where, rng).morphology
        except GrowthFailed:
            continue
    raise AssertionError("no cell grew")


def lengths(morphology):
    steps = np.linalg.norm(np.diff(morphology.points.astype(float), axis=0), axis=1)
    ends = morphology.offsets[1:-1] - 1
    steps[ends] = 0.0
    return np.add.reduceat(np.append(steps, 0.0), morphology.offsets[:-1])


def angle(one, other):
    return np.arccos(np.clip(np.dot(one, other), -1, 1))


@pytest.mark.parametrize("seed", range(20))
def test_measured_angles_are_those_of_the_children(seed):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(3, 3))
    parent, first, second = vectors / np.linalg.norm(vectors, axis=1)[:, None]
    wanted = (angle(parent, first), angle(parent, second), angle(first, second))
    heading = rng.normal(size=3)
    heading /= np.linalg.norm(heading)
    aims = (tuple(first), tuple(second))
    angles = np.array([*wanted, 0.0])
    amount = seed % 3 / 2
    one, other = from_python(measured)(tuple(heading), angles, 1.0, aims, amount, rng)
    found = (angle(heading, one), angle(heading, other), angle(one, other))
    np.testing.assert_allclose(found, wanted, atol=1e-9)
    np.testing.assert_allclose([np.linalg.norm(one), np.linalg.norm(other)], 1.0, atol=1e-12)


@pytest.mark.parametrize("seed", range(10))
def test_the_best_azimuth_brings_children_back_where_they_were(seed):
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(3, 3))
    parent, first, second = vectors / np.linalg.norm(vectors, axis=1)[:, None]
    angles = np.array([angle(parent, first), angle(parent, second), angle(first, second), 0.0])
    aims = (tuple(first), tuple(second))
    found = from_python(measured)(tuple(parent), angles, 1.0, aims, 1.0, rng)
    np.testing.assert_allclose(found, aims, atol=1e-6)


def test_cells_keep_the_lengths_and_tips_of_measured_trees():
    params, distributions = inputs()
    tips, lengths_of = [], []
    for trees in (distributions["measured"][kind] for kind in KINDS):
        tips += [len(tree["bars"]) for tree in trees]
        lengths_of += [sum(bar[0] - bar[1] for bar in tree["bars"]) for tree in trees]
    for seed in range(8):
        cell = grow(params, distributions, seed)
        roots = np.flatnonzero(cell.parents < 0)
        ends = [*roots[1:], cell.n_sections]
        for root, end in zip(roots, ends, strict=True):
            count = (end - root + 1) // 2
            assert count in tips
            # Each end of a section may be a step or two off (it stops at random, and a section
            # has two points).
            length = lengths(cell)[root:end].sum()
            close = [x for n, x in zip(tips, lengths_of, strict=True) if n == count]
            assert np.abs(np.array(close) - length).min() < 4.0 * (end - root)


def test_sections_that_keep_their_owners_have_the_lengths_of_the_reconstruction():
    params, distributions = inputs({"owner_exponent": 0.0, "owner_fidelity": 1.0})
    (tree, *_) = distributions["measured"]["basal_dendrite"]
    distributions["measured"]["basal_dendrite"] = [tree]
    params["grow_types"] = ["basal_dendrite"]
    cell = grow(params, distributions)
    own = random_morphology(seed=0, n_points=(15, 30), diameters="random")
    count = (1 + cell.n_sections) // max((cell.parents < 0).sum(), 1)
    wanted = sorted(lengths(own)[: 2 * len(tree["bars"]) - 1])
    first = sorted(lengths(cell)[: 2 * len(tree["bars"]) - 1])
    assert count > 0
    np.testing.assert_allclose(first, wanted, atol=8.0)


def test_a_type_without_levers_grows_as_before():
    params, distributions = inputs()
    without = {**params, "growth_levers": {}}
    plain = {key: value for key, value in params.items() if key != "growth_levers"}
    np.testing.assert_array_equal(
        grow(without, distributions).points, grow(plain, distributions).points
    )


def test_same_seed_same_cell_and_other_numbers_other_cell():
    params, distributions = inputs()
    prepared = engine.prepare(params, distributions)
    again = copy.deepcopy(params)

    def points(with_them):
        return engine.grow(with_them, SITE, np.random.default_rng(3)).morphology.points

    np.testing.assert_array_equal(points(prepared), points(with_levers(prepared, again)))
    again["growth_levers"]["basal_dendrite"] = {**ALL, "angle_scale": 0.5}
    other = with_levers(prepared, again)
    fresh = engine.prepare(again, distributions)
    np.testing.assert_array_equal(points(other), points(fresh))
    assert not np.array_equal(points(prepared), points(other))


def test_the_stretch_follows_the_cell():
    params, distributions = inputs({"angles": "measured", "stretch": [0.01, 1.0, 0.01]})
    turned = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
    prepared = engine.prepare(params, distributions)
    for turn in (np.eye(3), turned):
        site = GrowthSite(np.zeros(3), turn)
        cells = [tried(prepared, site, i) for i in range(6)]
        ends = np.concatenate([cell.points[cell.offsets[1:] - 1] for cell in cells])
        along = np.abs(ends.dot(turn))
        assert along[:, 1].mean() > 2.0 * along[:, [0, 2]].mean()


def test_headings_draw_branches_to_their_directions():
    def alignment(amount):
        params, distributions = inputs(
            {"angles": "measured", "owner_exponent": 0.0, "heading": amount}
        )
        for tree in distributions["measured"]["basal_dendrite"]:
            tree["ways"] = [[0.0, -1.0, 0.0] * 2] * len(tree["headings"])
        params["grow_types"] = ["basal_dendrite"]
        cells = [grow(params, distributions, seed) for seed in range(6)]
        starts = np.concatenate([c.points[c.offsets[:-1]][c.parents >= 0] for c in cells])
        ends = np.concatenate([c.points[c.offsets[1:] - 1][c.parents >= 0] for c in cells])
        chords = ends - starts
        return -(chords[:, 1] / np.linalg.norm(chords, axis=1)).mean()

    # The angles are kept, so that children cannot all point there.
    assert alignment(1.0) > alignment(0.0) + 0.15


def test_sections_that_are_steered_end_on_their_line():
    def off_line(steer):
        levers = {"angles": "measured", "owner_exponent": 0.0, "fresh_start": True}
        wander = {"wander": 0.2, "wander_length": 10.0, "steer": steer}
        params, distributions = inputs({**levers, **wander, "heading": 1.0, "trunks": "measured"})
        params["grow_types"] = ["basal_dendrite"]
        params["basal_dendrite"]["randomness"] = 0.02
        off = []
        for tree in distributions["measured"]["basal_dendrite"]:
            tree["ways"] = [[0.0, 1.0, 0.0] * 2] * len(tree["bars"])
            tree["bars"] = [[*bar[:2], 0.0, 0.0, 0.0, bar[5]] for bar in tree["bars"]]
        for seed in range(6):
            cell = grow(params, distributions, seed)
            chords = cell.points[cell.offsets[1:] - 1] - cell.points[cell.offsets[:-1]]
            below = cell.parents >= 0
            off.append(np.hypot(chords[below, 0], chords[below, 2]) / lengths(cell)[below])
        return np.concatenate(off).mean()

    assert off_line(1.0) < 0.6 * off_line(0.0)


def test_sections_bend_as_much_as_they_did():
    def bent(factor):
        params, distributions = inputs({"owner_exponent": 0.0, "bending": "measured"})
        params["grow_types"] = ["basal_dendrite"]
        for tree in distributions["measured"]["basal_dendrite"]:
            tree["bends"] = [[factor, factor]] * len(tree["bars"])
        cells = [grow(params, distributions, seed) for seed in range(4)]
        chords = [
            np.linalg.norm(c.points[c.offsets[1:] - 1] - c.points[c.offsets[:-1]], axis=1)
            for c in cells
        ]
        paths = np.concatenate([lengths(c) for c in cells])
        return paths.sum() / np.concatenate(chords).sum()

    assert bent(0.3) < bent(1.0) < bent(3.0)


def test_levers_keep_to_a_boundary(tmp_path):
    wall = trimesh.creation.box(extents=(90.0, 90.0, 90.0))
    wall.export(tmp_path / "box.obj")
    entry = {
        "path": str(tmp_path / "box.obj"),
        "mesh_type": "spatial",
        "mode": "repulsive",
        "neurite_types": list(KINDS),
        "params_section": {"d_min": 2.0, "d_max": 20.0, "power": 1.5},
    }
    volume = {"voxel_dimensions": np.full(3, 40.0), "offset": np.full(3, -160.0)}
    volume["orientation_path"] = tmp_path / "none.nrrd"  # no direction asks for it
    region = RegionSpace.prepare([], [entry], {**volume, "shape": (8, 8, 8)})
    place = Cell(np.zeros(3), np.eye(3), 100.0, [0.0, 400.0], "X")
    walls = constraints_for_cell(region, place)
    levers = {**ALL, **KEPT, "wander_length": 20.0, "steer": 1.0, "stretch": [1.0, 1.0, 1.0]}
    params, distributions = inputs({**levers, "trunks": "measured"}, kin=0.5, soma="drawn")
    ratio = BarcodeScaling("default", reference=1000.0, target=400.0)
    site = {"scaling": dict.fromkeys(KINDS, ratio)}
    outside = []
    for found in ((), walls):
        cells = [grow(params, distributions, seed, constraints=found, **site) for seed in range(4)]
        outside.append(np.mean([(np.abs(cell.points) > 46.0).any(axis=1).mean() for cell in cells]))
    assert walls
    assert outside[0] > 0.02
    assert outside[1] < 0.2 * outside[0]


def test_sizes_of_trees_vary_where_no_layers_scale_them():
    levers = {"owner_exponent": 0.0, "diameters": "measured"}
    params, distributions = inputs(levers)
    params["grow_types"] = ["basal_dendrite"]
    whole = {round(tree["bars"][0][0], 1) for tree in distributions["measured"]["basal_dendrite"]}

    def longest(spread, scaling=None):
        params["growth_levers"]["basal_dendrite"] = {**levers, "size_spread": spread}
        starts = engine.prepare(params, distributions)
        made, rng = starts.types[0], np.random.default_rng(0)
        factor = starts.levers.types["basal_dendrite"].draw_size(rng)
        ratio = draw_barcode(made, scaling, rng, {"default": []}, 0, factor)[1]
        return (1.0 if ratio is None else ratio) * made.longest[0]

    assert round(longest(0.0), 1) in whole
    assert round(longest(0.3), 1) not in whole
    half = BarcodeScaling("default", reference=1000.0, target=500.0)
    assert longest(0.3, half) == longest(0.0, half)


def test_trees_measured_without_directions_of_sections():
    params, distributions = inputs({"angles": "measured", "owner_exponent": 0.0, "heading": 0.5})
    whole = engine.prepare(params, distributions)
    for trees in distributions["measured"].values():
        for tree in trees:
            tree.pop("ways", None), tree.pop("bends", None)
    prepared = engine.prepare(params, distributions)
    assert prepared.unsupported is None
    assert (prepared.barcodes["bend"] == 1.0).all()
    assert np.array_equal(prepared.barcodes["way"], prepared.barcodes["heading"])
    assert not np.array_equal(whole.barcodes["way"], whole.barcodes["heading"])


def problems(levers, distributions=None):
    params = mtype_parameters(growth_levers=levers)
    given = {"A": {"X": params}}
    schema = validator(load_schema("parameters"))
    found = violations(schema, given, "p")
    if not found:
        distributions = distributions or {**mtype_distributions(), "measured": reference()}
        found = EntryChecker("p", "d").problems(("A", "X", params), ("A", "X", distributions))
    return [str(problem) for problem in found]


def test_sound_levers_have_no_problem():
    assert problems({"basal_dendrite": ALL, "soma": "drawn", "kin": 0.5}) == []


@pytest.mark.parametrize(
    ("levers", "words"),
    [
        ({"basal_dendrit": {}}, "basal_dendrit"),
        ({"basal_dendrite": {"owner_exponet": 1.0}}, "Did you mean 'owner_exponent'"),
        ({"basal_dendrite": {"angles": "mesured"}}, "-> angles"),
        ({"basal_dendrite": {"heading": 0.3}}, "needs 'owner_exponent'"),
        ({"basal_dendrite": {"angle_scale": 2.0}}, "needs 'angles'"),
        ({"kin": 0}, "-> kin"),
    ],
)
def test_wrong_levers_are_refused(levers, words):
    (found,) = problems(levers)
    assert words in found


def test_levers_need_measured_trees():
    (found,) = problems({"basal_dendrite": {}}, mtype_distributions())
    assert "no 'measured' trees" in found
    broken = {**mtype_distributions(), "measured": copy.deepcopy(reference())}
    broken["measured"]["basal_dendrite"][0]["bars"][1][5] = 7
    (found,) = problems({"basal_dendrite": {}}, broken)
    assert "bars in order" in found


def test_neurots_refuses_levers():
    params, distributions = inputs()
    prepared = engine.prepare(params, distributions)
    with pytest.raises(DropCell, match="compiled engine"):
        engine.grow(prepared, SITE, np.random.default_rng(0), "neurots")
    odd = SimpleNamespace(entry={"params_section": {"max_tries": 0}})
    site = GrowthSite(np.zeros(3), np.eye(3), constraints=(odd,))
    with pytest.raises(DropCell, match="knows growth levers, but a space constraint without tries"):
        engine.grow(prepared, site, np.random.default_rng(0))
    given = {"A": {"X": mtype_parameters(growth_levers={"basal_dendrite": {}})}}
    drawn = {"A": {"X": {**mtype_distributions(), "measured": reference()}}}
    wanted = [("A", "a", "X")]
    assert check_mtypes(given, drawn, wanted, ("p", "d")) == []
    (found,) = check_mtypes(given, drawn, wanted, ("p", "d"), engine="neurots")
    assert "NeuroTS does not know growth levers" in str(found)


def radius_of(cell):
    points = cell.soma_points.astype(float)
    return np.linalg.norm(points - points.mean(axis=0), axis=1).mean()


def test_somas_have_the_size_that_is_drawn():
    params, distributions = inputs({}, soma="drawn")
    distributions["soma"] = {"size": {"norm": {"mean": 7.0, "std": 0.0}}}
    assert radius_of(grow(params, distributions)) == pytest.approx(7.0, abs=1e-5)
    # With kin, the soma is about that of the cell that the kin are of.
    params["growth_levers"]["kin"] = 0.1
    for i, cell in enumerate(distributions["measured"]["cells"]):
        cell["soma_radius"] = 100.0 + i
    assert 75.0 < radius_of(grow(params, distributions)) < 130.0


KEPT = {"owner_exponent": 0.0, "owner_fidelity": 1.0, "diameters": "measured"}


def test_bars_bring_their_diameters():
    params, distributions = inputs(KEPT)
    params["grow_types"] = ["basal_dendrite"]
    distributions["measured"] = reference(1, ["basal_dendrite"])
    own = random_morphology(seed=0, n_points=(15, 30), diameters="random")
    ours = own.types == 3

    def means(morphology, chosen):
        pairs = zip(morphology.offsets[:-1], morphology.offsets[1:], strict=True)
        found = [morphology.diameters[a:b].mean() for a, b in pairs]
        return np.array(found)[chosen]

    wanted = means(own, ours)
    for seed in range(4):
        cell = grow(params, distributions, seed)
        for mean in means(cell, lengths(cell) > 30.0):
            assert np.abs(wanted - mean).min() < 0.1 * mean
        assert cell.diameters.min() >= own.diameters[np.repeat(ours, np.diff(own.offsets))].min()
    params["growth_levers"]["basal_dendrite"] = {**KEPT, "diameter_scale": 2.0}
    assert grow(params, distributions).diameters.max() > 1.3 * own.diameters.max()


def test_branches_that_moved_are_no_thicker_than_their_parents():
    params, distributions = inputs({**KEPT, "owner_fidelity": 0.0})
    for seed in range(4):
        cell = grow(params, distributions, seed)
        children = np.flatnonzero(cell.parents >= 0)
        begins = cell.diameters[cell.offsets[children]]
        ends = cell.diameters[cell.offsets[cell.parents[children] + 1] - 1]
        assert (begins <= ends + 1e-4).mean() > 0.5
    # A type without the lever has the diameters of the mtype's model, M1: the mean of growth's.
    params["growth_levers"]["apical_dendrite"] = {}
    mixed = grow(params, distributions)
    kinds = np.repeat(mixed.types, np.diff(mixed.offsets))
    assert (mixed.diameters[kinds == 4] == 1.0).all()
    assert (mixed.diameters[kinds == 3] != 1.0).any()


@pytest.mark.parametrize("size", [2.0, 5.0, 10.0])
def test_kin_are_few_and_all_cells_count_alike(size):
    places = np.random.default_rng(0).normal(size=(12, 2))
    far = np.linalg.norm(places[:, None] - places[None], axis=2)
    weights = likeness(far, size)
    np.testing.assert_allclose(weights.sum(axis=1), 1.0, atol=1e-6)
    np.testing.assert_allclose(weights.sum(axis=0), 1.0, atol=0.05)
    spread = np.exp(-(weights * np.log(np.maximum(weights, 1e-300))).sum(axis=1).mean())
    assert spread == pytest.approx(size, rel=0.1)
    near = np.argsort(far, axis=1)
    ordered = np.take_along_axis(weights, near, axis=1)
    assert ordered[:, :3].sum() > ordered[:, -3:].sum()


def test_kin_come_from_few_cells():
    params, distributions = inputs({}, kin=0.1)
    params["grow_types"] = ["basal_dendrite"]
    distributions["measured"] = reference(12, ["basal_dendrite"])

    def spread(prepared):
        weights = prepared.kin.tree_weights["basal_dendrite"]
        weights = weights / weights.sum(axis=1, keepdims=True)
        return np.exp(-(weights * np.log(np.maximum(weights, 1e-300))).sum(axis=1)).mean()

    few = spread(engine.prepare(params, distributions))
    del params["growth_levers"]["kin"]
    assert few < 0.4 * spread(engine.prepare(params, distributions))


def test_measured_trunks_point_as_in_a_cell():
    params, distributions = inputs({"trunks": "measured"})
    params["grow_types"] = ["basal_dendrite"]
    turned = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, -1.0]])
    prepared = engine.prepare(params, distributions)
    layouts = {}
    for tree in distributions["measured"]["basal_dendrite"]:
        layouts.setdefault(tree["cell"], []).append(np.array(tree["direction"]))
    folded = [sorted(map(tuple, np.abs(layout).round(2))) for layout in layouts.values()]
    for seed in range(6):
        site = GrowthSite(np.zeros(3), turned)
        cell = engine.grow(prepared, site, np.random.default_rng(seed)).morphology
        roots = cell.points[cell.offsets[:-1]][cell.parents < 0].dot(turned)
        directions = np.abs(roots / np.linalg.norm(roots, axis=1)[:, None])
        found = sorted(map(tuple, directions))
        assert any(np.allclose(found, layout, atol=0.02) for layout in folded)


def test_an_apical_trunk_that_leaves_the_soma_sideways_grows_up():
    levers = {"trunks": "measured", "angles": "measured", "fresh_start": True}
    params, distributions = inputs({**levers, "owner_exponent": 0.0})
    params["grow_types"] = ["apical_dendrite"]
    params["apical_dendrite"] |= {"growth_method": "tmd_apical", "randomness": 0.05}
    for tree in distributions["measured"]["apical_dendrite"]:
        tree["direction"] = [1.0, 0.0, 0.0]
        tree["headings"][0] = [0.0, 1.0, 0.0]
        tree["ways"][0] = [-1.0, 0.0, 0.0] * 2  # counts with the lever 'heading' only
    cell = grow(params, distributions)
    start, end = cell.points[0], cell.points[cell.offsets[1] - 1]
    assert abs(start[0]) > 2.0
    assert start[1] == pytest.approx(0.0, abs=1e-3)
    chord = (end - start) / np.linalg.norm(end - start)
    assert chord[1] > 0.9


def test_levers_in_the_atlas():
    levers = {**ALL, **KEPT, "owner_fidelity": 0.5, "wander_length": 20.0, "trunks": "measured"}
    params, distributions = inputs(levers, kin=0.5, soma="drawn")
    free = grow(params, distributions)
    # A constraint without effect: other draws, but as many branches.
    bounded = grow(params, distributions, constraints=(Nothing(),))
    assert bounded.n_sections == free.n_sections
    assert not np.array_equal(bounded.points, free.points)
    ratio = BarcodeScaling("default", reference=1000.0, target=500.0)
    scaled = grow(params, distributions, scaling=dict.fromkeys(KINDS, ratio))
    assert scaled.n_sections == free.n_sections
    assert lengths(scaled).sum() == pytest.approx(0.5 * lengths(free).sum(), rel=0.1)
    assert scaled.diameters.mean() == pytest.approx(free.diameters.mean(), rel=0.1)


def test_directions_that_are_stretched_are_told():
    given = {"soma": "drawn", "basal_dendrite": {"stretch": [1, 1, 0.5]}, "apical_dendrite": {}}
    (note,) = stretch_notes({"X": {"growth_levers": given}, "Y": {}})
    assert says(note, "X: | basal_dendrite | stretched | x, y and z by 1, 1")
    given["basal_dendrite"]["stretch"] = [1, 1, 1]
    assert not list(stretch_notes({"X": {"growth_levers": given}}))


AXON_TYPE = 2
BASE = {"angles": "measured", "owner_exponent": 0.6, "wander": 0.05, "wander_length": 20.0}


def axon_inputs(levers, **cell):
    """(params, distributions) of an mtype whose axon has these levers, its dendrites none."""
    trees = ((BASAL_DENDRITE, 5), (BASAL_DENDRITE, 3), (AXON_TYPE, 15))
    cells = [
        measured_cell(str(i), random_morphology(i, trees, (15, 30), diameters="random"))
        for i in range(4)
    ]
    kinds = ("basal_dendrite", "axon")
    uniform = {"orientation": ORIENTATIONS["uniform"]}
    params, distributions = mtype(dict.fromkeys(kinds, uniform))
    params["growth_levers"] = {"axon": levers, **cell}
    return params, {**distributions, "measured": measure(cells, dict.fromkeys(kinds, 0))}


def axon_of(morphology):
    """(points, diameters) of the axon."""
    inside = np.repeat(morphology.types, np.diff(morphology.offsets)) == AXON_TYPE
    return morphology.points[inside], morphology.diameters[inside]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("angle_scale", 1.3),
        ("fresh_start", True),
        ("owner_exponent", 0.0),
        ("owner_fidelity", 1.0),
        ("randomness_spread", 0.4),
        ("wander", 0.2),
        ("wander_length", 60.0),
        ("steer", 1.0),
        ("bending", "measured"),
        ("heading", 0.9),
        ("trunks", "measured"),
        ("size_spread", 0.3),
        ("diameters", "measured"),
        ("stretch", [1.0, 0.5, 1.0]),
    ],
)
def test_each_lever_acts_on_axons(name, value):
    plain, changed = (
        axon_of(grow(*axon_inputs(levers), seed=3)) for levers in (BASE, {**BASE, name: value})
    )
    assert min(len(plain[0]), len(changed[0])) > 0
    if name == "diameters":
        assert len(set(plain[1].tolist())) == 1
        assert len(set(changed[1].tolist())) > 5
    else:
        assert not np.array_equal(plain[0], changed[0])


def test_axons_with_levers_are_scaled_to_layers_and_keep_to_boundaries(tmp_path):
    params, distributions = axon_inputs({**BASE, "trunks": "measured", "steer": 1.0}, kin=0.5)
    free = grow(params, distributions)
    ratio = BarcodeScaling("default", reference=1000.0, target=500.0)
    scaled = grow(params, distributions, scaling={"axon": ratio})
    kinds = [lengths(each)[each.types == AXON_TYPE].sum() for each in (free, scaled)]
    assert kinds[1] == pytest.approx(0.5 * kinds[0], rel=0.15)
    trimesh.creation.box(extents=(60.0, 60.0, 60.0)).export(tmp_path / "box.obj")
    entry = {
        "path": str(tmp_path / "box.obj"),
        "mesh_type": "spatial",
        "mode": "repulsive",
        "neurite_types": ["axon"],
        "params_section": {"d_min": 2.0, "d_max": 20.0, "power": 1.5},
    }
    volume = {"voxel_dimensions": np.full(3, 40.0), "offset": np.full(3, -160.0)}
    volume["orientation_path"] = tmp_path / "none.nrrd"
    region = RegionSpace.prepare([], [entry], {**volume, "shape": (8, 8, 8)})
    walls = constraints_for_cell(region, Cell(np.zeros(3), np.eye(3), 100.0, [0.0, 400.0], "X"))
    outside = [
        np.mean(
            [
                (np.abs(axon_of(grow(params, distributions, seed, constraints=found))[0]) > 31)
                .any(axis=1)
                .mean()
                for seed in range(4)
            ]
        )
        for found in ((), walls)
    ]
    assert outside[0] > 0.05
    assert outside[1] < 0.3 * outside[0]
