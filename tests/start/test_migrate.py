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
    text, left = migrate(path)
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


def test_another_file_is_refused(tmp_path):
    path = tmp_path / "other.cfg"
    path.write_text("[x]\na = 1\n")
    with pytest.raises(InvalidInput, match="no option of synthesis-workflow"):
        migrate(path)
