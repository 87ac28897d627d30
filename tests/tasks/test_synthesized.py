"""Stages that read a synthesis wait for it."""

from region_grower_flow import SynthesizeMorphologies, SynthesizeVacuum, ValidateSynthesis
from region_grower_flow.tasks.synthesized import read_with

OPTIONS = {
    "input_cells": "nodes.h5",
    "atlas": "atlas",
    "out_cells": "out.h5",
    "morphologies_dir": "cells",
    "dat_file": "cells.dat",
}
GIVEN = {"tmd_parameters": "parameters.json", "tmd_distributions": "distributions.json"}


def names(stages):
    return list(stages)


def test_what_is_read_beside_a_synthesis_may_have_been_made_again():
    made = ["BuildParameters", "ExtractDistributions"]
    atlas = SynthesizeMorphologies(**OPTIONS)
    assert names(read_with(atlas)) == ["SynthesizeMorphologies", "LoadAtlas", *made]
    vacuum = SynthesizeVacuum(**{name: OPTIONS[name] for name in ("morphologies_dir", "dat_file")})
    assert names(read_with(vacuum)) == ["SynthesizeVacuum", *made]


def test_given_parameters_are_files():
    atlas = SynthesizeMorphologies(**OPTIONS, **GIVEN)
    assert names(read_with(atlas)) == ["SynthesizeMorphologies", "LoadAtlas"]


def test_the_stages_of_a_hold_out_are_told_apart():
    above = ValidateSynthesis(**OPTIONS, **GIVEN, holdout=True, work_dir="w").requires()
    assert list(above) == [
        "SynthesizeMorphologies",
        "LoadAtlas",
        "SynthesizeVacuum of the holdout",
        "BuildParameters of the holdout",
        "ExtractDistributions of the holdout",
    ]
    folders = {name: task.work_dir for name, task in above.items()}
    assert {folder for name, folder in folders.items() if "holdout" in name} == {"w/holdout"}
    assert folders["LoadAtlas"] == "w"
    assert above["BuildParameters of the holdout"].reference_part == "fit"
