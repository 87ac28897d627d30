"""Checks of the places of outputs, function by function (all together: tests/flow/test_bad_*)."""

import os
from types import SimpleNamespace

import pytest

from helpers.sentences import says
from region_grower_flow import layout
from region_grower_flow.checks import places
from region_grower_flow.options.outputs import OUTPUT_FILES
from region_grower_flow.record.claims import claim
from region_grower_flow.record.fingerprint import Recipe
from region_grower_flow.record.manifest import Manifest


@pytest.fixture
def options(tmp_path, monkeypatch):
    """Options of a synthesis in an empty folder."""
    monkeypatch.chdir(tmp_path)
    given = dict.fromkeys([*OUTPUT_FILES, *places.INPUTS, *places.INPUT_FOLDERS])
    given.update(
        input_cells="nodes.h5",
        atlas="atlas",
        out_cells="out/nodes.h5",
        out_morph_dir="out/morphologies",
        work_dir="work",
        skip_write=False,
        container_only=False,
        out_morphs_df=None,
        out_morph_ext=("h5",),
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
        (problem,) = places.check_places(options)
        assert says(problem, f"option out_cells ({name}): | overwrite | input cells")


@pytest.mark.parametrize("name", OUTPUT_FILES)
def test_no_output_overwrites_an_input(options, name):
    setattr(options, name, "nodes.h5")
    found = "\n".join(sentences(places.check_places(options)))
    assert says(found, f"option {name} (nodes.h5): | overwrite | input cells")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("pipe", "is a device or a pipe"),
        ("/dev/null", "is a device or a pipe"),
        ("out", "is in the place of the folder of"),
        ("work", "is in the place of the folder of work_dir"),
        ("out/\udcff.h5", "no UTF-8 text"),
    ],
)
def test_what_would_fail_when_all_is_grown_is_told_before(options, path, words):
    os.mkfifo("pipe")
    options.container_path = path
    found = sentences(places.check_places(options))
    assert any(words in text and "option container_path" in text for text in found), found


def test_a_container_of_another_work_folder_is_not_overwritten_without_a_word(options, tmp_path):
    """It may be the only copy; ours is known by the manifest, or by the claim of a killed run."""
    options.container_path = "all.h5"
    container = tmp_path / "all.h5"
    container.write_text("of others")
    (problem,) = places.check_places(options)
    assert says(problem, "option container_path (all.h5): | not know | remove it | --overwrite")
    for allowed in ({"overwrite": True}, {"skip_write": True}):
        assert places.check_places(SimpleNamespace(**{**vars(options), **allowed})) == []
    claim("other", container)
    assert places.check_places(options)
    claim("work", container)
    assert places.check_places(options) == []
    (tmp_path / "work" / layout.MANIFESTS / layout.CLAIM).unlink()
    manifest = tmp_path / "work" / layout.MANIFESTS / "SynthesizeMorphologies.json"
    Manifest.describe(Recipe("SynthesizeMorphologies", 1), ["all.h5"]).write(manifest)
    container.write_text("damaged since")
    assert places.check_places(options) == []


def test_a_mask_is_not_overwritten_by_the_mask_that_is_written(options):
    options.placement_mask = options.out_placement_mask = "mask.nrrd"
    (problem,) = places.check_files(options, ["out_placement_mask"])
    assert "would overwrite the placement mask" in str(problem)


def test_the_page_of_an_earlier_run_is_written_anew_wherever_it_is(options, tmp_path):
    """No manifest names it."""
    options.out_report = "atlas/page.html"
    (tmp_path / "atlas" / "page.html").write_text("")
    assert places.check_places(options) == []


@pytest.mark.parametrize("name", [layout.GROWTH_CALIBRATION, layout.CALIBRATED_PARAMETERS])
def test_no_output_is_where_calibrations_are_kept(options, name):
    options.out_summary = f"work/{name}"
    (problem,) = places.check_places(options)
    assert f"is where the flow keeps its own {name}" in str(problem)


def test_the_container_alone_needs_a_container_and_nothing_against_it(options):
    options.container_only, options.container_path = True, "out/container.h5"
    options.out_morph_dir = "atlas"  # nothing is written there
    assert places.check_places(options) == []
    options.container_path, options.skip_write = None, True
    options.out_morph_ext, options.out_morphs_df = ("h5", "swc"), "out/morphs.csv"
    options.out_apical_nrn_sections = "out/sections.yaml"
    found = sentences(places.check_places(options))
    assert [sentence.partition(": ")[0] for sentence in found] == ["option container_only"] * 5
    assert "needs a container" in found[0]


def test_a_file_of_the_atlas_is_not_overwritten_but_earlier_outputs_are(options, tmp_path):
    path = tmp_path / "atlas" / "summary.json"
    options.out_summary = "atlas/summary.json"
    assert places.check_places(options) == []
    path.write_text("{}")
    (problem,) = places.check_places(options)
    assert says(problem, "overwrite | folder of the atlas")
    manifest = Manifest.describe(Recipe("SynthesizeMorphologies", 1), [path])
    manifest.write(tmp_path / "work" / "manifests" / "SynthesizeMorphologies.json")
    assert places.check_places(options) == []


def test_outputs_that_come_without_asking_count(options):
    options.out_apical = "out/nodes_ids.csv"
    options.out_debug_data = "out/nodes_summary.json"
    found = sentences(places.check_places(options))
    assert len(found) == 2
    assert all("names the same file as" in text for text in found)


def test_a_calibrations_output_is_no_place_for_another(options):
    options.generated_parameters = options.out_summary = "out/it.json"
    (text,) = sentences(places.check_places(options))
    assert "names the same file as out_summary" in text
    options.tmd_parameters = options.tmd_distributions = "given.json"  # nothing is calibrated
    assert places.check_places(options) == []


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
    assert says(problem, "not know | (a.h5)")
    options.overwrite = True
    assert places.check_places(options) == []


def test_what_no_option_asks_for_any_more_may_be_among_the_morphologies(options, tmp_path):
    folder = tmp_path / "out" / "morphologies"
    folder.mkdir(parents=True)
    (folder / "all.h5").write_text("a container")
    recipe = Recipe("SynthesizeMorphologies", 1, {"container": "../out/morphologies/all.h5"})
    manifest = Manifest.describe(recipe, [folder / "all.h5"])
    manifest.write(tmp_path / "work" / "manifests" / "SynthesizeMorphologies.json")
    assert places.check_places(options) == []
    options.container_path = "elsewhere.h5"  # as it has another name, it is not removed
    (problem,) = places.check_places(options)
    assert "(all.h5)" in str(problem)


def test_an_empty_folder_gives_way_to_an_output_and_no_other(options, tmp_path):
    options.out_apical = "out/apical.yaml"
    (tmp_path / "out" / "apical.yaml").mkdir(parents=True)
    assert places.check_places(options) == []
    (tmp_path / "out" / "apical.yaml" / "mine").write_text("")
    (problem,) = places.check_places(options)
    assert "is a folder, a file is expected" in str(problem)
