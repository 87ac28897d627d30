"""The numbers of the tables against numbers worked out by hand."""

import numpy as np
import pytest

from helpers.report_factory import cells, debug_file, debug_line, fit, fork, pyramid
from region_grower_flow.errors import InvalidInput
from region_grower_flow.morphology import BASAL_DENDRITE
from region_grower_flow.report import features, path_fits, profiles, scales, trunk_angles
from region_grower_flow.validation.cells import ValidationCell


def test_features_of_a_cell_that_can_be_drawn_by_hand():
    rows = features.cell_rows("PC", {"synthesized": cells([10.0])}, ["basal_dendrite"])
    assert len(rows) == 1
    row = rows[0]
    assert {name: row[name] for name in ("mtype", "population", "cell", "neurite_type")} == {
        "mtype": "PC",
        "population": "synthesized",
        "cell": "cell 10",
        "neurite_type": "basal_dendrite",
    }
    # A trunk of 2 x 10 um and two tips of 10 um; diameter 1 um.
    assert row["trees"] == 1
    assert row["sections"] == 3
    assert row["bifurcations"] == 1
    assert row["tips"] == 2
    assert row["total length"] == pytest.approx(40.0)
    assert row["area"] == pytest.approx(40.0 * np.pi)
    assert row["maximum path distance"] == pytest.approx(30.0)
    assert row["mean partition asymmetry"] == 0.0
    assert row["mean tortuosity"] == pytest.approx(1.0)


def test_true_zeros_stay_zeros():
    rows = features.cell_rows("PC", {"reference": cells([10, 20])}, ["axon", "basal_dendrite"])
    values = features.values_of(rows)
    assert values["axon"]["trees"]["reference"] == [0.0, 0.0]
    assert values["axon"]["total length"]["reference"] == [0.0, 0.0]
    assert values["basal_dendrite"]["mean partition asymmetry"]["reference"] == [0.0, 0.0]
    assert np.isnan(values["axon"]["mean diameter"]["reference"]).all()


def test_scores_are_those_of_the_validation_and_bear_their_null():
    sides = {"reference": cells(range(10, 20)), "synthesized": cells(range(15, 25))}
    rows = features.cell_rows("PC", sides, ["basal_dendrite"])
    found = {row["feature"]: row for row in features.score_rows("PC", rows, seed=3)}
    length = found["total length"]
    # Lengths are 40, 44 .. 76 and 60, 64 .. 96: medians 58 and 78, percentiles 2.5 and 97.5.
    assert length["mvs"] == pytest.approx(20 / ((96 - 0.225 * 4) - (40 + 0.225 * 4)))
    assert (length["n_reference"], length["n_synthesized"]) == (10, 10)
    assert 0 < length["null_95"] < 1
    assert length["limit"] == max(0.10, length["null_95"])
    assert length["above"] == (length["mvs"] > length["limit"])
    # All cells have one tree: no spread, and no difference.
    assert found["trees"]["mvs"] == 0.0
    assert not found["trees"]["above"]
    assert features.score_rows("PC", rows, seed=3) == features.score_rows("PC", rows, seed=3)


def test_too_few_cells_have_no_score():
    sides = {"reference": cells(range(10, 17)), "synthesized": cells(range(10, 30))}
    rows = features.cell_rows("PC", sides, ["basal_dendrite"])
    assert all(
        row["mvs"] is None and row["null_95"] is None and not row["above"]
        for row in features.score_rows("PC", rows)
    )


def test_scales_are_counted_per_mtype(tmp_path):
    lines = [
        debug_line(0, "A", target=[0.5], limits=[0.8, 0.1], layers=[1.0, 1.0]),
        debug_line(1, "A", target=[1.5]),
        {"cell": 2, "mtype": "A", "debug_infos": None},  # was dropped
        debug_line(3, "B", layers=[1.0]),
    ]
    rows, made = scales.read_scales(debug_file(tmp_path / "debug.jsonl", lines))
    assert made == {"A": 2, "B": 1}
    summary = {(row["mtype"], row["kind"]): row for row in scales.summarize_scales(rows, made)}
    assert len(summary) == 6
    target = summary["A", "target"]
    assert (target["cells"], target["cells_scaled"], target["trees"]) == (2, 2, 2)
    assert (target["minimum"], target["median"], target["maximum"]) == (0.5, 1.0, 1.5)
    limits = summary["A", "limits"]
    assert (limits["trees_scaled"], limits["trees_removed"]) == (2, 1)
    layers = summary["A", "layers"]
    assert (layers["trees"], layers["trees_scaled"], layers["cells_scaled"]) == (2, 0, 0)
    none = summary["B", "limits"]
    assert none["trees"] == 0
    assert none["median"] is None


@pytest.mark.parametrize("text", ["{", '{"cell": 1}\n', "[]\n", '{"cell": 0, "mtype": "A",'])
def test_debug_data_that_are_something_else_are_refused(tmp_path, text):
    path = tmp_path / "debug.jsonl"
    path.write_text(text)
    with pytest.raises(InvalidInput, match="out_debug_data"):
        scales.read_scales(path)


def test_rows_of_path_fits():
    trees, lines = path_fits.fit_rows("PC", {"apical_dendrite": fit()})
    residuals = [(row["population"], row["residual_um"]) for row in trees]
    assert residuals == [
        ("reference", 0.0),
        ("reference", 0.0),
        ("reference", 30.0),
        ("synthesized", 3.0),
        ("synthesized", -4.0),
    ]
    assert [row["used"] for row in trees[:3]] == [True, True, False]
    assert set(lines[0]) == set(path_fits.FIT_COLUMNS)
    assert lines[0]["rms_residual_synthesized"] == pytest.approx(np.sqrt((9 + 16) / 2))
    assert lines[0]["slope_in_parameters"] == 1.5


def test_a_fit_without_slope_has_no_residuals():
    trees, lines = path_fits.fit_rows("PC", {"apical_dendrite": fit(slope=None)})
    assert all(np.isnan(row["residual_um"]) for row in trees)
    assert lines[0]["rms_residual_synthesized"] is None


def test_angles_of_trunks():
    from helpers.report_factory import flat

    # Two basal trunks: one along +x (90 degrees to the pia), one along -y (180 degrees).
    sideways = fork(BASAL_DENDRITE, start=(5.0, 0.0, 0.0))
    down = fork(BASAL_DENDRITE, up=-1.0, start=(0.0, -5.0, 0.0))
    cell = ValidationCell("a", flat(sideways, down))
    panels = trunk_angles.trunk_panels([cell], [cell], ["basal_dendrite"], None, seed=0)
    rows = trunk_angles.angle_rows("PC", panels)
    pia = [row["radians"] for row in rows if row["angle"] == "pia angle"]
    assert pia == pytest.approx([np.pi / 2, np.pi] * 2)
    between = [row["radians"] for row in rows if row["angle"] == "angle between trunks"]
    assert between == pytest.approx([np.pi / 2] * 2)
    summary = trunk_angles.summary_rows("PC", panels, [])
    assert set(summary[0]) == set(trunk_angles.SUMMARY_COLUMNS)
    assert summary[0]["median_reference"] == pytest.approx(3 * np.pi / 4)
    assert (summary[0]["n_reference"], summary[0]["by_law"]) == (1, False)


def test_laws_are_drawn_where_parameters_have_them():
    cell = ValidationCell("a", pyramid())
    law = {"mode": "normal_pia_constraint", "values": {"direction": {"mean": 1.0, "std": 0.0}}}
    parameters = {"apical_dendrite": {"orientation": law}, "grow_types": ["apical_dendrite"]}
    panels = {
        angle.name if angle.kind == "apical_dendrite" else angle.kind: values
        for angle, values in trunk_angles.trunk_panels(
            [cell], [cell], ["basal_dendrite", "apical_dendrite"], parameters, seed=0
        )
        if angle.other is None
    }
    assert panels["pia angle"]["law"] == pytest.approx(np.full(trunk_angles.DRAWS, 1.0))
    assert panels["basal_dendrite"]["law"] is None


def test_layer_names_for_people():
    assert profiles.layer_name(4) == "L4"
    assert profiles.layer_name("SP") == "SP"


def test_scores_of_a_validation_are_those_of_its_verdicts():
    from helpers.report_factory import results

    rows = features.verdict_scores(results(["A"]).of("full", tier="morphometrics"))
    assert len(rows) == 1
    assert (rows[0]["mvs"], rows[0]["null_95"], rows[0]["limit"]) == (0.4, 0.25, 0.25)
    assert rows[0]["above"]
    assert (rows[0]["n_reference"], rows[0]["n_synthesized"]) == (9, 12)
