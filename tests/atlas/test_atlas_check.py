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
    write_structure,
)
from helpers.sentences import says
from region_grower_flow.atlas.check import check_atlas
from region_grower_flow.atlas.load import load_atlas_table
from region_grower_flow.atlas.plausible import crowded_note, depth_notes, no_region_note
from region_grower_flow.io.cells import Cells

CENTER = [150.0, 650.0, 150.0]


def problems(atlas, cells=None, **options):
    cells = make_cells([CENTER]) if cells is None else cells
    return [str(p) for p in check_atlas(atlas.folder, atlas.structure, cells, **options)]


def only(found, *words):
    assert len(found) == 1, found
    for word in words:
        assert says(found[0], word)


def test_a_sound_atlas_has_no_problems(tmp_path):
    atlas = make_atlas(tmp_path)
    assert problems(atlas) == []
    assert [str(p) for p in check_atlas(atlas.folder, atlas.structure)] == []


def test_unknown_regions_of_cells_are_no_problem(tmp_path):
    assert problems(make_atlas(tmp_path), make_cells([CENTER], regions="nowhere")) == []


def test_no_atlas_folder(tmp_path):
    atlas = make_atlas(tmp_path)
    found = check_atlas(tmp_path / "absent", atlas.structure, make_cells([CENTER]))
    only([str(p) for p in found], "absent", "folder of the atlas does not exist")


def test_a_folder_of_something_else_is_one_sentence(tmp_path):
    atlas = make_atlas(tmp_path / "atlas")
    (tmp_path / "cells").mkdir()
    found = check_atlas(tmp_path / "cells", atlas.structure, make_cells([CENTER]))
    only([str(p) for p in found], "cells", "there are no volumes", "hierarchy.json")


@pytest.mark.parametrize("name", ["orientation", "brain_regions", "[PH]y"])
def test_a_missing_volume(tmp_path, name):
    atlas = make_atlas(tmp_path)
    atlas.volume(name).unlink()
    only(problems(atlas), f"{name}.nrrd", "does not exist")


def test_a_layer_without_volume_is_a_problem_of_the_structure(tmp_path):
    atlas = make_atlas(tmp_path)
    structure = {REGION: {"layers": [1, 2, 7], "thicknesses": {1: 1, 2: 1, 7: 1}}}
    write_structure(atlas.structure, structure)
    only(problems(atlas), "region_structure.yaml", "COL -> layers", "no layer 7", "1, 2, 3")


def test_layers_of_regions_without_cells_do_not_matter(tmp_path):
    atlas = make_atlas(tmp_path)
    structure = column_structure() | {"other": {"layers": [9], "thicknesses": {9: 1}}}
    write_structure(atlas.structure, structure)
    assert problems(atlas) == []
    only([str(p) for p in check_atlas(atlas.folder, atlas.structure)], "other", "no layer 9")


@pytest.mark.parametrize("content", [b"", b"no NRRD at all", b"NRRD0004\ntype: float\n\n"])
def test_an_unreadable_volume(tmp_path, content):
    atlas = make_atlas(tmp_path)
    atlas.volume("orientation").write_bytes(content)
    only(problems(atlas), "orientation.nrrd", "cannot be read")


def test_a_truncated_volume(tmp_path):
    atlas = make_atlas(tmp_path)
    path = atlas.volume("[PH]2")
    path.write_bytes(path.read_bytes()[:-40])
    only(problems(atlas), "[PH]2.nrrd", "cannot be read")


def test_volumes_of_another_shape(tmp_path):
    atlas = make_atlas(tmp_path)
    save_volume(atlas.volume("[PH]y"), np.zeros((4, 5, 4), dtype=np.float32))
    only(problems(atlas), "'[PH]y' has 4 x 5 x 4 voxels", "4 x 12 x 4")


def test_volumes_at_another_place(tmp_path):
    atlas = make_atlas(tmp_path)
    save_volume(atlas.volume("[PH]y"), load_raw(atlas.volume("[PH]y")), offset=(0, 50, 0))
    only(problems(atlas), "'[PH]y' has its corner at 0, 50, 0 um", "0, 0, 0")


def test_volumes_of_another_voxel_size(tmp_path):
    atlas = make_atlas(tmp_path)
    save_volume(atlas.volume("[PH]1"), load_raw(atlas.volume("[PH]1")), voxel=90.0)
    only(problems(atlas), "'[PH]1' has voxels of 90, 90, 90 um", "100, 100, 100")


def test_volumes_with_another_payload(tmp_path):
    atlas = make_atlas(tmp_path)
    save_volume(atlas.volume("[PH]1"), np.zeros((4, 12, 4), dtype=np.float32))
    save_volume(atlas.volume("orientation"), np.zeros((4, 12, 4, 3), dtype=np.float32))
    found = problems(atlas)
    assert len(found) == 2
    assert says(found[0], "'orientation' | 3 numbers | expected 4")
    assert says(found[1], "'[PH]1' | 1 number | expected 2")


def test_cells_outside_are_counted_and_named(tmp_path):
    positions = [CENTER, [150.0, 1250.0, 150.0], [-5.0, 1.0, 1.0], [np.nan, 1.0, 1.0]]
    only(problems(make_atlas(tmp_path), make_cells(positions)), "3 of 4 cells", "ids 1, 2, 3")


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("orientation", "'orientation' | NaN | 2 of 2 cells | ids 0, 1"),
        ("[PH]y", "'[PH]y' | top layer | NaN | 2 of 2 cells"),
        ("[PH]2", "layer | NaN | 2 of 2 cells | ids 0, 1"),
    ],
)
def test_nan_at_all_cells(tmp_path, name, words):
    atlas = make_atlas(tmp_path)
    save_volume(atlas.volume(name), np.full_like(load_raw(atlas.volume(name)), np.nan))
    cells = make_cells([CENTER, [350.0, 650.0, 350.0]])
    only(problems(atlas, cells), words)


@pytest.mark.parametrize("name", ["orientation", "[PH]y", "[PH]2"])
def test_some_cells_without_a_value_are_a_warning(tmp_path, caplog, name):
    # region-grower drops them, however many they are.
    atlas = make_atlas(tmp_path)
    raw = np.array(load_raw(atlas.volume(name)))
    raw[3, 6, 3] = np.nan
    save_volume(atlas.volume(name), raw)
    without = [350.0, 650.0, 350.0]
    assert problems(atlas, make_cells([CENTER])) == []
    assert not caplog.text
    assert problems(atlas, make_cells([without, without, CENTER])) == []
    assert "(NaN) at 2 of 3 cells (ids 0, 1)" in caplog.text
    assert "will be dropped" in caplog.text


def test_nan_of_a_layer_below_the_cells_is_no_problem(tmp_path, caplog):
    atlas = make_atlas(tmp_path)
    save_volume(atlas.volume("[PH]3"), np.full((4, 12, 4, 2), np.nan, dtype=np.float32))
    assert problems(atlas, make_cells([CENTER])) == []
    assert not caplog.text


def test_nan_where_a_region_has_no_layers_is_no_problem(tmp_path):
    atlas = make_atlas(tmp_path)
    raw = np.full((4, 12, 4), np.nan, dtype=np.float32)
    save_volume(atlas.volume("[PH]y"), raw)
    assert problems(atlas, make_cells([CENTER], regions="other")) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "does not exist"),
        ("", "is empty"),
        ("{", "not JSON at line 1, column 2"),
        ("[1]", "the root is not a region"),
        ('{"id": 1, "name": "root"}', "has no 'acronym'"),
        ('{"acronym": "root"}', "has no 'id'"),
        ('{"id": [1], "acronym": "root"}', "the region 'root' has no 'id'"),
        ('{"id": true, "acronym": "root"}', "the region 'root' has no 'id'"),
        ('{"id": 1, "acronym": "a", "children": 5}', "'children' of the region 'a' is not a list"),
        ('{"id": 1, "acronym": "a", "children": [{"id": 1, "acronym": "b"}]}', "the id 1"),
        ('{"msg": []}', "'msg' must hold one region"),
    ],
)
def test_a_broken_hierarchy(tmp_path, content, words):
    atlas = make_atlas(tmp_path)
    path = tmp_path / "hierarchy.json"
    path.unlink()
    if content is not None:
        path.write_text(content)
    only(problems(atlas), "hierarchy.json", words)


def test_a_hierarchy_in_the_layout_of_the_allen_institute(tmp_path):
    atlas = make_atlas(tmp_path)
    path = tmp_path / "hierarchy.json"
    path.write_text(json.dumps({"msg": [json.loads(path.read_text())]}))
    assert problems(atlas) == []


def test_territories_need_their_volume(tmp_path):
    (tmp_path / "meshes").mkdir()
    (tmp_path / "meshes" / "glomeruli_000.obj").write_text("v 0 0 0\n")
    structure = column_structure()
    structure[REGION]["boundaries"] = [{"path": "meshes", "multimesh_mode": "territories"}]
    atlas = make_atlas(tmp_path, structure=structure)
    only(problems(atlas), "glomerular_territories.nrrd", "does not exist")


def test_all_problems_at_once(tmp_path):
    atlas = make_atlas(tmp_path)
    atlas.volume("orientation").unlink()
    save_volume(atlas.volume("[PH]y"), np.zeros((4, 5, 4), dtype=np.float32))
    (tmp_path / "hierarchy.json").write_text("{")
    found = problems(atlas, make_cells([CENTER, [0.0, 5000.0, 0.0]]))
    text = "\n".join(found)
    assert len(found) == 4
    for words in ("hierarchy.json", "orientation.nrrd", "4 x 5 x 4", "1 of 2 cells"):
        assert words in text


@pytest.mark.golden
@pytest.mark.parametrize("scenario", ["plain", "boundary", "peer_suite", "sscx"])
def test_the_golden_atlases_are_sound(shared, scenario):
    from region_grower_flow.io.cells import read_cells

    inputs = shared / "golden" / scenario / "inputs"
    cells = read_cells(inputs / "nodes.h5")
    assert check_atlas(inputs / "atlas", inputs / "region_structure.yaml", cells) == []


def test_quaternions_of_zeros_are_no_rotation(tmp_path, caplog):
    atlas = make_atlas(tmp_path)
    raw = np.array(load_raw(atlas.volume("orientation")))
    raw[:2] = 0.0
    save_volume(atlas.volume("orientation"), raw)
    assert problems(atlas, make_cells([CENTER, [350.0, 650.0, 150.0]])) == []
    assert "(NaN) at 1 of 2 cells (ids 0)" in caplog.text
    only(problems(atlas, make_cells([CENTER])), "'orientation' has no value", "1 of 1 cells")


def test_cells_that_no_entry_serves_are_told_with_a_remedy(tmp_path, caplog):
    atlas = make_atlas(tmp_path)
    cells = make_cells([CENTER] * 3, regions=["S1FL", "S1FL", "COL;L2@left"])
    assert problems(atlas, cells) == []
    for words in ("3 of 3 cells", "S1FL", "COL;L2@left", "region_map = S1FL:COL"):
        assert words in caplog.text
    found = problems(atlas, cells, allow_no_layers=False)
    only(found, "region_structure.yaml", "no entry serves the regions of 3 of 3 cells")
    assert "region_map = S1FL:COL, COL;L2@left:COL;L2" in found[0]


def test_an_entry_default_serves_all(tmp_path, caplog):
    atlas = make_atlas(tmp_path)
    write_structure(atlas.structure, column_structure() | {"default": {}})
    cells = make_cells([CENTER], regions="nowhere")
    assert problems(atlas, cells, allow_no_layers=False) == []
    assert not caplog.text


def test_ids_that_the_hierarchy_lacks_are_counted(tmp_path, caplog):
    atlas = make_atlas(tmp_path)
    ids = load_raw(atlas.volume("brain_regions")).astype(np.int32)
    save_volume(atlas.volume("brain_regions"), -ids)
    assert problems(atlas) == []
    assert says(caplog.text, "1 of 1 voxels | hierarchy | -3 (1)")
    assert "one hemisphere" in caplog.text


def rewrite(path, change):
    import nrrd

    raw, header = nrrd.read(str(path))
    raw, header = change(raw, dict(header))
    nrrd.write(str(path), raw, header)


def test_a_big_endian_volume_is_read(tmp_path):
    atlas = make_atlas(tmp_path)
    expected = load_atlas_table(atlas.folder, atlas.structure, make_cells([CENTER]))
    for name in ("orientation", "[PH]1", "[PH]y", "brain_regions"):
        rewrite(
            atlas.volume(name),
            lambda raw, header: (
                raw.astype(raw.dtype.newbyteorder(">")),
                {**header, "encoding": "raw", "endian": "big"},
            ),
        )
    assert problems(atlas) == []
    table = load_atlas_table(atlas.folder, atlas.structure, make_cells([CENTER]))
    np.testing.assert_array_equal(table.orientations, expected.orientations)
    np.testing.assert_array_equal(table.depths, expected.depths)


def swapped(raw, header):
    lines = np.array(header["space directions"])
    header["space directions"] = np.concatenate([lines[:-3], lines[-3:][[2, 1, 0]]])
    return raw, header


def turned(raw, header):
    lines = np.array(header["space directions"])
    lines[-1, -3] = 20.0
    header["space directions"] = lines
    return raw, header


def without_sizes(raw, header):
    del header["space directions"]
    return raw, header


def in_mm(raw, header):
    header["space directions"] = np.array(header["space directions"]) / 1000
    header["space units"] = ["mm"] * 3
    return raw, header


def last_axis(raw, header):
    lines = np.array(header["space directions"])
    header["space directions"] = np.concatenate([lines[1:], lines[:1]])
    return np.moveaxis(raw, 0, -1), header


@pytest.mark.filterwarnings("error", "ignore::DeprecationWarning:nrrd")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (swapped, "permuted | 'space directions'"),
        (turned, "its axes are rotated"),
        (without_sizes, "header | 'space directions' | 'spacings'"),
        (in_mm, "its 'space units' are mm, expected um"),
        (last_axis, "what its voxels hold is along its last axis"),
    ],
)
def test_headers_that_are_not_read_are_told_by_their_cause(tmp_path, change, words):
    atlas = make_atlas(tmp_path)
    rewrite(atlas.volume("orientation"), change)
    only(problems(atlas), "orientation.nrrd", words)


def test_any_named_space_and_the_noise_of_rounding_are_read(tmp_path):
    atlas = make_atlas(tmp_path)

    def named(raw, header):
        header.pop("space dimension")
        header["space"] = "superior-anterior-left"
        lines = np.array(header["space directions"])
        lines[-1, -3] = 1e-9
        return raw, {**header, "space directions": lines}

    for path in atlas.folder.glob("*.nrrd"):
        rewrite(path, named)
    assert problems(atlas) == []


@pytest.mark.parametrize(
    ("factor", "shift", "words"),
    [
        (1000.0, 0.0, "are their positions in nm?"),
        (0.001, 10.0, "are their positions in mm?"),
        (0.01, 0.0, "are their positions in voxels?"),
        (1.0, -1000.0, "is the origin | the corner"),
        (1.0, 1e5, "are they of this atlas? (cells x 1.0115e+05"),
    ],
)
def test_cells_outside_are_asked_for_their_unit(tmp_path, factor, shift, words):
    atlas = make_atlas(tmp_path, offset=(1000.0, 1000.0, 1000.0))
    inside = np.array([[150.0, 650.0, 150.0], [350.0, 850.0, 50.0]])
    positions = (inside + 1000.0) * factor
    if words.startswith("are their positions in mm"):
        positions = (inside + 1000.0) * factor
    elif words.startswith("are their positions in voxels"):
        positions = inside * factor
    else:
        positions += shift
    found = " ".join(problems(atlas, make_cells(positions))).lower()
    assert says(found, words.lower())


@pytest.mark.parametrize(
    ("depths", "thickness", "words"),
    [
        ([-60.0, 100.0], 100.0, "1 of 2 cells | 50 um above | first layer"),
        ([10.0, 100.0], -100.0, "bounds of layer 2 | order | 2 cells"),
        ([10.0, 100.0], 0.1, "layer 2 | 0.1 um | 110 um"),
        ([10.0, 20.0, 30.0], [110.0, 11767.0, 100.0], "layer 2 | 1.18e+04 um | 1 of 3 | [PH]2"),
        ([-20.0, 100.0], 90.0, None),
        ([10.0, 20.0, 30.0], [110.0, 1000.0, 0.0], None),
    ],
)
def test_depths_that_cannot_be_meant_are_told(depths, thickness, words):
    given = {2: np.broadcast_to(thickness, len(depths))}
    notes = [note for note, _ in depth_notes("COL", np.array(depths), given, {2: 110})]
    assert [says(note, words) for note in notes] == ([] if words is None else [True])


def test_cells_where_the_atlas_has_no_region_are_told():
    assert says(no_region_note({0: 3, 7: 5}), "3 of 8 cells | no region")
    assert no_region_note({7: 5}) is None


def test_cells_in_one_voxel_are_told():
    volume = SimpleNamespace(voxel_dimensions=np.array([25.0, 25.0, -25.0]))
    cells = np.random.default_rng(0).uniform(0, 0.9, (6, 3))
    assert "within one voxel" in crowded_note(cells, volume)
    assert crowded_note(cells[:3], volume) is None
    assert crowded_note(1000 * cells, volume) is None


def in_all_layers(count=5):
    made = make_cells([[150.0, 150.0 + 200.0 * i, 150.0] for i in range(count)])
    return Cells(made.positions, None, made.properties)


@pytest.mark.parametrize(
    ("down", "cells", "count"),
    [((0.0, 1.0, 0.0, 0.0), 5, 1), ((0.0, 1.0, 0.0, 0.0), 4, 0), ((1.0, 0.0, 0.0, 0.0), 5, 0)],
)
def test_directions_that_point_down_at_all_cells_are_refused(tmp_path, down, cells, count):
    """All cells were grown upside down, after a warning."""
    atlas = make_atlas(tmp_path, quaternion=down)
    found = problems(atlas, in_all_layers(cells))
    assert [says(text, "falls along | 5 of 5 cells | pia") for text in found] == [True] * count


def test_layers_that_are_exchanged_at_all_cells_are_refused(tmp_path):
    """Depths are sums of thicknesses: those of both layers were wrong, after a warning."""
    atlas = make_atlas(tmp_path, thicknesses={1: 200, 2: 300, 3: 700})
    second, third = atlas.volume("[PH]2"), atlas.volume("[PH]3")
    kept = second.rename(tmp_path / "kept")
    third.rename(second)
    kept.rename(third)
    only(problems(atlas, in_all_layers()), "1000 um are in both | layers 2 and 3 | in the order of")


def test_bounds_of_unsigned_volumes_may_be_in_the_wrong_order(tmp_path):
    """Their difference was 65,136 um."""
    atlas = make_atlas(tmp_path)
    raw = load_raw(atlas.volume("[PH]2")).astype(np.uint16)
    save_volume(atlas.volume("[PH]2"), raw[..., ::-1])
    only(problems(atlas, in_all_layers()), "bounds of layer 2 | wrong order at 5 cells")


def test_orientations_of_another_type_say_what_to_do(tmp_path):
    atlas = make_atlas(tmp_path)
    raw = load_raw(atlas.volume("orientation"))
    save_volume(atlas.volume("orientation"), raw.astype(np.int16))
    only(problems(atlas, in_all_layers()), "int16 | as float32")
