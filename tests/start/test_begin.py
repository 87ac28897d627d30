"""A configuration from one's own data: found, proposed, written, and read again."""

import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from helpers.atlas_factory import make_atlas, make_cells
from helpers.reference_cells import INTERNEURON, PYRAMIDAL, write_dataset
from helpers.sentences import saying, says
from region_grower_flow.cli import main
from region_grower_flow.errors import InvalidInput, InvalidInputs
from region_grower_flow.io.cell_files import write_nodes
from region_grower_flow.io.cells import Cells, read_cells
from region_grower_flow.start.begin import begin
from region_grower_flow.start.flow_file import read_flow
from region_grower_flow.start.survey import Sources
from region_grower_flow.start.tables import find_table

CENTER = [150.0, 650.0, 150.0]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Cells with regions of their own names and one mtype without reconstructions."""
    folder = tmp_path_factory.mktemp("own")
    make_atlas(folder / "atlas")
    write_dataset(folder)
    mtypes = [PYRAMIDAL, INTERNEURON, "L5_PC:B", "L2_XYZ"] * 2
    found = make_cells([CENTER] * 8, regions="S1FL", mtypes=mtypes)
    write_nodes(folder / "nodes.h5", Cells(found.positions, None, found.properties))
    return folder


def sources(data, **others):
    return Sources(data / "nodes.h5", data / "atlas", data / "cells", **others)


@pytest.fixture(scope="module")
def begun(data):
    return begin(sources(data, table=data / "neurondb.dat"), data / "run" / "flow.cfg")


def test_the_lines_tell_what_was_found(begun):
    text = "\n".join(begun.lines)
    for words in (
        "8 of 4 mtypes; regions S1FL 8",
        "COL, layers 1..3",
        "S1FL is not in its hierarchy  -> region_map to COL",
        "medians of [PH]: 300 400 500 um  -> region_structure.yaml",
        "2 of 4 have reconstructions",
        f"L5_PC:B (2 cells) <- {PYRAMIDAL}",
        "2 cells left out, nothing is near: L2_XYZ 2",
    ):
        assert words in text, text


def test_what_is_written_can_be_read_and_run(begun, data):
    begun.write()
    begun.write()  # the same again is no harm
    folder = data / "run"
    values = read_flow(folder / "flow.cfg")
    assert values["region_map"] == ("S1FL:COL",)
    assert "mtypes" not in values  # those that the cells have
    assert yaml.safe_load((folder / "substitutions.yaml").read_text()) == {PYRAMIDAL: ["L5_PC:B"]}
    structure = yaml.safe_load((folder / "region_structure.yaml").read_text())
    assert structure == {"COL": {"layers": [1, 2, 3], "thicknesses": {1: 300, 2: 400, 3: 500}}}
    rules = yaml.safe_load((folder / "scaling_rules.yaml").read_text())
    assert rules["default"]["basal_dendrite"] == {"hard_limit_max": {"layer": 1, "fraction": 0.99}}
    assert len(read_cells(folder / values["input_cells"])) == 6


def test_axons_of_reconstructions_are_told(data, tmp_path):
    folder = tmp_path / "cells"
    folder.mkdir()
    for mtype in (PYRAMIDAL, INTERNEURON):
        rows = ["1 1 0 0 0 5 -1"]
        for k, kind in enumerate((3, 3, 2)):  # two basal dendrites and an axon
            x = -40.0 if k else 40.0
            start = len(rows) + 1
            rows += [
                f"{start} {kind} {x / 8} 0 {k} 1 1",
                f"{start + 1} {kind} {x} 0 {k} 1 {start}",
                f"{start + 2} {kind} {2 * x} 30 {k} 1 {start + 1}",
                f"{start + 3} {kind} {2 * x} -30 {k} 1 {start + 1}",
            ]
        (folder / f"{mtype.replace(':', '-')}_1.swc").write_text("\n".join(rows) + "\n")
    begun = begin(Sources(data / "nodes.h5", data / "atlas", folder), tmp_path / "flow.cfg")
    text = "\n".join(begun.lines)
    assert "2 of 2 reconstructions have one, cells get none: synthesize_axons grows them" in text
    assert "# synthesize_axons = true" in begun.texts["flow.cfg"].splitlines()


def test_heights_in_voxels_are_told(data, tmp_path):
    from region_grower_flow.atlas.volumes import load_volume

    shutil.copytree(data / "atlas", tmp_path / "atlas")
    heights = load_volume(tmp_path / "atlas", "[PH]y")
    heights.with_data(heights.raw / 100).save_nrrd(str(tmp_path / "atlas" / "[PH]y.nrrd"))
    table = data / "neurondb.dat"
    found = begin(
        Sources(data / "nodes.h5", tmp_path / "atlas", data / "cells", table), tmp_path / "f.cfg"
    )
    assert "[PH]y rises by 0.01 per um at the cells" in "\n".join(found.lines)


@pytest.fixture
def atlas(data, tmp_path):
    """A copy of the atlas, and a function that changes the values of one of its volumes."""
    from helpers.atlas_factory import load_raw, save_volume

    shutil.copytree(data / "atlas", tmp_path / "atlas")

    def change(name, new):
        path = tmp_path / "atlas" / f"{name}.nrrd"
        save_volume(path, new(load_raw(path)))

    return change


@pytest.mark.parametrize(
    ("name", "change", "words"),
    [
        ("orientation", lambda raw: raw[:2], "orientation.nrrd: has 2 x 12 x 4 voxels"),
        ("orientation", lambda raw: raw[..., :3], "has 3 numbers per voxel, expected 4"),
        ("orientation", lambda raw: 0 * raw, "no value (NaN, or zeros) at any of the 8 cells"),
        ("[PH]2", lambda raw: raw[..., ::-1], "[PH]2.nrrd: its bounds are in the wrong order"),
        ("[PH]2", lambda raw: raw.astype("u2")[..., ::-1], "[PH]2.nrrd: its bounds are in the"),
        ("[PH]3", lambda raw: raw[:, :5], "[PH]3.nrrd: has 4 x 5 x 4 voxels"),
    ],
)
def test_volumes_that_do_not_do_are_told_at_once(data, tmp_path, atlas, name, change, words):
    atlas(name, change)
    with pytest.raises((InvalidInput, InvalidInputs)) as error:
        begin(
            Sources(data / "nodes.h5", tmp_path / "atlas", data / "cells", data / "neurondb.dat"),
            tmp_path / "flow.cfg",
        )
    assert words in str(error.value)


def test_cells_without_regions_get_those_of_the_atlas(data, tmp_path):
    found = make_cells([CENTER] * 4, mtypes=[PYRAMIDAL, INTERNEURON] * 2)
    properties = found.properties.drop(columns="region")
    write_nodes(tmp_path / "nodes.h5", Cells(found.positions, None, properties))
    given = Sources(tmp_path / "nodes.h5", data / "atlas", data / "cells", data / "neurondb.dat")
    begun = begin(given, tmp_path / "run" / "flow.cfg")
    assert "4 of 2 mtypes; regions COL;L2 4 (of the atlas: the cells name none)" in begun.lines[0]
    begun.write()
    values = read_flow(tmp_path / "run" / "flow.cfg")
    assert values["input_cells"] == "cells_with_regions.h5"
    written = read_cells(tmp_path / "run" / "cells_with_regions.h5")
    assert list(written.properties["region"]) == ["COL;L2"] * 4


def test_files_for_folders_and_folders_for_files(data, tmp_path):
    wrong = Sources(data / "nodes.h5", data / "nodes.h5", data / "neurondb.dat")
    with pytest.raises(InvalidInputs) as error:
        begin(wrong, tmp_path / "flow.cfg")
    told = [str(problem) for problem in error.value.problems]
    atlas, reconstructions = told
    assert says(atlas, "is a file | folder of the atlas")
    assert says(reconstructions, "is a file | folder of reconstructions")
    (tmp_path / "f.cfg").mkdir()
    with pytest.raises(InvalidInputs, match="is a folder, a file is to be written"):
        begin(sources(data, table=data / "neurondb.dat"), tmp_path / "f.cfg").write()


@pytest.mark.parametrize("name", ["a\nb", "cells ", "\udcff", "${HOME}"])
def test_paths_that_no_configuration_holds_are_refused(data, tmp_path, name):
    folder = tmp_path / name
    try:
        folder.mkdir()
    except UnicodeEncodeError:
        pytest.skip("the file system takes no such name")
    given = replace(sources(data), morphologies=folder)
    with pytest.raises(InvalidInputs, match="no configuration holds this path") as raised:
        begin(given, tmp_path / "flow.cfg")
    assert "\n" not in str(raised.value)


def test_a_region_structure_of_other_regions_is_refused(data, tmp_path):
    path = tmp_path / "regions.yaml"
    path.write_text("XYZ: {layers: [1], thicknesses: {1: 3}}\n")
    given = sources(data, table=data / "neurondb.dat", structure=path)
    with pytest.raises(InvalidInput, match="no entry serves the regions of 8 of 8 cells"):
        begin(given, tmp_path / "f.cfg")


def test_a_region_structure_without_layers_needs_no_volumes_of_layers(data, tmp_path):
    atlas = tmp_path / "atlas"
    shutil.copytree(data / "atlas", atlas)
    for path in atlas.glob("[[]PH][0-9]*.nrrd"):
        path.unlink()
    given = Sources(data / "nodes.h5", atlas, data / "cells", table=data / "neurondb.dat")
    with pytest.raises(InvalidInputs, match="it has no layers"):
        begin(given, tmp_path / "flow.cfg")
    structure = tmp_path / "structure.yaml"
    structure.write_text("COL: {}\n")
    begun = begin(replace(given, structure=structure), tmp_path / "flow.cfg")
    assert f"regions and layers from {structure}" in "\n".join(begun.lines)
    assert "scaling_rules.yaml" not in begun.texts


def test_files_of_others_are_not_replaced(begun, data):
    begun.write()
    path = data / "run" / "substitutions.yaml"
    text = path.read_text()
    path.write_text("mine\n")
    with pytest.raises(InvalidInputs, match="is there already, with another content"):
        begun.write()
    assert path.read_text() == "mine\n"
    path.write_text(text)


def test_all_that_is_wrong_is_said_at_once(data, tmp_path):
    wrong = Sources(tmp_path / "no.h5", tmp_path / "no_atlas", tmp_path / "none")
    with pytest.raises(InvalidInputs) as error:
        begin(wrong, tmp_path / "flow.cfg")
    assert len(error.value.problems) == 3  # of cells, atlas and reconstructions
    assert not (tmp_path / "flow.cfg").exists()


def test_swapped_folders_are_one_sentence(data, tmp_path):
    swapped = Sources(data / "nodes.h5", data / "cells", data / "atlas")
    with pytest.raises(InvalidInput, match="no volumes") as error:
        begin(swapped, tmp_path / "flow.cfg")
    assert "--morphologies" in str(error.value)


def test_a_volume_that_is_not_there_is_said_once(data, tmp_path):
    (tmp_path / "atlas").mkdir()
    with pytest.raises(InvalidInputs) as error:
        begin(Sources(data / "nodes.h5", tmp_path / "atlas", data / "cells"), tmp_path / "flow.cfg")
    assert str(error.value).count("brain_regions.nrrd") == 1


def test_a_table_is_found_or_made(data, tmp_path):
    found = find_table(data / "cells", (PYRAMIDAL,), data / "neurondb.dat")
    assert (found.how, found.extension) == ("given", "h5")
    by_name = tmp_path / "by_name"
    by_name.mkdir()
    for name in ("L5_PC_A_01", "L5_PC-A_02", "other"):
        (by_name / f"{name}.swc").write_text("1 1 0 0 0 5 -1\n")
    made = find_table(by_name, (PYRAMIDAL,))
    assert [line.rsplit(",", 1)[1] for line in made.text.splitlines()[1:]] == [PYRAMIDAL] * 2
    by_folder = tmp_path / "by_folder"
    for mtype in ("A", "B"):
        (by_folder / mtype).mkdir(parents=True)
        (by_folder / mtype / "x.swc").write_text("1 1 0 0 0 5 -1\n")
    assert find_table(by_folder, ()).how == "made of folders"
    (by_folder / "index.csv").write_text("file,mtype\nA/x.swc,A\n")
    assert find_table(by_folder, ()).path == by_folder / "index.csv"
    with pytest.raises(InvalidInput, match="no morphology in it"):
        find_table(data / "atlas", ())


def test_a_configuration_is_read_as_luigi_reads_it(tmp_path, monkeypatch):
    path = tmp_path / "flow.cfg"
    monkeypatch.setenv("PLACE", "/here")
    path.write_text("[region_grower_flow]\natlas = ${PLACE}/50%%\nlimt = 3\nseed = x\n")
    with pytest.raises(InvalidInputs) as error:
        read_flow(path)
    assert "'limt' is not known" in str(error.value)
    assert "option seed" in str(error.value)
    path.write_text("[region_grower_flow]\natlas = ${PLACE}/50%%\nseed = 3\n")
    assert read_flow(path) == {"atlas": "/here/50%", "seed": 3}
    path.write_text(
        "[DEFAULT]\nseed = 4\nnot_ours = a\nchunksize = 5\n"
        "[region_grower_flow]\nseed = 3\natlas = %(not_ours)s\n"
    )
    assert read_flow(path) == {"atlas": "a", "seed": 3, "chunksize": 5}
    path.write_text("[region_grower_flow]\natlas = %(ours)s\n")
    with pytest.raises(InvalidInput, match=saying("flow.cfg atlas | no ours | [DEFAULT] | %%")):
        read_flow(path)
    path.write_text("[region_grower_flow]\natlas = 50%\n")
    with pytest.raises(InvalidInput, match=saying("flow.cfg atlas | cannot be understood | %%")):
        read_flow(path)
    with pytest.raises(InvalidInput, match="no such configuration"):
        read_flow(tmp_path / "none.cfg")


def test_the_commands_that_are_named_can_be_given_as_they_stand(data, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    given = {"--cells": "nodes.h5", "--atlas": "atlas", "--morphologies": "cells"}
    words = [word for option, name in given.items() for word in (option, str(data / name))]
    words += ["--dat", str(data / "neurondb.dat"), "--out", "my brain/one flow.cfg", "--yes"]
    told = CliRunner().invoke(main, ["init", *words]).output
    command = told.partition("Try it:")[2]
    assert shlex.split(command) == ["region-grower-flow", "run", "my brain/one flow.cfg"]
    text = Path("my brain/one flow.cfg").read_text()
    assert "\n#   region-grower-flow run 'one flow.cfg'\n" in text
