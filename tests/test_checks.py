"""Checks of options and places, function by function (all together: tests/flow/test_bad_*.py)."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
from atlas_factory import REGION, column_structure, make_atlas, make_cells
from factories import random_morphology

from region_grower_flow import checks, places
from region_grower_flow.errors import InvalidInput, InvalidInputs
from region_grower_flow.example.create import create_example
from region_grower_flow.fingerprint import Recipe
from region_grower_flow.io import morphologies
from region_grower_flow.io.cells import Cells, write_nodes
from region_grower_flow.manifest import Manifest
from region_grower_flow.tasks.options import SynthesisOptions


@pytest.fixture
def options(tmp_path, monkeypatch):
    """Options of a synthesis in an empty folder."""
    monkeypatch.chdir(tmp_path)
    given = dict.fromkeys([*places.OUTPUTS, *places.INPUTS, *places.INPUT_FOLDERS])
    given.update(
        input_cells="nodes.h5",
        atlas="atlas",
        out_cells="out/nodes.h5",
        out_morph_dir="out/morphologies",
        work_dir="work",
        skip_write=False,
        overwrite=False,
    )
    (tmp_path / "atlas").mkdir()
    return SimpleNamespace(**given)


def sentences(problems):
    return [str(problem) for problem in problems]


def test_sound_places(options):
    assert places.check_places(options) == []
    assert os.listdir() == ["atlas"]


def test_an_input_is_not_overwritten_under_any_name(options, tmp_path):
    for name in ("nodes.h5", "./nodes.h5", "atlas/../nodes.h5", str(tmp_path / "nodes.h5")):
        options.out_cells = name
        found = sentences(places.check_places(options))
        assert found == [f"option out_cells ({name}): would overwrite the input cells."]


def test_a_file_of_the_atlas_is_not_overwritten_but_earlier_outputs_are(options, tmp_path):
    path = tmp_path / "atlas" / "summary.json"
    options.out_summary = "atlas/summary.json"
    assert places.check_places(options) == []
    path.write_text("{}")
    (problem,) = places.check_places(options)
    assert "would overwrite a file in the folder of the atlas" in str(problem)
    manifest = Manifest.describe(Recipe("SynthesizeMorphologies", 1), [path])
    manifest.write(tmp_path / "work" / "manifests" / "SynthesizeMorphologies.json")
    assert places.check_places(options) == []


def test_outputs_that_come_without_asking_count(options):
    options.out_apical = "out/nodes_ids.csv"
    options.out_debug_data = "out/nodes_summary.json"
    found = sentences(places.check_places(options))
    assert len(found) == 2
    assert all("names the same file as" in text for text in found)


def test_links_that_lead_nowhere_are_found(options, tmp_path):
    (tmp_path / "out").symlink_to("nowhere")
    found = sentences(places.check_places(options))
    assert found
    assert all("out is a link that leads nowhere" in text for text in found)


def test_the_folder_of_the_morphologies_may_hold_nothing_else(options, tmp_path):
    folder = tmp_path / "out" / "morphologies"
    folder.mkdir(parents=True)
    (folder / "a.h5").touch()
    (folder / ".tmp-1-2.h5").touch()
    (problem,) = places.check_places(options)
    assert "holds files that this flow has not written (a.h5)" in str(problem)
    options.overwrite = True
    assert places.check_places(options) == []


def test_calibration_needs_its_inputs(options):
    options.morphologies_ext = "h5"
    with pytest.raises(InvalidInputs) as error:
        checks.read_reconstructions(options)
    assert [problem.where for problem in error.value.problems] == [
        "option morphologies_dir",
        "option dat_file",
    ]


def test_a_launcher_that_is_no_command_line():
    (problem,) = checks.check_launcher(SimpleNamespace(nb_processes=2, launcher="run 'x {command}"))
    assert "is no command line (No closing quotation)" in str(problem)
    assert checks.check_launcher(SimpleNamespace(nb_processes=0, launcher="run 'x")) == []


def test_problems_are_collected():
    def fail(*sentences_):
        raise InvalidInputs([InvalidInput(sentence) for sentence in sentences_])

    problems = checks.Problems()
    assert problems.attempt(fail, "one", "two") is None
    assert problems.attempt(int, "3") == 3
    assert sentences(problems) == ["one.", "two."]


def test_directions_that_never_act_are_told(tmp_path, caplog):
    structure = column_structure()
    structure[REGION]["directions"] = [{"params": {"direction": [0, 1, 0]}}]
    atlas = make_atlas(tmp_path / "atlas", structure=structure)
    cells = make_cells([[150.0, 650.0, 150.0]])
    write_nodes(tmp_path / "nodes.h5", Cells(**vars(cells), orientations=None))
    options = SimpleNamespace(
        input_cells=tmp_path / "nodes.h5",
        atlas=atlas.folder,
        region_structure=atlas.structure,
        min_depth=25.0,
        max_depth=5000.0,
        morph_axon=None,
        synthesize_axons=False,
    )
    assert checks.check_space(options) == []
    assert "directions/0: without 'neurite_types' a direction never acts." in caplog.text


@pytest.mark.parametrize("absent", [1, 2, 3])
def test_absent_axon_morphologies_are_wrong_only_when_all_are(tmp_path, caplog, absent):
    # region-grower drops these cells, however many they are.
    atlas = make_atlas(tmp_path / "atlas")
    position = [150.0, 650.0, 150.0]
    write_nodes(tmp_path / "nodes.h5", Cells(**vars(make_cells([position] * 3)), orientations=None))
    (tmp_path / "donors").mkdir()
    morphologies.write_morphology(tmp_path / "donors", "there", random_morphology(), ["h5"])
    names = ["absent"] * absent + ["there"] * (3 - absent)
    rows = [f"{i}\t{name}\n" for i, name in enumerate(names)]
    (tmp_path / "axons.tsv").write_text("\tmorphology\n" + "".join(rows))
    options = SimpleNamespace(
        input_cells=tmp_path / "nodes.h5",
        atlas=atlas.folder,
        region_structure=atlas.structure,
        min_depth=25.0,
        max_depth=5000.0,
        morph_axon=tmp_path / "axons.tsv",
        base_morph_dir=tmp_path / "donors",
        synthesize_axons=False,
        max_drop_ratio=0.0,
    )
    said = f"{absent} of 3 cells have axons that are absent (absent)"
    found = sentences(checks.check_space(options))
    if absent == 3:
        assert len(found) == 1
        assert said in found[0]
    else:
        assert found == []
        assert f"{said}: these cells will be dropped" in caplog.text


def test_seeds_below_zero_are_seeds():
    # As region-grower: the cell of row 1 has the seed (-3 + 1) modulo 2^32.
    assert SynthesisOptions.seed.normalize(-3) == -3


def test_steering_characters_of_a_terminal_are_escaped():
    assert str(InvalidInput("a \x1b[2J b", where="x\x07")) == "x\\x07: a \\x1b[2J b."


def test_the_check_of_reconstructions_alone_does_without_neurots(tmp_path):
    paths = create_example(tmp_path / "example", n_cells=24)
    code = """
import sys
from region_grower_flow.checks import check_calibration
from region_grower_flow.tasks.checks import CheckReconstructions
morphologies, table = sys.argv[1:]
task = CheckReconstructions(morphologies_dir=morphologies, dat_file=table, work_dir="work")
assert check_calibration(task) == []
assert "morphio" in sys.modules
assert "neurots" not in sys.modules
"""
    arguments = [sys.executable, "-c", code, str(paths.morphologies), str(paths.mtypes)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
