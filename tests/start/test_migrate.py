import pytest

from region_grower_flow.errors import InvalidInput
from region_grower_flow.start.flow_file import read_flow
from region_grower_flow.start.migrate import migrate

THEIRS = """
[core]
log_level = INFO
[CircuitConfig]
circuit_somata_path = cells.mvd3
atlas_path = atlas
[SynthesisConfig]
axon_method = no_axon
mtypes = ["L1_DAC", "L5_TPC:A"]
[BuildMorphsDF]
neurondb_path = neuronDB.xml
morphology_dirs = {"repaired_morphs_path": "morphs"}
[Synthesize]
out_circuit_path = out/nodes.h5
[GitClone]
url = git@somewhere
"""


def test_their_configuration_becomes_ours(tmp_path):
    path = tmp_path / "luigi.cfg"
    path.write_text(THEIRS)
    text, left, notes = migrate(path)
    assert notes == []
    (tmp_path / "flow.cfg").write_text(text)
    assert read_flow(tmp_path / "flow.cfg") == {
        "input_cells": "cells.mvd3",
        "atlas": "atlas",
        "mtypes": ("L1_DAC", "L5_TPC:A"),
        "dat_file": "neuronDB.xml",
        "morphologies_dir": "morphs",
        "out_cells": "out/nodes.h5",
    }
    assert [entry[:2] for entry in left] == [
        ("SynthesisConfig", "axon_method"),
        ("GitClone", "url"),
    ]
    assert "# no counterpart: [GitClone] url" in text


OF_PLACED = """
[CircuitConfig]
circuit_somata_path = somata.mvd3
region = O0
[BuildCircuit]
seed = 7
[SliceCircuit]
n_cells = 5
[CreateAtlasPlanes]
plane_type = centerline_straight
slice_thickness = 50
[ValidateSynthesis]
with_collage = True
with_morphometrics = false
with_density_profiles = False
with_scale_statistics = 0
with_morphology_validation_reports = True
"""


def test_placed_cells_planes_and_reports(tmp_path):
    path = tmp_path / "luigi.cfg"
    path.write_text(OF_PLACED)
    text, left, notes = migrate(path)
    (tmp_path / "flow.cfg").write_text(text)
    assert read_flow(tmp_path / "flow.cfg") == {
        "placed_cells": "somata.mvd3",
        "placement_seed": 7,
        "slice_n_cells": 5,
        "planes_type": "straight",
        "planes_thickness": 100.0,  # there, to either side
        "reports": ("PlotCollage", "PlotPathDistanceFits", "PlotScoreMatrix"),
    }
    assert [entry[:2] for entry in left] == [
        ("CircuitConfig", "region"),
        ("ValidateSynthesis", "with_morphology_validation_reports"),
    ]
    assert any("SynthesizeFromDensities" in note for note in notes)
    assert "density_factor is 1 here, 0.5 there." in notes
    assert all(f"# {note}" in text for note in notes)


@pytest.mark.parametrize("other", [7, 3])
def test_two_seeds_of_theirs_are_one_here(tmp_path, other):
    path = tmp_path / "luigi.cfg"
    path.write_text(OF_PLACED + f"[BuildAxonMorphologies]\nplacement_seed = {other}\n")
    text, left, _ = migrate(path)
    (tmp_path / "flow.cfg").write_text(text)
    assert read_flow(tmp_path / "flow.cfg")["placement_seed"] == 7
    told = [entry[2:] for entry in left if entry[1] == "placement_seed"]
    words = "placement_seed is 7, of [BuildCircuit] seed: here it decides both"
    assert told == ([] if other == 7 else [("3", words)])


def test_a_validation_without_an_atlas(tmp_path):
    path = tmp_path / "luigi.cfg"
    path.write_text("[ValidateVacuumSynthesis]\nwith_morphometrics = False\n")
    (tmp_path / "flow.cfg").write_text(migrate(path)[0])
    assert read_flow(tmp_path / "flow.cfg") == {
        "report_of": "vacuum",
        "reports": ("PlotDensityProfiles", "PlotScoreMatrix", "PlotVacuumMorphologies"),
    }


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "other.cfg"
    path.write_text("[x]\na = 1\n")
    with pytest.raises(InvalidInput, match="no option of synthesis-workflow"):
        migrate(path)
