"""Cells are read with a sentence for each fault, and written as voxcell and libsonata read them."""

import os
import resource
import subprocess
import sys
import warnings

import h5py
import libsonata
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from voxcell import CellCollection

from helpers.sentences import saying, says
from region_grower_flow.errors import InvalidInput, InvalidInputs, OutputFailed
from region_grower_flow.io.cell_files import write_cells
from region_grower_flow.io.cells import Cells, read_cells, unread_note
from region_grower_flow.io.morphologies import morphology_name
from region_grower_flow.io.ranges import count_cells

PROPERTY = settings(deadline=None, derandomize=True, max_examples=25)


def collection(n=6, orientations=False):
    cells = CellCollection("cells")
    cells.positions = np.arange(3.0 * n).reshape(n, 3) / 7
    cells.properties = pd.DataFrame(
        {
            "mtype": ["L1_A", "L2_B"] * (n // 2) + ["L1_A"] * (n % 2),
            "region": ["mc0;1"] * n,
            "etype": [f"unique{i}" for i in range(n)],
            "count": np.arange(n),
            "ratio": np.linspace(0, 1, n) if n else np.empty(0),
            "@dynamics:threshold_current": np.full(n, 0.1),
        }
    )
    if orientations:
        cells.orientations = np.broadcast_to(np.diag([-1.0, -1.0, 1.0]), (n, 3, 3))
    return cells


@pytest.fixture(params=["nodes.h5", "cells.mvd3"])
def path(request, tmp_path):
    return tmp_path / request.param


@pytest.fixture
def nodes(tmp_path):
    """A sound nodes file to be damaged."""
    collection().save(str(tmp_path / "nodes.h5"))
    return tmp_path / "nodes.h5"


def names(cells, dropped=()):
    return [None if i in dropped else morphology_name(i) for i in range(len(cells))]


@pytest.mark.parametrize("orientations", [False, True])
def test_cells_are_read_as_voxcell_reads_them(path, orientations):
    collection(orientations=orientations).save(str(path))
    cells, expected = read_cells(path), CellCollection.load(str(path))
    np.testing.assert_array_equal(cells.positions, expected.positions)
    assert cells.positions.dtype == np.float64
    assert cells.population == ("cells" if path.suffix == ".h5" else "default")
    if orientations:
        np.testing.assert_array_equal(cells.orientations, expected.orientations)
    else:
        assert cells.orientations is None
    assert list(cells.properties) == sorted(expected.properties)
    for name in expected.properties:
        pd.testing.assert_series_equal(cells.properties[name], expected.properties[name])


def test_euler_angles_are_read(tmp_path):
    cells = collection(orientations=True)
    cells.orientation_format = "eulers"
    cells.save(str(tmp_path / "nodes.h5"))
    np.testing.assert_allclose(
        read_cells(tmp_path / "nodes.h5").orientations, cells.orientations, atol=1e-12
    )


def test_an_empty_population_is_read_and_written(path):
    collection(0).save(str(path))
    cells = read_cells(path)
    assert len(cells) == 0
    assert cells.positions.shape == (0, 3)
    write_cells(path, cells, [])
    again = read_cells(path)
    assert len(again) == 0
    assert "morphology" not in again.properties


def test_dropped_cells_are_left_out_and_the_rest_is_kept(path):
    collection(orientations=True).save(str(path))
    cells = read_cells(path)
    write_cells(path, cells, names(cells, dropped=(1, 4)))
    found = CellCollection.load(str(path))
    kept = [0, 2, 3, 5]
    assert list(found.properties["morphology"]) == [morphology_name(i) for i in kept]
    assert set(found.properties["morphology_producer"]) == {"synthesis"}
    np.testing.assert_allclose(found.positions, cells.positions[kept], rtol=1e-7)
    np.testing.assert_array_equal(found.orientations, np.broadcast_to(np.eye(3), (4, 3, 3)))
    for name in cells.properties:
        assert list(found.properties[name]) == list(cells.properties[name].iloc[kept]), name


def test_all_cells_dropped(path):
    collection().save(str(path))
    cells = read_cells(path)
    write_cells(path, cells, [None] * 6)
    assert len(read_cells(path)) == 0


def test_the_types_of_sonata(tmp_path):
    cells = collection(9)
    cells.save(str(tmp_path / "in.h5"))
    cells = read_cells(tmp_path / "in.h5")
    write_cells(tmp_path / "nodes.h5", cells, names(cells))
    with h5py.File(tmp_path / "nodes.h5", "r") as file:
        population = file["nodes/cells"]
        assert (population["node_type_id"][()] == -1).all()
        group = population["0"]
        for axis in "wxyz":
            assert group[f"orientation_{axis}"].dtype == np.float32, axis
        assert sorted(group["@library"]) == ["morphology_producer", "mtype", "region"]
        assert group["mtype"].dtype == np.uint32
        assert group["etype"].dtype == object
        assert group["count"].dtype == np.int64
        assert list(group["dynamics_params"]) == ["threshold_current"]


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_positions_far_from_the_origin_stay_as_they_are(path, kind):
    cells = collection(3)
    cells.positions = (cells.positions + 3e6).astype(kind)
    cells.save(str(path))
    read = read_cells(path)
    write_cells(path, read, names(read))
    written = read_cells(path).positions
    assert written.dtype == kind
    assert np.array_equal(written, cells.positions)


def test_libsonata_reads_the_nodes(tmp_path):
    collection(9).save(str(tmp_path / "in.h5"))
    cells = read_cells(tmp_path / "in.h5")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_cells(tmp_path / "nodes.h5", cells, names(cells, dropped=(0,)))
        storage = libsonata.NodeStorage(str(tmp_path / "nodes.h5"))
        population = storage.open_population("cells")
        everything = population.select_all()
        assert population.size == 8
        assert population.enumeration_names == {"morphology_producer", "mtype", "region"}
        assert population.get_attribute("morphology", everything)[0] == morphology_name(1)
        assert population.get_attribute("mtype", everything)[0] == "L2_B"
        assert population.dynamics_attribute_names == {"threshold_current"}
        assert (population.get_attribute("orientation_w", everything) == 1).all()


def test_columns_of_an_earlier_synthesis_are_replaced(path):
    before = collection()
    before.properties["morphology"] = "old"
    before.properties["morphology_producer"] = "biologic"
    before.save(str(path))
    cells = read_cells(path)
    write_cells(path, cells, names(cells))
    after = read_cells(path).properties
    assert list(after["morphology"]) == names(cells)
    assert set(after["morphology_producer"]) == {"synthesis"}
    assert set(cells.properties["morphology"]) == {"old"}


TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)


@PROPERTY
@given(
    st.lists(
        st.tuples(TEXT, TEXT, st.floats(-1e4, 1e4), st.booleans()),
        max_size=8,
    )
)
def test_any_names_survive_the_round_trip(tmp_path_factory, rows):
    folder = tmp_path_factory.mktemp("cells")
    properties = pd.DataFrame(
        {"mtype": [row[0] for row in rows], "region": [row[1] for row in rows]}, dtype=object
    )
    positions = np.array([[row[2]] * 3 for row in rows]).reshape(-1, 3)
    kept = [row for row in rows if row[3]]
    for name in ("nodes.h5", "cells.mvd3"):
        made = [morphology_name(i) if row[3] else None for i, row in enumerate(rows)]
        write_cells(folder / name, Cells(positions, None, properties, "p"), made)
        found = read_cells(folder / name)
        assert list(found.properties["mtype"]) == [row[0] for row in kept]
        assert list(found.properties["region"]) == [row[1] for row in kept]
        np.testing.assert_array_equal(
            found.positions[:, 0].astype("f4"), np.array([row[2] for row in kept], "f4")
        )


@pytest.mark.golden
def test_nodes_of_the_reference(shared, tmp_path):
    seeds = {"synthdb_rat": 12}
    scenarios = [path.parent for path in (shared / "golden").glob("*/inputs")]
    assert scenarios
    for scenario in scenarios:
        expected = CellCollection.load(str(scenario / "golden" / "nodes.h5"))
        made = set(expected.properties["morphology"])
        cells = read_cells(scenario / "inputs" / "nodes.h5")
        first = seeds.get(scenario.name, 0)
        all_names = [morphology_name(first + i) for i in range(len(cells))]
        given_names = [name if name in made else None for name in all_names]
        write_cells(tmp_path / "nodes.h5", cells, given_names)
        found = CellCollection.load(str(tmp_path / "nodes.h5"))
        assert set(found.properties) == set(expected.properties)
        for name in expected.properties:
            pd.testing.assert_series_equal(found.properties[name], expected.properties[name])
        np.testing.assert_allclose(found.positions, expected.positions, atol=1e-3)
        np.testing.assert_array_equal(found.orientations, expected.orientations)


# Faults of the input: each gets one sentence that names the place.


def refused(path):
    with pytest.raises(InvalidInput) as caught:
        read_cells(path)
    sentence = str(caught.value)
    assert sentence.startswith(str(path))
    return sentence


def change(path, action):
    with h5py.File(path, "r+") as file:
        action(file)


@pytest.mark.parametrize("name", ["cells.csv", "cells", "cells.h5.gz"])
def test_other_kinds_of_files(tmp_path, name):
    (tmp_path / name).write_text("x")
    assert "is not a kind of cells file" in refused(tmp_path / name)


def test_missing_files_and_folders(path):
    assert "there is no such file" in refused(path)
    path.mkdir()
    assert "is a folder" in refused(path)


@pytest.mark.parametrize("content", [b"", b"x,y,z\n1,2,3\n", b"\x89HDF\r\n\x1a\n" + bytes(40)])
def test_files_that_are_not_hdf5(path, content):
    path.write_bytes(content)
    assert "HDF5" in refused(path)


def test_truncated_files_at_every_length(path):
    collection(50).save(str(path))
    content = path.read_bytes()
    for length in range(0, len(content), 331):
        path.write_bytes(content[:length])
        assert "HDF5" in refused(path)


@pytest.mark.slow
def test_damaged_files_do_not_end_in_a_traceback(path):
    """Bytes turned at random: read, or refused with a sentence (in a process of its own)."""
    collection(50).save(str(path))
    script = (
        "import sys, numpy as np\n"
        "from region_grower_flow.errors import InvalidInput\n"
        "from region_grower_flow.io.cells import read_cells\n"
        "path, refused = sys.argv[1], 0\n"
        "content = open(path, 'rb').read()\n"
        "rng = np.random.default_rng(0)\n"
        "for _ in range(50):\n"
        "    damaged = bytearray(content)\n"
        "    for place in rng.integers(len(content), size=20):\n"
        "        damaged[place] ^= int(rng.integers(1, 256))\n"
        "    open(path, 'wb').write(damaged)\n"
        "    try:\n"
        "        read_cells(path)\n"
        "    except InvalidInput as error:\n"
        "        assert str(error).startswith(path), error\n"
        "        refused += 1\n"
        "print(refused)\n"
    )
    command = [sys.executable, "-c", script, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 5


def test_hdf5_files_that_are_not_cells(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("points", data=np.zeros(3))
    words = "no group 'nodes' (found: points)" if path.suffix == ".h5" else "'cells/positions'"
    assert words in refused(path)


def test_cells_without_node_types_are_counted(nodes):
    # SONATA asks for node types; voxcell, and so region-grower, does without.
    change(nodes, lambda file: file["nodes/cells"].__delitem__("node_type_id"))
    assert count_cells(nodes) == len(read_cells(nodes)) == len(collection())


def test_populations(nodes):
    change(nodes, lambda file: file.copy("nodes/cells", "nodes/other"))
    assert says(refused(nodes), "one population | found 2: | cells, other")
    change(nodes, lambda file: file["nodes/other/0/x"].__setitem__(..., 7.0))
    chosen = read_cells(nodes, population="other")
    assert chosen.population == "other"
    assert (chosen.positions[:, 0] == 7.0).all()
    assert count_cells(nodes, "other") == len(chosen)
    with pytest.raises(InvalidInput, match=r"no population 'othr'.*other"):
        read_cells(nodes, population="othr")
    change(nodes, lambda file: file["nodes"].clear())
    assert "expected one population of nodes, found 0" in refused(nodes)


def test_group_zero_is_missing(nodes):
    change(nodes, lambda file: file.move("nodes/cells/0", "nodes/cells/1"))
    assert "/nodes/cells: the population has no group '0'" in refused(nodes)


def test_missing_columns_are_named_with_what_is_there(nodes):
    def rename(file):
        file.move("nodes/cells/0/mtype", "nodes/cells/0/m_type")
        del file["nodes/cells/0/z"]

    change(nodes, rename)
    sentence = refused(nodes)
    assert "columns 'z', 'mtype' are missing" in sentence
    assert "etype, m_type, ratio, region, x, y" in sentence
    assert "Did you mean 'm_type'?" in sentence


def test_columns_that_are_asked_for(path):
    collection().save(str(path))
    read_cells(path, required=("mtype", "etype"))
    with pytest.raises(InvalidInput, match="column 'layer' is missing"):
        read_cells(path, required=("mtype", "layer"))


def test_missing_columns_of_mvd3(tmp_path):
    path = tmp_path / "c.mvd3"
    collection().save(str(path))
    change(path, lambda file: file["cells/properties"].__delitem__("region"))
    assert "column 'region' is missing" in refused(path)
    change(path, lambda file: file.__delitem__("cells/properties"))
    assert "columns 'mtype', 'region' are missing" in refused(path)


def test_shape_of_positions_in_mvd3(tmp_path):
    path = tmp_path / "c.mvd3"
    collection().save(str(path))

    def flatten(file):
        del file["cells/positions"]
        file["cells/positions"] = np.zeros((6, 2))

    change(path, flatten)
    assert "shape (6, 2), expected (N, 3)" in refused(path)


@pytest.mark.parametrize("length", [0, 5, 7])
def test_columns_of_different_length(path, length):
    collection().save(str(path))
    place = "nodes/cells/0/count" if path.suffix == ".h5" else "cells/properties/count"

    def shorten(file):
        del file[place]
        file[place] = np.zeros(length)

    change(path, shorten)
    sentence = refused(path)
    assert "the columns have different lengths" in sentence
    assert f"count: {length}, " in sentence


def test_positions_that_are_not_finite(path):
    cells = collection()
    cells.positions[[1, 4], [0, 2]] = np.nan, np.inf
    cells.save(str(path))
    assert says(refused(path), "positions | 2 cells | not finite | ids 1, 4")


def test_mtypes_that_are_numbers(path):
    cells = collection()
    cells.properties["mtype"] = np.arange(6)
    cells.properties["region"] = np.arange(6.0)
    cells.save(str(path))
    with pytest.raises(InvalidInputs) as caught:
        read_cells(path)
    assert len(caught.value.problems) == 2
    assert "column 'mtype' holds numbers, expected names" in str(caught.value)


def test_counts_that_the_file_does_not_hold(nodes):
    """A few bytes can claim terabytes: found before any memory is asked for."""

    def claim(file):
        group = file["nodes/cells/0"]
        for name in list(group):
            del group[name]
        for name in ("x", "y", "z", "mtype", "region"):
            group.create_dataset(name, shape=(1 << 40,), dtype="f8")

    change(nodes, claim)
    assert says(refused(nodes), "1099511627776 values | not hold as many")


def test_indices_beyond_the_library(nodes):
    def break_index(file):
        file["nodes/cells/0/region"][2] = 99

    change(nodes, break_index)
    assert says(refused(nodes), "'region' | 1 texts | '@library/region'")


def replaced(place, values):
    """A change of a file: other values in the place of a dataset."""

    def change_values(file):
        old = file[place][()] if place in file else None
        if old is not None:
            file.__delitem__(place)
        file[place] = values(old)

    return change_values


@pytest.mark.parametrize(
    ("place", "values", "words"),
    [
        # voxcell stacks these to other positions, in the atlas or not.
        ("x", lambda old: old[:, np.newaxis], "column 'x' | shape (6, 1) | one value per cell"),
        ("count", lambda old: np.zeros((6, 2)), "column 'count' | (6, 2) | one value per cell"),
        ("mtype", lambda old: old.astype(float), "column 'mtype' | whole numbers | @library/mtype"),
        ("@library/mtype", lambda old: np.array([b"A", b"A"]), "'@library/mtype' | each | once"),
        ("dynamics_params/threshold_current", lambda old: old[:4], "threshold_current: 4"),
    ],
)
def test_columns_that_are_not_one_value_per_cell(tmp_path, place, values, words):
    path, cells = tmp_path / "nodes.h5", collection()
    cells.properties["mtype"] = ["L1_A"] * 5 + ["L2_B"]
    cells.save(str(path))
    change(path, replaced(f"nodes/cells/0/{place}", values))
    assert says(refused(path), words)


@pytest.mark.parametrize(
    ("place", "values", "words"),
    [
        ("cells/properties/count", lambda old: np.zeros((6, 2)), "column 'count' | (6, 2)"),
        ("cells/properties/mtype", lambda old: old.astype(float), "'mtype' | 'library/mtype'"),
        ("cells/properties/mtype", lambda old: old.astype(int) - 1, "'mtype' | points beyond"),
        ("library/mtype", lambda old: np.array([b"A", b"A"]), "'library/mtype' | each | once"),
        ("cells/properties/more/of", lambda old: [1], "'cells/properties/more' is a group"),
        ("cells/orientations", lambda old: np.zeros((3, 4)), "orientations: 3"),
    ],
)
def test_columns_of_mvd3_that_are_not_one_value_per_cell(tmp_path, place, values, words):
    path = tmp_path / "cells.mvd3"
    collection().save(str(path))
    change(path, replaced(place, values))
    assert says(refused(path), words)


def test_incomplete_orientations(nodes):
    change(nodes, lambda file: file["nodes/cells/0"].create_dataset("orientation_w", data=[1] * 6))
    assert "orientation" in refused(nodes)


def test_the_file_size_limit_is_a_sentence(path):
    collection(2000).save(str(path))
    cells = read_cells(path)
    content = path.read_bytes()
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(OutputFailed, match="the file-size limit is reached"):
            write_cells(path, cells, names(cells))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_bytes() == content
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("fill", [b"\0", b" "], ids=["NUL", "blank"])
@pytest.mark.parametrize("library", [False, True])
def test_text_of_fixed_length_is_decoded(nodes, fill, library):
    """As np.bytes_, C and Fortran write it, in columns and in SONATA's library."""
    expected = list(read_cells(nodes).properties["region"])

    def fixed(file):
        place = file["nodes/cells/0/@library" if library else "nodes/cells/0"]
        values = ["mc0;1"] * (1 if library else 6)
        texts = np.array([value.encode().ljust(9, fill) for value in values], "S9")
        if not library:
            file.__delitem__("nodes/cells/0/@library/region")
        place.__delitem__("region")
        place.create_dataset("region", data=texts)

    change(nodes, fixed)
    found = read_cells(nodes).properties["region"]
    assert list(found) == expected
    assert all(type(name) is str for name in found)


def test_mvd3_libraries_of_fixed_length_are_decoded(tmp_path):
    path = tmp_path / "cells.mvd3"
    collection(9).save(str(path))
    expected = list(read_cells(path).properties["mtype"])

    def fixed(file):
        names = [name.encode() for name in file["library/mtype"].asstr()[()]]
        file.__delitem__("library/mtype")
        file["library/mtype"] = np.array(names, "S16")

    change(path, fixed)
    assert list(read_cells(path).properties["mtype"]) == expected


def test_fixed_text_that_is_no_utf8_is_refused_by_its_column(nodes):
    def latin(file):
        file.__delitem__("nodes/cells/0/etype")
        file["nodes/cells/0/etype"] = np.array([b"\xe9"] * 6, "S3")

    change(nodes, latin)
    with pytest.raises(InvalidInput, match=r"column 'etype' holds text that is not UTF-8"):
        read_cells(nodes)


def test_nodes_of_other_groups_or_another_order_are_refused(nodes):
    def grouped(ids, index, other=False):
        def edit(file):
            population = file["nodes/cells"]
            for name in ("node_group_id", "node_group_index"):
                population.pop(name, None)
            if ids is not None:
                population["node_group_id"] = ids
            if index is not None:
                population["node_group_index"] = index
            if other:
                population["1/x"] = np.zeros(3)

        change(nodes, edit)
        return read_cells(nodes)

    assert len(grouped(np.zeros(6, int), np.arange(6))) == 6
    with pytest.raises(InvalidInput, match="in group '1'"):
        grouped([0, 0, 1, 1, 0, 0], [0, 1, 0, 1, 2, 3])
    with pytest.raises(InvalidInput, match="is of 8 nodes, group '0' has 6 rows"):
        grouped(np.zeros(8, int), np.arange(8))
    with pytest.raises(InvalidInput, match="another order"):
        grouped(np.zeros(6, int), np.arange(6)[::-1])
    with pytest.raises(InvalidInput, match="nodes in the groups '0', '1'"):
        grouped(None, None, other=True)


@pytest.fixture
def grouped(nodes):
    """Six nodes: ids 1 and 4 are in group 1, in the other order; a second population."""

    def edit(file):
        population = file["nodes/cells"]
        for name in ("node_group_id", "node_group_index"):
            population.pop(name, None)
        zero, one = population["0"], population.create_group("1")
        zero.copy("@library", one)
        for name in [*zero, *(f"dynamics_params/{name}" for name in zero["dynamics_params"])]:
            if isinstance(zero[name], h5py.Group):
                continue
            values, kind = zero[name][()], zero[name].dtype
            del zero[name]
            zero.create_dataset(name, data=values[[0, 2, 3, 5]], dtype=kind)
            one.create_dataset(name, data=values[[4, 1]], dtype=kind)
        population["node_group_id"] = [0, 1, 0, 0, 1, 0]
        population["node_group_index"] = [0, 1, 1, 2, 0, 3]
        file.copy("nodes/cells", file["nodes"], "others")

    whole = read_cells(nodes)
    change(nodes, edit)
    return nodes, whole


@pytest.mark.parametrize(("group", "rows"), [("0", [0, 2, 3, 5]), ("1", [1, 4])])
def test_a_node_group_is_chosen_and_the_rest_is_told(grouped, group, rows):
    path, whole = grouped
    cells = read_cells(path, population=f"cells/{group}")
    assert cells.population == "cells"
    assert cells.positions.tolist() == whole.positions[rows].tolist()
    wanted = whole.properties.iloc[rows].reset_index(drop=True).astype(str)
    assert cells.properties.astype(str).equals(wanted)
    assert count_cells(path, f"cells/{group}") == len(rows)
    other = {"0": "group '1' (2 nodes)", "1": "group '0' (4 nodes)"}[group]
    assert cells.unread == (other, "population 'others'")
    assert f"only population 'cells' is read; not read: {other}" in unread_note(cells, path)


def test_groups_that_are_not_chosen_are_named(grouped):
    path, _ = grouped
    with pytest.raises(InvalidInput, match=r"Choose one with population: cells/0, cells/1"):
        read_cells(path, population="cells")
    with pytest.raises(InvalidInput, match=saying("no group '7' | population: cells/0")):
        read_cells(path, population="cells/7")
    with pytest.raises(InvalidInput, match="no population 'cell'"):
        read_cells(path, population="cell/1")


def test_rows_of_a_group_that_do_not_fit_are_refused(grouped):
    path, _ = grouped

    def twice(file):
        file["nodes/cells/node_group_index"][1] = 0

    change(path, twice)
    with pytest.raises(InvalidInput, match=r"2 nodes are in group '1', which has 2 rows"):
        read_cells(path, population="cells/1")
    assert len(read_cells(path, population="cells/0")) == 4


def test_nothing_is_left_out_of_a_file_of_one_group(nodes):
    assert unread_note(read_cells(nodes), nodes) is None


def test_written_nodes_have_the_node_groups_of_sonata(tmp_path):
    cells = collection(9)
    cells.save(str(tmp_path / "in.h5"))
    cells = read_cells(tmp_path / "in.h5")
    write_cells(tmp_path / "nodes.h5", cells, names(cells, dropped=(2,)))
    with h5py.File(tmp_path / "nodes.h5") as file:
        assert file["nodes/cells/node_group_id"][()].tolist() == [0] * 8
        assert file["nodes/cells/node_group_index"][()].tolist() == list(range(8))
