"""Directions and losses are known from the reconstructions alone."""

from types import SimpleNamespace

import pytest

from helpers.sentences import says
from region_grower_flow.calibration.frames import Frame
from region_grower_flow.checks.foreseen import (
    direction_notes,
    loss_notes,
    refused_share,
    tree_counts,
)
from region_grower_flow.checks.unmatched import unmatched_problem

BASAL, APICAL = "basal_dendrite", "apical_dendrite"


def population(basals=(3, 4), apicals=(1, 1), tilts=(5.0, 5.0)):
    cells = [
        SimpleNamespace(trees={BASAL: b, APICAL: a}) for b, a in zip(basals, apicals, strict=True)
    ]
    kinds = [BASAL, APICAL] if any(apicals) else [BASAL]
    return SimpleNamespace(
        cells=cells,
        neurite_types=kinds,
        usable=lambda name: cells,
        frames={str(i): Frame(0.0, tilt) for i, tilt in enumerate(tilts)},
    )


def test_mtypes_that_point_down_are_told_with_what_helps():
    populations = {"IPC": population(tilts=(170.0, 160.0, 20.0)), "PC": population()}
    (note,) = direction_notes(populations)
    assert "(IPC 2 of 3)" in note
    assert note.endswith("Set inverted_mtypes = IPC.")
    assert list(direction_notes(populations, ["IPC"])) == []
    (note,) = direction_notes(populations, ["IPC", "PC"])
    assert "inverted_mtypes names PC" in note
    (note,) = direction_notes({"IPC": population(tilts=(170.0,))}, measured=True)
    assert "and so will those of grown cells" in note
    assert note.endswith("set inverted_mtypes = IPC.")


def test_two_apicals_and_one_orientation_lose_all_cells():
    populations = {"BPC": population(apicals=(2, 2)), "PC": population()}
    (note,) = loss_notes(populations, {"BPC": 37, "PC": 5})
    assert note.startswith("BPC: all of its 37 cells will be lost")
    assert "extra_apicals = sample" in note
    assert list(loss_notes(populations, {"BPC": 37}, extra_apicals="sample")) == []
    assert list(loss_notes(populations, {"PC": 37})) == []


def test_trees_of_reconstructed_cells_have_their_own_directions():
    populations = {"BPC": population(basals=(1, 1), apicals=(2, 2))}
    entries = {name: {"orientation": [[0.0, 1.0, 0.0]]} for name in (BASAL, APICAL)}
    params = {"grow_types": [BASAL, APICAL], **entries}
    (note,) = loss_notes(populations, {"BPC": 37}, parameters={"BPC": params})
    assert "basal_dendrite has fewer" in note
    assert says(note, "apical_dendrite | more trees | orientations (1)")
    measured = {"trunks": "measured"}
    params["growth_levers"] = {BASAL: measured}
    (note,) = loss_notes(populations, {"BPC": 37}, parameters={"BPC": params})
    assert "basal" not in note
    params["growth_levers"] = {BASAL: measured, APICAL: measured}
    assert list(loss_notes(populations, {"BPC": 37}, parameters={"BPC": params})) == []


def test_one_basal_dendrite_loses_cells_unless_counted_as_two():
    populations = {"BP": population(basals=(1, 1), apicals=(0, 0))}
    (note,) = loss_notes(populations, {"BP": 4})
    assert "min_basal_trees = 2" in note
    assert list(loss_notes(populations, {"BP": 4}, min_basal_trees=2)) == []


def test_losses_are_those_of_ten_draws():
    populations = {"X": population(basals=(1,) * 9 + (2,), apicals=(0,) * 10, tilts=())}
    (note,) = loss_notes(populations, {"X": 1000})
    assert f"about {round(1000 * 0.9**10)} of its 1,000 cells" in note


def test_angle_modes_draw_any_number_of_trees():
    counts = tree_counts(population(basals=(1, 1), apicals=(2, 2)))
    mode = {"mode": "pia_constraint", "values": {}}
    assert refused_share(counts, {BASAL: mode, APICAL: mode}) == ({}, 0.0)
    assert refused_share(counts, {BASAL: None, APICAL: [[0, 1, 0]] * 2})[1] == pytest.approx(1.0)


def test_mtypes_without_reconstructions_are_one_table():
    dataset = SimpleNamespace(mtypes={"L23_PC": [1, 2], "L4_SS": [1]}, dat_file="t.dat")
    assert unmatched_problem(["L23_PC", "L4_SS"], dataset) is None
    mtypes = ["L3_TPC:A"] * 3 + ["L4_SSC"] + ["L1_HAC"] + ["L4_SS"]
    problem = str(unmatched_problem(mtypes, dataset)).splitlines()
    assert says(problem[0], "3 of the 4 mtypes | not in it | 5 of 6 cells")
    assert problem[2].split() == ["L3_TPC:A", "3", "L23_PC", "2", "2,", "3"]
    assert problem[4].split() == ["L1_HAC", "1", "-", "-", "-"]
    assert problem[-2:] == ['  L23_PC: ["L3_TPC:A"]', "  L4_SS: [L4_SSC]"]
    (only,) = str(unmatched_problem(["L23_PCX"], dataset)).splitlines()[:1]
    assert "the mtype 'L23_PCX' of 1 cell is not in it" in only
