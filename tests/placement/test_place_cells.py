"""Cells placed by densities: how many, where, and what is refused."""

import itertools

import numpy as np
import pytest
import yaml
from scipy import stats

from helpers.atlas_factory import REGION, THICKNESSES, VOXEL, load_raw, make_atlas, save_volume
from helpers.sentences import says
from region_grower_flow.errors import InvalidInput
from region_grower_flow.placement.densities import load_densities
from region_grower_flow.placement.place import (
    STOCHASTIC,
    PlacementSettings,
    place_cells,
    plan_placement,
)
from region_grower_flow.placement.voxels import Voxels, boundary_distance

MM3 = 1e-9 * VOXEL**3
"""Volume of a voxel of the small atlas."""
VOXELS = {layer: int(16 * thickness / VOXEL) for layer, thickness in THICKNESSES.items()}


@pytest.fixture
def atlas(tmp_path):
    return make_atlas(tmp_path / "atlas")


@pytest.fixture
def placed(atlas, tmp_path):
    """Places cells by densities (a dict or YAML text) with settings."""

    def place(densities, **settings):
        path = tmp_path / "densities.yaml"
        text = densities if isinstance(densities, str) else yaml.safe_dump(densities)
        path.write_text(text)
        settings = PlacementSettings(**settings)
        plan = plan_placement(path, atlas.folder, settings)
        return place_cells(plan, settings)

    return place


def per_layer(layer, cells):
    """The density (cells/mm3) that gives a layer so many cells."""
    return cells / (VOXELS[layer] * MM3)


def refused(placed, densities, **settings):
    """The problems, as sentences."""
    with pytest.raises(InvalidInput) as error:
        placed(densities, **settings)
    return str(error.value).splitlines()


def test_the_number_is_density_times_volume_times_factor(placed):
    cells = placed({"PC": {"COL;L2": per_layer(2, 1000.0)}}, density_factor=0.25)
    assert len(cells) == 250
    assert cells.report == [{"mtype": "PC", "region": "COL;L2", "expected": 250.0, "placed": 250}]


@pytest.mark.parametrize(("expected", "count"), [(10.4, 10), (10.6, 11), (10.5, 11)])
def test_numbers_are_rounded_to_the_nearest(placed, expected, count):
    assert len(placed({"PC": {"COL;L1": per_layer(1, expected)}})) == count


@pytest.mark.slow
def test_stochastic_rounding_has_the_expected_mean(placed):
    densities = {"PC": {"COL;L1": per_layer(1, 3.3)}}
    counts = [len(placed(densities, rounding=STOCHASTIC, seed=seed)) for seed in range(200)]
    assert set(counts) == {3, 4}
    # 200 Bernoulli draws with p = 0.3.
    assert stats.binomtest(counts.count(4), 200, 0.3).pvalue > 0.01


def test_cells_lie_in_the_region_and_in_the_voxel_that_is_said(placed, atlas):
    cells = placed({"PC": {"COL;L2": 9000.0}, "IN": {"COL": 3000.0}})
    voxels = Voxels.load(atlas.folder)
    found = voxels.volume.positions_to_indices(cells.positions)
    np.testing.assert_array_equal(found, voxels.indices(cells.voxels))
    ids = load_raw(atlas.volume("brain_regions"))[tuple(found.T)]
    acronyms = {2: "COL;L1", 3: "COL;L2", 4: "COL;L3"}
    assert [acronyms[i] for i in ids] == cells.regions.tolist()
    assert set(cells.regions[cells.traits["mtype"] == "PC"]) == {"COL;L2"}
    assert set(cells.regions[cells.traits["mtype"] == "IN"]) == set(acronyms.values())


def test_cells_are_uniform_over_voxels_and_within_them(placed):
    cells = placed({"PC": {REGION: per_layer(1, 3000.0)}}, seed=3)
    counts = np.bincount(cells.voxels)
    counts = counts[counts > 0]
    assert len(counts) == sum(VOXELS.values())
    assert stats.chisquare(counts).pvalue > 0.01
    for axis in range(3):
        inside = (cells.positions[:, axis] / VOXEL) % 1.0
        assert stats.kstest(inside, "uniform").pvalue > 0.01


def test_a_volume_of_densities_weighs_the_voxels(placed, atlas):
    values = np.zeros(load_raw(atlas.volume("brain_regions")).shape, dtype=np.float32)
    rng = np.random.default_rng(0)
    values[:] = rng.uniform(0.0, 2.0 * 10000.0, values.shape)
    values[0] = 0.0
    save_volume(atlas.folder / "PC_density.nrrd", values)
    cells = placed({"PC": {"COL;L3": "{PC_density}"}}, density_factor=30.0, seed=1)
    expected = np.where(load_raw(atlas.volume("brain_regions")) == 4, values, 0.0).reshape(-1)
    expected = expected * MM3 * 30.0
    assert len(cells) == round(float(expected.sum()))
    counts = np.bincount(cells.voxels, minlength=expected.size)
    assert counts[expected == 0].sum() == 0
    there = expected > 0
    scaled = expected[there] * counts.sum() / expected[there].sum()
    assert stats.chisquare(counts[there], scaled).pvalue > 0.01


@pytest.mark.parametrize("name", ["PC_density", "{PC_density}", "{PC_density}.nrrd"])
def test_a_volume_has_several_names(placed, atlas, name):
    shape = load_raw(atlas.volume("brain_regions")).shape
    save_volume(atlas.folder / "PC_density.nrrd", np.full(shape, per_layer(2, 40.0)))
    assert len(placed({"PC": {"COL;L2": name}})) == 40


def test_a_volume_beside_the_densities_comes_before_that_of_the_atlas(placed, atlas, tmp_path):
    shape = load_raw(atlas.volume("brain_regions")).shape
    for folder, count in ((atlas.folder, 40.0), (tmp_path, 50.0)):
        save_volume(folder / "PC.nrrd", np.full(shape, per_layer(2, count)))
    assert len(placed({"PC": {"COL;L2": "PC.nrrd"}})) == 50
    (tmp_path / "PC.nrrd").unlink()
    assert len(placed({"PC": {"COL;L2": "PC.nrrd"}})) == 40


COMPOSITION = """
version: v2.0
neurons:
- density: {density}
  region: '@;L[12]$'
  traits:
    layer: 2
    mtype: {{PC: 0.75, IN: 0.25}}
    etype: bAC
- density: 500
  region: COL;L3
  traits: {{mtype: IN, etype: {{bAC: 0.5, cNAC: 0.5}}}}
"""


def test_a_cell_composition_of_brainbuilder_is_read(placed):
    cells = placed(COMPOSITION.format(density=4e5), seed=2)
    rows = {(row["mtype"], row["region"]): row for row in cells.report}
    first = 4e5 * MM3 * VOXELS[1]
    assert rows["PC", "COL;L1"]["expected"] == pytest.approx(0.75 * first)
    upper = cells.regions != "COL;L3"
    drawn = int((cells.traits["mtype"][upper] == "PC").sum())
    assert stats.binomtest(drawn, int(upper.sum()), 0.75).pvalue > 0.01
    assert set(cells.traits["layer"][upper]) == {"2"}
    assert set(cells.traits["layer"][~upper]) == {None}
    assert set(cells.traits["etype"][~upper]) == {"bAC", "cNAC"}


def test_the_same_seed_gives_the_same_cells_and_another_seed_others(placed):
    densities = {"PC": {"COL;L2": 9000.0}, "IN": {"COL;L1": 5000.0}}
    one, same, other = (placed(densities, seed=seed) for seed in (5, 5, 6))
    np.testing.assert_array_equal(one.positions, same.positions)
    assert not np.array_equal(one.positions, other.positions)


def test_an_entry_does_not_change_the_cells_of_another(placed):
    alone = placed({"PC": {"COL;L2": 9000.0}})
    both = placed({"IN": {"COL;L1": 5000.0}, "PC": {"COL;L2": 9000.0}})
    own = both.traits["mtype"] == "PC"
    np.testing.assert_array_equal(both.positions[own], alone.positions)


def test_two_equal_entries_have_different_cells(placed):
    entry = {"density": 9000.0, "region": "COL;L2", "traits": {"mtype": "PC"}}
    cells = placed({"version": "v2.0", "neurons": [entry, entry]})
    first, second = np.split(cells.positions, 2)
    assert not np.array_equal(first, second)


def test_cells_can_be_restricted_to_a_region(placed):
    cells = placed({"PC": {"COL": 9000.0}}, region="COL;L1")
    assert set(cells.regions) == {"COL;L1"}


def test_a_mask_keeps_voxels_free(placed, atlas):
    mask = np.zeros(load_raw(atlas.volume("brain_regions")).shape, dtype=np.uint8)
    mask[1] = 1
    save_volume(atlas.folder / "mask.nrrd", mask)
    cells = placed({"PC": {"COL": 9000.0}}, mask="mask")
    assert (cells.positions[:, 0] // VOXEL == 1).all()


def brute_force_distance(region, size):
    """Least distance between each voxel's box and the boxes outside, by trying all."""
    padded = np.pad(region, 3)
    outside = np.argwhere(~padded)
    distances = np.zeros(region.shape)
    for index in np.argwhere(region):
        gaps = np.maximum(np.abs(outside - (index + 3)) - 1, 0) * size
        distances[tuple(index)] = np.sqrt((gaps**2).sum(axis=1)).min()
    return distances


def test_the_distance_from_the_boundary_is_that_of_the_nearest_points():
    rng = np.random.default_rng(0)
    size = np.array([10.0, 25.0, 40.0])
    for _ in range(3):
        region = rng.random((9, 8, 7)) < 0.97
        expected = brute_force_distance(region, size)
        np.testing.assert_allclose(boundary_distance(region, size), expected, rtol=1e-6)
    assert expected.max() > 0


def test_cells_keep_their_distance_from_the_boundary(placed, atlas):
    cells = placed({"PC": {"COL": 2e5}}, distance=100.0)
    low, high = np.zeros(3), np.array([400.0, atlas.top, 400.0])
    assert (cells.positions - low).min() >= 100.0
    assert (high - cells.positions).min() >= 100.0
    # They are not farther than needed: the inner voxels are all used.
    assert len(np.unique(cells.voxels)) == 2 * 10 * 2


def test_a_negative_voxel_size_is_understood(tmp_path):
    """Atlases from the field have an axis that counts down."""
    from voxcell import VoxelData

    atlas = make_atlas(tmp_path / "atlas")
    raw = load_raw(atlas.volume("brain_regions"))
    volume = VoxelData(raw, (VOXEL, VOXEL, -VOXEL), (0.0, 0.0, 400.0))
    volume.save_nrrd(str(atlas.volume("brain_regions")))
    (tmp_path / "d.yaml").write_text("{PC: {COL;L2: 9000}}")
    settings = PlacementSettings()
    cells = place_cells(plan_placement(tmp_path / "d.yaml", atlas.folder, settings), settings)
    assert len(cells) == round(9000 * MM3 * VOXELS[2])
    assert 0 <= cells.positions[:, 2].min() < cells.positions[:, 2].max() <= 400
    found = volume.lookup(cells.positions)
    assert (found == 3).all()


def test_positions_stay_in_their_voxels_far_from_the_origin(tmp_path):
    """float32 has steps of 1 um at 1e7 um: rounding must not move a cell to a neighbor."""
    atlas = make_atlas(tmp_path / "atlas", offset=(1e7, 1e7, 1e7))
    (tmp_path / "d.yaml").write_text("{PC: {COL;L2: 200000}}")
    settings = PlacementSettings()
    plan = plan_placement(tmp_path / "d.yaml", atlas.folder, settings)
    cells = place_cells(plan, settings)
    indices = plan.voxels.volume.positions_to_indices(cells.positions)
    np.testing.assert_array_equal(indices, plan.voxels.indices(cells.voxels))


def test_all_problems_of_the_densities_are_said_at_once(placed, atlas):
    shape = load_raw(atlas.volume("brain_regions")).shape
    save_volume(atlas.folder / "negative.nrrd", np.full(shape, -1.0))
    save_volume(atlas.folder / "nan.nrrd", np.full(shape, np.nan))
    save_volume(atlas.folder / "small.nrrd", np.ones((2, 2, 2)))
    save_volume(atlas.folder / "shifted.nrrd", np.ones(shape), offset=(50.0, 0.0, 0.0))
    densities = {
        "A": {"COL;L7": 10.0},
        "B": {"COL;L1": "negative"},
        "C": {"COL;L1": "{nan}"},
        "D": {"COL;L1": "small.nrrd"},
        "E": {"COL;L1": "absent"},
        "F": {"COL;L1": "shifted"},
    }
    problems = refused(placed, densities)
    expected = [
        "no region 'COL;L7'", "negative in 48 of the 48", "not finite", "2 x 2 x 2 voxels",
        "no volume 'absent'", "its corner at 50, 0, 0",
    ]  # fmt: skip
    for words in expected:
        assert sum(words in problem for problem in problems) == 1, (words, problems)
    assert len(problems) == len(expected)


def test_values_outside_of_the_region_do_not_matter(placed, atlas):
    values = np.full(load_raw(atlas.volume("brain_regions")).shape, np.nan)
    values[load_raw(atlas.volume("brain_regions")) == 2] = per_layer(1, 30.0)
    save_volume(atlas.folder / "PC.nrrd", values)
    assert len(placed({"PC": {"COL;L1": "PC"}})) == 30


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[1, 2]", "expected an object"),
        ("{PC: 12}", "expected {region: density}"),
        ("{PC: {COL: -1}}", "at least 0 cells/mm3"),
        ("{PC: {COL: .nan}}", "at least 0 cells/mm3"),
        ("{PC: {COL: true}}", "expected cells/mm3 or the name of a volume"),
        ("{'': {COL: 1}}", "expected a name"),
        ("{version: v1.0, composition: {}}", "version 2 is expected"),
        ("{neurons: []}", "version 2 is expected"),
        ("{version: v2.0, neurons: []}", "holds no density"),
        ("{version: v2.0, neurons: [{density: 1, region: COL}]}", "'traits' is missing"),
        (
            "{version: v2.0, neurons: [{density: 1, regoin: COL, traits: {mtype: A}}]}",
            "Did you mean 'region'",
        ),
        (
            "{version: v2.0, neurons: [{density: 1, region: COL, traits: {etype: A}}]}",
            "'mtype' is missing",
        ),
        (
            "{version: v2.0, neurons: [{density: 1, region: COL, "
            "traits: {mtype: {A: 0.5, B: 0.1}}}]}",
            "add up to 0.6, not to 1",
        ),
        (
            "{version: v2.0, neurons: [{density: 1, region: COL, traits: {mtype: A, x: 1}}]}",
            "cannot be the name of a property",
        ),
        ("{PC: {COL: 1e15}}", "cells would be placed, at most"),
        ("{PC: {COL: 1e-3}}", "no cell would be placed"),
        ("{PC: {'@(': 1}}", "regular expression"),
    ],
)
def test_densities_that_make_no_sense_are_refused(placed, text, words):
    problems = refused(placed, text)
    assert words in problems[0]
    assert len(problems) == (2 if "regoin" in text else 1)


def test_a_region_without_voxels_is_said_and_harmless(placed):
    cells = placed({"PC": {"COL;L1": 9000.0, "other": 9000.0}})
    assert set(cells.regions) == {"COL;L1"}
    assert any("'other'" in note for note in cells.notes)


def test_entries_that_are_all_rounded_to_none_are_refused(placed):
    entries = {name: {"COL;L1": per_layer(1, 0.4)} for name in ("A", "B", "C", "D")}
    (problem,) = refused(placed, entries)
    assert says(problem, "1.6 are expected | at most 0.4 | entry")
    assert len(placed(entries, rounding="stochastic", seed=2)) > 0


def test_a_mask_of_another_space_is_refused(placed, atlas):
    save_volume(atlas.folder / "mask.nrrd", np.ones((3, 3, 3)))
    assert "3 x 3 x 3" in refused(placed, {"PC": {"COL": 9000.0}}, mask="mask")[0]


def test_the_short_form_says_the_same_as_the_composition(tmp_path):
    short, long = tmp_path / "short.yaml", tmp_path / "long.yaml"
    short.write_text("{PC: {COL;L1: 5, COL;L2: '{x}'}}")
    entries = [
        {"density": density, "region": region, "traits": {"mtype": "PC"}}
        for region, density in (("COL;L1", 5), ("COL;L2", "{x}"))
    ]
    long.write_text(yaml.safe_dump({"version": 2.0, "neurons": entries}))
    for a, b in itertools.zip_longest(load_densities(short), load_densities(long)):
        assert (a.region, a.density, a.traits) == (b.region, b.density, b.traits)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda ids: -ids.astype(np.int32), "lacks: -"),
        (lambda ids: ids.astype(np.float32) + 0.5, "lacks: "),
    ],
)
def test_ids_that_the_hierarchy_lacks_are_said(placed, atlas, caplog, change, words):
    raw = load_raw(atlas.volume("brain_regions"))
    half = change(raw)
    half[:2] = raw[:2]
    save_volume(atlas.volume("brain_regions"), half)
    cells = placed({"PC": {"COL": 9000.0}})
    assert words in caplog.text
    assert any("have ids that the hierarchy lacks" in note for note in cells.notes)
