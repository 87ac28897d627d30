import json
from types import SimpleNamespace

import numpy as np
import pytest

from helpers.atlas_factory import (
    REGION,
    column_structure,
    load_raw,
    make_atlas,
    make_cells,
    save_volume,
)
from helpers.sentences import saying
from region_grower_flow.atlas.load import load_atlas_table, outside_of_layers
from region_grower_flow.errors import InvalidInput

# In the tiny atlas the pia is at y = 1200 um; a voxel knows the height of its center.
CENTER = [150.0, 650.0, 150.0]


def load(atlas, cells, **options):
    return load_atlas_table(atlas.folder, atlas.structure, cells, **options)


def test_depths_and_layers_by_hand(tmp_path):
    cells = make_cells([CENTER, [10.0, 1199.0, 10.0], [399.0, 1.0, 399.0]])
    table = load(make_atlas(tmp_path), cells)
    # Heights of the voxels' centers: 650, 1150, 50.
    assert table.depths.tolist() == [550.0, 50.0, 1150.0]
    assert table.layer_depths.tolist() == [[0.0, 300.0, 700.0, 1200.0]] * 3
    assert table.layer_counts.tolist() == [3, 3, 3]
    assert table.synthesis_regions.tolist() == [REGION] * 3
    assert table.regions.tolist() == ["COL;L2"] * 3
    assert table.meta["regions"][REGION]["cortical_depths"] == [300.0, 700.0, 1200.0]
    assert table.meta["regions"]["default"]["cortical_depths"] is None


def test_depths_are_clipped(tmp_path):
    cells = make_cells([[10.0, 1199.0, 10.0], [10.0, 1.0, 10.0]])
    table = load(make_atlas(tmp_path), cells, min_depth=75, max_depth=1000)
    assert table.depths.tolist() == [75.0, 1000.0]


def test_sums_are_done_in_the_type_of_the_volumes(tmp_path):
    # 0.1 + 0.2 in float32 is not 0.1 + 0.2 in float64: the reference sums float32 volumes.
    atlas = make_atlas(tmp_path)
    for layer, (bottom, top) in {1: (0.0, 0.1), 2: (0.0, 0.2), 3: (0.0, 0.7)}.items():
        raw = load_raw(atlas.volume(f"[PH]{layer}"))
        raw = np.array(raw)
        raw[..., 0], raw[..., 1] = bottom, top
        save_volume(atlas.volume(f"[PH]{layer}"), raw)
    table = load(atlas, make_cells([CENTER]))
    expected = np.cumsum(np.array([0.1, 0.2, 0.7], dtype=np.float32))
    assert table.layer_depths[0, 1:].tolist() == expected.astype(float).tolist()
    assert table.layer_depths[0, 2] != 0.1 + 0.2


def test_a_soma_above_the_top_of_unsigned_volumes(tmp_path):
    """It was 65,486 um deep, clipped to the greatest depth, and dropped."""
    atlas = make_atlas(tmp_path)
    for name, shift in {"[PH]y": 0, "[PH]1": 100}.items():
        raw = load_raw(atlas.volume(name)).astype(np.uint16) - np.uint16(shift)
        save_volume(atlas.volume(name), raw)
    assert load(atlas, make_cells([10.0, 1199.0, 10.0])).depths.tolist() == [25.0]


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize(
    ("name", "value"), [("[PH]y", np.inf), ("[PH]1", np.inf), ("[PH]2", -np.inf)]
)
def test_infinite_heights_are_unknown(tmp_path, name, value):
    """The cell was 5,000 um deep, in layers without end."""
    atlas = make_atlas(tmp_path)
    raw = np.array(load_raw(atlas.volume(name)))
    raw[...] = value
    save_volume(atlas.volume(name), raw)
    table = load(atlas, make_cells([CENTER]))
    assert np.isnan(table.depths).all() == (name != "[PH]2")
    assert np.isnan(table.layer_depths[0, 2]) == (name != "[PH]y")


@pytest.mark.filterwarnings("error::RuntimeWarning")
def test_infinite_orientations_are_told_by_no_warning(tmp_path):
    atlas = make_atlas(tmp_path, quaternion=(np.inf, 0.0, 0.0, 0.0))
    assert np.isnan(load(atlas, make_cells([CENTER])).orientations).any()


def test_orientations_are_rotations_by_the_quaternion(tmp_path):
    # A quarter turn around z takes y to -x.
    half = np.sqrt(0.5)
    table = load(make_atlas(tmp_path, quaternion=(half, 0, 0, half)), make_cells([CENTER]))
    np.testing.assert_allclose(table.orientations[0] @ [0, 1, 0], [-1, 0, 0], atol=1e-7)


def test_int8_orientations(tmp_path):
    atlas = make_atlas(tmp_path)
    raw = np.zeros((4, 12, 4, 4), dtype=np.int8)
    raw[..., 0] = 127
    save_volume(atlas.volume("orientation"), raw)
    np.testing.assert_array_equal(load(atlas, make_cells([CENTER])).orientations[0], np.eye(3))


def test_a_region_that_the_structure_does_not_know_is_default(tmp_path):
    cells = make_cells([CENTER, CENTER], regions=["other", "not in the atlas at all"])
    table = load(make_atlas(tmp_path), cells)
    assert table.synthesis_regions.tolist() == ["default", "default"]
    assert np.isnan(table.depths).all()
    assert table.layers_of(0) is None
    assert table.layer_counts.tolist() == [0, 0]


def test_default_can_have_layers_of_its_own(tmp_path):
    structure = column_structure()
    structure["default"] = {"layers": [1, 2], "thicknesses": {1: 300, 2: 400}}
    cells = make_cells([CENTER, CENTER], regions=["other", "COL"])
    table = load(make_atlas(tmp_path, structure=structure), cells)
    assert table.layers_of(0) == [0.0, 300.0, 700.0]
    assert table.layers_of(1) == [0.0, 300.0, 700.0, 1200.0]
    assert table.depths.tolist() == [550.0, 550.0]
    # As in the reference: no model depths for default, so its barcodes are not scaled.
    assert table.meta["regions"]["default"]["cortical_depths"] is None


def test_a_region_without_layers(tmp_path):
    structure = {REGION: {"layers": None, "directions": [{"params": {"direction": [0, 1, 0]}}]}}
    table = load(make_atlas(tmp_path, structure=structure), make_cells([CENTER]))
    assert np.isnan(table.depths[0])
    assert table.cell(0).region_meta["directions"] == [{"params": {"direction": [0, 1, 0]}}]
    assert table.cell(0).region_meta["cortical_depths"] is None


def test_nested_regions_take_the_last_entry_and_keep_outer_constraints(tmp_path):
    outer, inner = [{"params": {"direction": [0, 1, 0]}}], [{"params": {"direction": [1, 0, 0]}}]
    structure = column_structure()
    structure[REGION]["directions"] = outer
    structure["COL;L1"] = {"layers": [1, 2], "thicknesses": {1: 10, 2: 20}}
    structure["COL;L3"] = {"layers": [2], "thicknesses": {2: 5}, "directions": inner}
    cells = make_cells([CENTER] * 3, regions=["COL;L1", "COL;L2", "COL;L3"])
    table = load(make_atlas(tmp_path, structure=structure), cells)
    assert table.synthesis_regions.tolist() == ["COL;L1", REGION, "COL;L3"]
    assert table.layer_counts.tolist() == [2, 3, 1]
    # The depth is counted from the top of the first layer of the entry.
    assert table.depths.tolist() == [550.0, 550.0, 250.0]
    assert table.cell(0).region_meta["directions"] == outer
    assert table.cell(0).region_meta["cortical_depths"] == [10, 30]
    assert table.cell(2).region_meta["directions"] == inner


@pytest.mark.parametrize("outer_layers", [True, False])
def test_regions_keep_the_constraints_of_earlier_entries_within_the_last(tmp_path, outer_layers):
    # region-grower visits the entries in order: a later one overwrites only what it has.
    directions = [{"params": {"direction": [0, 1, 0], "layers": ["1"]}}]
    boundaries = [{"path": "/m.obj", "multimesh_mode": "territories"}]
    whole = column_structure()[REGION] if outer_layers else {"layers": [1], "thicknesses": None}
    structure = {
        "COL;L1": {"layers": [1, 2], "thicknesses": {1: 10, 2: 20}, "directions": directions},
        "COL;L2": {"layers": [1], "thicknesses": {1: 10}, "boundaries": boundaries},
        REGION: whole,
    }
    cells = make_cells([CENTER] * 3, regions=["COL;L1", "COL;L2", "COL;L3"])
    atlas = make_atlas(tmp_path, structure=structure)
    save_volume(atlas.volume("glomerular_territories"), np.full((4, 12, 4), 7, dtype=np.uint16))
    table = load(atlas, cells)
    assert table.synthesis_regions.tolist() == [REGION] * 3
    assert table.layer_counts.tolist() == [3 if outer_layers else 0] * 3
    asked = [1] if outer_layers else ["1"]
    first, second, third = (table.cell(row).region_meta for row in range(3))
    assert first["directions"] == [{"params": {"direction": [0, 1, 0], "layers": asked}}]
    assert first["boundaries"] is None
    assert (second["directions"], second["boundaries"]) == (None, boundaries)
    assert (third["directions"], third["boundaries"]) == (None, None)
    assert table.glomerulus_ids.tolist() == [-1, 7, -1]


def test_cells_without_axon_are_left_out(tmp_path):
    names = np.array(["axon", None, "axon"], dtype=object)
    cells = make_cells([CENTER] * 3, mtypes=["A", "B", "C"])
    table = load(make_atlas(tmp_path), cells, axon_table=(names, np.array([0.5, 1, np.nan])))
    assert table.ids.tolist() == [0, 2]
    assert table.mtypes.tolist() == ["A", "C"]
    assert table.numbers.tolist() == [0, 2]
    assert table.axon_names.tolist() == ["axon", "axon"]
    assert table.axon_scales[0] == 0.5
    assert np.isnan(table.axon_scales[1])


def test_without_axon_table_all_cells_stay(tmp_path):
    table = load(make_atlas(tmp_path), make_cells([CENTER] * 2))
    assert table.axon_names.tolist() == [None, None]
    assert np.isnan(table.axon_scales).all()


def test_classes_of_cells(tmp_path):
    cells = make_cells([CENTER] * 3, mclass=["m1", None, "m2"])
    assert load(make_atlas(tmp_path), cells).mclass.tolist() == ["m1", None, "m2"]
    assert load(make_atlas(tmp_path), make_cells([CENTER])).mclass is None


def test_no_cells(tmp_path):
    table = load(make_atlas(tmp_path), make_cells(np.empty((0, 3)), regions=[], mtypes=[]))
    assert len(table) == 0
    assert table.orientations.shape == (0, 3, 3)


def test_meta_is_json_without_places_of_files(tmp_path):
    structure = column_structure()
    structure[REGION]["boundaries"] = [{"path": "meshes/pia.obj"}, {"path": "/abs/wm.obj"}]
    atlas = make_atlas(tmp_path / "atlas", structure=structure, offset=(-200.0, 100.0, 0.0))
    table = load(atlas, make_cells([[0.0, 700.0, 150.0]]))
    meta = json.loads(json.dumps(table.meta))
    paths = [boundary["path"] for boundary in meta["regions"][REGION]["boundaries"]]
    assert paths == ["meshes/pia.obj", "/abs/wm.obj"]
    assert str(tmp_path) not in json.dumps(meta)
    assert meta["atlas"] == {
        "voxel_dimensions": [100.0, 100.0, 100.0],
        "offset": [-200.0, 100.0, 0.0],
        "shape": [4, 12, 4],
    }


def test_territories(tmp_path):
    structure = column_structure()
    structure[REGION]["boundaries"] = [{"path": "meshes", "multimesh_mode": "territories"}]
    atlas = make_atlas(tmp_path, structure=structure)
    raw = np.zeros((4, 6, 4), dtype=np.uint16)
    raw[:, 5] = 7
    save_volume(atlas.volume("glomerular_territories"), raw)
    positions = [[150.0, 550.0, 150.0], [150.0, 450.0, 150.0], [150.0, 650.0, 150.0], CENTER]
    cells = make_cells(positions, regions=["COL", "COL", "COL", "other"])
    # The third is above the territories, the fourth in a region without them.
    assert load(atlas, cells).glomerulus_ids.tolist() == [7, 0, -1, -1]


def test_look_ups_are_done_in_the_type_of_the_positions(tmp_path):
    # In float32 this position is on the border, in float64 just below it.
    atlas = make_atlas(tmp_path, offset=(0.0, -600.0, 0.0))
    below = 100.0 - 1e-9
    single = np.array([[150.0, below, 150.0]], dtype=np.float32)
    assert load(atlas, make_cells(single)).depths[0] == 450.0
    assert load(atlas, make_cells([[150.0, below, 150.0]])).depths[0] == 550.0


def test_negative_voxel_sizes(tmp_path):
    from voxcell import VoxelData

    atlas = make_atlas(tmp_path)
    for path in atlas.folder.glob("*.nrrd"):
        raw = load_raw(path)
        VoxelData(raw, (100, 100, -100), (0, 0, 400)).save_nrrd(str(path))
    table = load(atlas, make_cells([[150.0, 650.0, 399.0], [150.0, 650.0, 1.0]]))
    assert table.depths.tolist() == [550.0, 550.0]
    with pytest.raises(InvalidInput, match=r"1 of 2 cells .* \(ids 1\)"):
        load(atlas, make_cells([[150.0, 650.0, 399.0], [150.0, 650.0, -50.0]]))


def test_positions_outside_are_counted(tmp_path):
    cells = make_cells([CENTER, [150.0, 1201.0, 150.0], [-1.0, 650.0, 150.0]])
    with pytest.raises(InvalidInput, match=saying("2 of 3 cells | outside | ids 1, 2")):
        load(make_atlas(tmp_path), cells)


def test_volumes_that_do_not_fit_are_named(tmp_path):
    atlas = make_atlas(tmp_path)
    save_volume(atlas.volume("[PH]y"), np.zeros((4, 5, 4), dtype=np.float32))
    with pytest.raises(InvalidInput, match="do not fit together"):
        load(atlas, make_cells([CENTER]))


def test_every_volume_is_read_once(tmp_path, monkeypatch):
    from region_grower_flow.atlas import load as module

    read = []
    original = module.load_volume
    monkeypatch.setattr(
        module, "load_volume", lambda folder, name: read.append(name) or original(folder, name)
    )
    structure = column_structure()
    structure["COL;L1"] = {"layers": [2, 1], "thicknesses": {2: 10, 1: 20}}
    atlas = make_atlas(tmp_path, structure=structure)
    load(atlas, make_cells([CENTER] * 2, regions=["COL;L1", "COL;L2"]))
    assert sorted(read) == sorted(["[PH]1", "[PH]2", "[PH]3", "[PH]y", "orientation"])


def test_what_the_checks_have_looked_up_is_not_read_again(tmp_path, monkeypatch):
    from region_grower_flow.atlas import load as module

    atlas, cells, reads = make_atlas(tmp_path), make_cells([CENTER, [10.0, 1199.0, 10.0]]), []
    read = module.load_volume
    monkeypatch.setattr(module, "load_volume", lambda *a: reads.append(a[1]) or read(*a))
    expected = load(atlas, cells, min_depth=75)
    before = len(reads)
    load(atlas, cells, on_note=lambda *_: None)
    assert len(reads) == 2 * before
    table = load(atlas, cells, min_depth=75)
    assert len(reads) == 2 * before
    for name, column in expected.columns().items():
        np.testing.assert_array_equal(table.columns()[name], column)
    # It is used once, for the same cells and files only.
    load(atlas, cells)
    assert len(reads) == 3 * before
    load(atlas, cells, on_note=lambda *_: None)
    load(atlas, make_cells([CENTER, [10.0, 1198.0, 10.0]]))
    assert len(reads) == 5 * before
    load(atlas, cells, on_note=lambda *_: None)
    save_volume(atlas.volume("orientation"), np.array(load_raw(atlas.volume("orientation"))))
    load(atlas, cells)
    assert len(reads) == 7 * before


def test_layers_with_names(tmp_path):
    atlas = make_atlas(tmp_path, thicknesses={"mitral": 300.0, "granule": 400.0})
    table = load(atlas, make_cells([[150.0, 650.0, 150.0]], regions="COL;Lmitral"))
    assert table.layers_of(0) == [0.0, 300.0, 700.0]
    assert table.depths[0] == 50.0


@pytest.mark.golden
def test_golden_tables(shared):
    """Cells of a golden scenario, in the curved atlas with a negative voxel size."""
    from region_grower_flow.io.cells import read_cells

    inputs = shared / "golden" / "sscx" / "inputs"
    cells = read_cells(inputs / "nodes.h5")
    table = load_atlas_table(inputs / "atlas", inputs / "region_structure.yaml", cells)
    assert len(table) == 110
    # Frozen from region-grower 1.6.0.
    assert table.layers_of(60) == [0.0, 121.25, 230.75, 490.25, 629.75, 1015.5, 1530.0]
    assert table.depths[[0, 60]].tolist() == [106.5, 687.5]
    assert table.orientations[0, 0].tolist() == [
        0.17259247158051416,
        0.8577149212805527,
        -0.4842901532825384,
    ]
    assert table.synthesis_regions.tolist() == ["SSCX"] * 110


class Table(SimpleNamespace):
    def __len__(self):
        return len(self.ids)


def test_cells_below_the_layers_are_told():
    table = Table(
        ids=np.array([4, 7, 9]),
        depths=np.array([99.9, 300.1, 500.0]),
        layer_counts=np.array([2, 2, 0]),
        layer_depths=np.array([[0, 100, 300], [0, 100, 300], [np.nan] * 3]),
    )
    number, sentence = outside_of_layers(table)
    assert number == 1
    assert "1 of 3 cells lie below the layers" in sentence
    assert "(ids 7)" in sentence
    table.depths[1] = 300.0
    assert outside_of_layers(table) is None
