"""The page of a calibration of growth."""

import numpy as np

from region_grower_flow.calibration.growth_cells import GrowthCell
from region_grower_flow.calibration.growth_moments import NAMES
from region_grower_flow.morphology import FlatMorphology
from region_grower_flow.report.growth_page import (
    ROWS,
    GrowthReport,
    draw_rows,
    growth_page,
    row_words,
)
from region_grower_flow.report.growth_pictures import shown

MOMENT = {"reference": 2.0, "spread": 0.5, "before": 4.0, "after": 2.1, "after_other_seed": None}
ENTRY = {
    "mtype": "L5_<MC>",
    "mode": "extended",
    "cells": 12,
    "independent": 11,
    "fitted": True,
    "why": None,
    "usual": {"basal_dendrite": {"randomness": 0.1}},
    "values": {"basal_dendrite": {"randomness": 0.45}},
    "pull": {"basal_dendrite": {"randomness": 3.0}},
    "bounds": [["basal_dendrite", "randomness"]],
    "losses": [30.0, 8.0, 9.0],
    "kept_step": 1,
    "moments": {"basal_dendrite": dict.fromkeys(NAMES, MOMENT)},
    "folds": {"failing": {"basal_dendrite": ["area"]}, "floor": {"basal_dendrite": []}},
}
FEW = {
    "mtype": "L1",
    "mode": "extended",
    "cells": 3,
    "independent": 3,
    "fitted": False,
    "why": "3 independent cells, where a fit needs 8: the usual values are used",
    "usual": ENTRY["usual"],
    "values": ENTRY["usual"],
}


def cell(size):
    points = np.array([[0, 0, 0], [0, size, 0]], np.float32)
    soma = np.zeros((1, 3), np.float32), np.ones(1, np.float32)
    return FlatMorphology(
        points, np.ones(2, np.float32), np.array([0, 2]), np.array([3]), np.array([-1]), *soma
    )


def test_the_page_says_what_was_fitted_and_what_was_not():
    entries, notes = {"L5_<MC>": ENTRY, "L1": FEW}, ("L1: stretched.",)
    page = growth_page(GrowthReport(entries, "extended", notes=notes))
    assert "L1: stretched." in page
    assert "1 of 2 mtypes are fitted" in page
    assert "L5_&lt;MC&gt;" in page
    assert "<MC>" not in page
    assert "at its bound" in page
    assert "Not fitted: 3 independent cells, where a fit needs 8" in page
    assert "+4.00" in page
    assert "basal_dendrite: area" in page


def test_cells_stand_in_rows_with_the_page():
    drawn = draw_rows({"reference": [cell(80), cell(90)], "NeuroTS": [cell(10)], "calibrated": []})
    assert drawn.startswith(b"\x89PNG")
    page = growth_page(GrowthReport({"L1": FEW}, "extended", {"L1": drawn}))
    assert "data:image/png" in page
    assert "cells with the usual values, at one scale" in page


def test_cells_of_usual_values_are_not_called_calibrated():
    assert [row_words(row, True) for row in ROWS] == ["reference", "NeuroTS", "calibrated"]
    assert [row_words(row, False) for row in ROWS] == ["reference", "NeuroTS", "usual values"]


def test_a_row_shows_reconstructions_from_the_whole_set_and_variants_only_if_need_be():
    cells = [GrowthCell(f"c{i}", "", f"g{i // 2}") for i in range(24)]
    assert [cell.group for cell in shown(cells)] == ["g0", "g2", "g4", "g6", "g8", "g10"]
    assert [cell.name for cell in shown(cells[:8])] == ["c0", "c2", "c4", "c6", "c1", "c3"]
    assert shown(()) == []
