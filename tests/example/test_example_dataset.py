"""The dataset on disk: whole, small, the same every time, and consistent with itself."""

import itertools
import json

import numpy as np
import pandas as pd
import pytest
import yaml

from region_grower_flow.errors import InvalidInput
from region_grower_flow.example import create_example, field
from region_grower_flow.example.__main__ import main
from region_grower_flow.example.atlases import CURVED_VARIATION
from region_grower_flow.example.celltypes import CELL_TYPES
from region_grower_flow.example.create import MARKER
from region_grower_flow.example.positions import CLEARANCE
from region_grower_flow.example.targets import LAYERS, THICKNESSES

MEGABYTE = 1 << 20


def _contents(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    return create_example(tmp_path_factory.mktemp("example") / "made")


@pytest.fixture(scope="module", params=["column", "curved"])
def part(request, example):
    """(atlas folder, nodes, axon table) of each atlas."""
    if request.param == "column":
        return example.atlas, example.nodes, example.axons
    return example.atlas_curved, example.nodes_curved, example.axons_curved


def _volumes(atlas):
    from voxcell import OrientationField, VoxelData

    volumes = {f: VoxelData.load_nrrd(atlas / f"[PH]{f}.nrrd") for f in (*LAYERS, "y")}
    volumes["regions"] = VoxelData.load_nrrd(atlas / "brain_regions.nrrd")
    volumes["orientation"] = OrientationField.load_nrrd(str(atlas / "orientation.nrrd"))
    return volumes


def _cells(nodes):
    from voxcell import CellCollection

    return CellCollection.load(nodes).as_dataframe()


@pytest.mark.slow
def test_made_twice_it_is_the_same_bytes(example, tmp_path):
    again = create_example(tmp_path / "again")
    first, second = _contents(example.folder), _contents(again.folder)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []


@pytest.mark.slow
def test_another_seed_gives_other_cells(example, tmp_path):
    other = create_example(tmp_path / "other", seed=1, atlas="column")
    name = "morphologies/L4_SSC_cell01.h5"
    assert (other.folder / name).read_bytes() != (example.folder / name).read_bytes()
    assert other.nodes.read_bytes() != example.nodes.read_bytes()


def test_it_is_small(example):
    assert sum(len(content) for content in _contents(example.folder).values()) < 5 * MEGABYTE


def test_morphologies_are_those_of_the_dat_file(example):
    import morphio

    table = pd.read_csv(example.mtypes, sep=r"\s+")
    assert list(table.columns) == ["morphology", "layer", "mtype"]
    assert set(table.mtype) == {cell_type.mtype for cell_type in CELL_TYPES}
    assert table.mtype.value_counts().min() >= 8
    assert {path.stem for path in example.morphologies.iterdir()} == set(table.morphology)
    for name in table.morphology:
        cell = morphio.Morphology(example.morphologies / f"{name}.h5")
        assert len(cell.root_sections) >= 3
        assert len(cell.soma.points) >= 3


def test_region_structures_fit_the_hierarchy_and_the_volumes(part, example):
    from voxcell import RegionMap

    atlas, _, _ = part
    regions = RegionMap.load_json(atlas / "hierarchy.json")
    present = set(np.unique(_volumes(atlas)["regions"].raw)) - {0}
    for path in (example.region_structure, example.region_structure_regions):
        for name, region in yaml.safe_load(path.read_text()).items():
            assert region["layers"] == list(LAYERS)
            assert list(region["thicknesses"].values()) == list(THICKNESSES)
            known = regions.find(name, attr="acronym", with_descendants=True)
            assert known
            for layer, query in region["region_queries"].items():
                found = regions.find(query, attr="acronym") & known
                assert {regions.get(i, "acronym").split(";")[1] for i in found} == {f"L{layer}"}
    assert present <= regions.find("CTX", attr="acronym", with_descendants=True)


def test_layers_follow_one_another_and_agree_with_the_regions(part):
    volumes = _volumes(part[0])
    inside = volumes["regions"].raw > 0
    for above, below in itertools.pairwise(LAYERS):
        np.testing.assert_array_equal(
            volumes[above].raw[inside][:, 0], volumes[below].raw[inside][:, 1]
        )
    height, layer = volumes["y"].raw[inside], volumes["regions"].raw[inside] % 10
    for number in LAYERS:
        bottom, top = volumes[number].raw[inside][layer == number].T
        assert (height[layer == number] >= bottom - 0.5).all()
        assert (height[layer == number] <= top + 0.5).all()
    assert np.isnan(volumes[1].raw[~inside]).all()


def test_curved_layers_vary_by_15_percent(example):
    volumes = _volumes(example.atlas_curved)
    inside = volumes["regions"].raw > 0
    for number, thickness in zip(LAYERS, THICKNESSES, strict=True):
        bottom, top = volumes[number].raw[inside].T
        relative = (top - bottom) / thickness
        assert 1 - CURVED_VARIATION - 0.01 <= relative.min() < 0.93
        assert 1.07 < relative.max() <= 1 + CURVED_VARIATION + 0.01


def test_orientations_point_to_the_pia(part):
    atlas, nodes, _ = part
    volumes, cells = _volumes(atlas), _cells(nodes)
    positions = cells[["x", "y", "z"]].to_numpy()
    up = volumes["orientation"].lookup(positions) @ [0.0, 1.0, 0.0]
    np.testing.assert_allclose(np.linalg.norm(up, axis=1), 1.0, atol=1e-3)
    step = 80.0
    deep = volumes["y"].lookup(positions)
    deeper = volumes["y"].lookup(positions - step * up)
    known = np.isfinite(deeper)
    voxel = abs(volumes["y"].voxel_dimensions[0])
    assert known.sum() > 50
    assert (np.abs(deep - deeper - step)[known] <= 2 * voxel).all()


def test_cells_lie_inside_their_layers(part):
    atlas, nodes, _ = part
    volumes, cells = _volumes(atlas), _cells(nodes)
    positions = cells[["x", "y", "z"]].to_numpy()
    found = volumes["regions"].lookup(positions)
    areas = {1: "S1", 2: "S2"}
    assert list(cells.region) == [f"{areas[i // 10]};L{i % 10}" for i in found]
    depths = volumes[1].lookup(positions)[:, 1] - volumes["y"].lookup(positions)
    assert depths.min() >= CLEARANCE - 0.5
    layers = {cell_type.mtype: cell_type.layers for cell_type in CELL_TYPES}
    for mtype, layer in zip(cells.mtype, cells.layer.astype(int), strict=True):
        assert layer in layers[mtype]


def test_every_mtype_has_cells_and_pyramidal_cells_are_the_most(part):
    counts = _cells(part[1]).mtype.value_counts()
    assert counts.sum() == 60
    assert set(counts.index) == {cell_type.mtype for cell_type in CELL_TYPES}
    assert counts.min() >= 3
    assert set(counts.index[:2]) == {"L3_TPC:A", "L5_TPC:A"}


def test_axon_table_names_donors_of_the_mtype(part, example):
    _, nodes, axons = part
    table = pd.read_csv(axons, sep=r"\s+", index_col=0)
    cells = _cells(nodes)
    assert list(table.index) == list(range(len(cells)))
    for name, mtype in zip(table.morphology, cells.mtype, strict=True):
        assert name.startswith(mtype.replace(":", "-"))
        assert (example.donors / f"{name}.h5").is_file()
    assert table.scale.between(0.8, 1.25).all()


def test_boundary_mesh_is_closed_and_above_the_pia(example):
    import trimesh

    region = yaml.safe_load(example.region_structure_boundaries.read_text())["CTX"]
    (boundary,) = region["boundaries"]
    mesh = trimesh.load_mesh(example.folder / boundary["path"])
    assert mesh.is_watertight
    assert mesh.volume > 0
    assert mesh.bounds[0][1] > sum(THICKNESSES)
    assert region["directions"][0]["params"]["mode"] == "parallel"


def test_overrides_limit_dendrites_to_the_layers(example):
    overrides = json.loads(example.overrides.read_text())
    for cell_type in CELL_TYPES:
        limits = overrides[cell_type.mtype]["context_constraints"]
        assert limits["basal_dendrite"]["hard_limit_max"]["layer"] == 1
        assert ("apical_dendrite" in limits) == (cell_type.apical is not None)
        if cell_type.apical:
            assert 1.0 < limits["apical_dendrite"]["extent_to_target"]["slope"] < 1.5


def test_counts_follow_the_option(tmp_path):
    paths = create_example(tmp_path / "more", atlas="column", n_cells=500)
    counts = _cells(paths.nodes).mtype.value_counts()
    assert counts.sum() == 500
    assert 0.75 < counts["L3_TPC:A"] / counts["L5_TPC:A"] < 1.15
    assert paths.atlas_curved is None
    assert not (paths.folder / "atlas_curved").exists()


@pytest.mark.slow
def test_the_same_options_leave_it_alone_and_damage_is_mended(tmp_path):
    paths = create_example(tmp_path / "made", atlas="column")
    before = (paths.folder / MARKER).stat().st_mtime_ns
    create_example(paths.folder, atlas="column")
    assert (paths.folder / MARKER).stat().st_mtime_ns == before
    paths.nodes.unlink()
    create_example(paths.folder, atlas="column")
    assert paths.nodes.is_file()
    assert [path.name for path in tmp_path.iterdir()] == ["made"]


@pytest.mark.slow
def test_other_options_replace_it_but_never_a_users_file(tmp_path):
    paths = create_example(tmp_path / "made", atlas="column", n_cells=10)
    mine = paths.folder / "results.txt"
    mine.write_text("mine")
    with pytest.raises(InvalidInput, match=r"results\.txt"):
        create_example(paths.folder, atlas="column", n_cells=11)
    assert mine.read_text() == "mine"
    mine.unlink()
    create_example(paths.folder, atlas="column", n_cells=11)
    assert len(_cells(paths.nodes)) == 11


def test_a_strangers_folder_is_refused(tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    with pytest.raises(InvalidInput, match=r"notes\.txt"):
        create_example(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


@pytest.mark.parametrize(
    ("options", "words"),
    [({"seed": -1}, "negative"), ({"atlas": "flat"}, "flat"), ({"n_cells": 3}, "too few")],
)
def test_wrong_options_are_named(tmp_path, options, words):
    with pytest.raises(InvalidInput, match=words):
        create_example(tmp_path / "made", **options)
    assert not (tmp_path / "made").exists()


def test_command_says_where_it_is_and_refuses_in_one_sentence(tmp_path):
    from click.testing import CliRunner

    (tmp_path / "notes.txt").write_text("mine")
    result = CliRunner().invoke(main, [str(tmp_path)])
    assert result.exit_code == 2
    assert "no part of an example" in result.output
    result = CliRunner().invoke(main, [str(tmp_path / "made"), "--atlas", "column", "--cells", "9"])
    assert result.exit_code == 0
    assert str(tmp_path / "made") in result.output


def test_the_field_has_layers_with_names(example):
    """Regions, hints, structure, cells and overrides speak of the same layers."""
    from voxcell import RegionMap, VoxelData

    (region,) = yaml.safe_load(example.region_structure_field.read_text()).values()
    assert region["layers"] == list(field.LAYERS) == list(region["thicknesses"])
    regions = RegionMap.load_json(example.atlas_field / "hierarchy.json")
    ids = VoxelData.load_nrrd(example.atlas_field / "brain_regions.nrrd")
    height = VoxelData.load_nrrd(example.atlas_field / "[PH]y.nrrd").raw
    for layer, query in region["region_queries"].items():
        (found,) = regions.find(query, attr="acronym")
        bottom, top = (
            VoxelData.load_nrrd(example.atlas_field / f"[PH]{layer}.nrrd").raw[ids.raw == found].T
        )
        assert np.unique(top - bottom) == region["thicknesses"][layer]
        inside = height[ids.raw == found]
        assert ((bottom <= inside) & (inside <= top)).all()
    cells = _cells(example.nodes_field)
    assert set(cells.layer) == {"SP", "SO"}
    at = ids.lookup(cells[["x", "y", "z"]].to_numpy())
    acronyms = [regions.get(int(number), "acronym") for number in at]
    assert acronyms == cells.region.tolist() == [f"CA1;{layer}" for layer in cells.layer]


def test_the_fields_mtypes_borrow_cells_that_are_there(example):
    borrowed = yaml.safe_load(example.substitutions_field.read_text())
    assert {mtype for mtypes in borrowed.values() for mtype in mtypes} == set(
        _cells(example.nodes_field).mtype
    )
    assert set(borrowed) <= {cell_type.mtype for cell_type in CELL_TYPES}
    overrides = json.loads(example.overrides_field.read_text())
    named = [
        limit["layer"]
        for entry in overrides.values()
        for limits in entry["context_constraints"].values()
        for limit in limits.values()
    ]
    assert named
    assert set(named) <= set(field.LAYERS)


def test_the_field_comes_with_both_atlases_only(tmp_path):
    paths = create_example(tmp_path / "column", atlas="column")
    assert paths.atlas_field is None
    assert not list(paths.folder.glob("*field*"))


def test_somata_of_the_field_lie_in_their_layers(example):
    height = sum(field.THICKNESSES)
    bottoms = dict(zip(field.LAYERS, height - np.cumsum(field.THICKNESSES), strict=True))
    thicknesses = dict(zip(field.LAYERS, field.THICKNESSES, strict=True))
    for cell in _cells(example.nodes_field).itertuples():
        assert 0 <= cell.y - bottoms[cell.layer] <= thicknesses[cell.layer]


@pytest.mark.parametrize("cell_type", CELL_TYPES, ids=lambda cell_type: cell_type.mtype)
def test_the_fitted_diameter_model_is_positive_everywhere(example, cell_type):
    """A line through steeply tapering dendrites passes below 0 at their tips."""
    from diameter_synthesis.simpler_diametrizer import build_simpler_model
    from neurom import load_morphology

    lines = (line.split() for line in example.mtypes.read_text().splitlines())
    names = [words[0] for words in lines if words[2] == cell_type.mtype]
    cells = [load_morphology(example.morphologies / f"{name}.h5") for name in names]
    types = ["basal_dendrite", *(["apical_dendrite"] if cell_type.apical else [])]
    coefficients, _ = build_simpler_model(cells, {"neurite_types": types})
    for name in types:
        diameters = np.polynomial.Polynomial(coefficients[name])(np.linspace(0.0, 1.0, 101))
        assert diameters.min() > 0.0, name
