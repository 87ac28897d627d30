"""The shape of the results, and the verdicts that a run fails on."""

import csv
import json

import numpy as np
import pytest

from region_grower_flow.errors import InvalidInput
from region_grower_flow.validation import gate
from region_grower_flow.validation.features import FEATURES
from region_grower_flow.validation.results import (
    JSON_NAME,
    MTYPES_NAME,
    VERDICT_KEYS,
    Results,
    deciding,
    plain,
    worst,
)
from region_grower_flow.validation.verdict import FAIL, NO_POWER, NOT_TESTABLE, PASS, Verdict


@pytest.fixture
def results():
    found = Results(options={"holdout": False})
    population = {
        "n_reference": 9,
        "n_synthesized": 20,
        "asked": 22,
        "dropped": 2,
        "reasons": {"too thin": 2},
    }
    found.populations = {"full": {"PC": population, "IN": population}}
    found.add(
        "full",
        [
            Verdict("structure", "finite points", PASS, "PC", n_synthesized=20, statistic=1.0),
            Verdict("morphometrics", "tips", FAIL, "PC", "basal_dendrite", p=np.float64(0.01)),
            Verdict("morphometrics", FEATURES, PASS, "PC", "basal_dendrite"),
            Verdict("topology", "energy distance", NO_POWER, "PC", "basal_dendrite"),
            Verdict("topology", "energy distance", FAIL, "IN", "basal_dendrite", detail="far."),
            Verdict("trunks", "pia angle", NOT_TESTABLE, "IN", statistic=float("nan")),
            Verdict("structure", "a row per file", FAIL, detail="2 files belong to no row"),
        ],
    )
    found.extend("cells", [{"mtype": "PC", "tips": 3.0}, {"mtype": "PC", "tips": float("nan")}])
    return found


def bad(results, *words):
    found = gate.bad_verdicts(results.as_dict()["verdicts"], words)
    return [(v["mtype"], v["test"]) for v in found]


def test_what_is_written_can_be_read(results, tmp_path):
    paths = results.write(tmp_path / "val")
    assert paths[-1].name == JSON_NAME
    content = gate.read_results(tmp_path / "val")
    assert content == json.loads(json.dumps(results.as_dict(), allow_nan=False))
    assert all(tuple(verdict) == VERDICT_KEYS for verdict in content["verdicts"])
    assert content["verdicts"][5]["statistic"] is None
    table = content["tables"]["cells"]
    assert (table["columns"], table["rows"]) == (["mtype", "tips"], 2)
    with open(tmp_path / "val" / table["file"], encoding="utf-8") as file:
        assert [row["tips"] for row in csv.DictReader(file)] == ["3.0", ""]


def test_the_table_of_mtypes(results, tmp_path):
    results.write(tmp_path)
    with open(tmp_path / MTYPES_NAME, encoding="utf-8") as file:
        rows = {row["mtype"]: row for row in csv.DictReader(file)}
    assert (rows["PC"]["asked"], rows["PC"]["dropped"]) == ("22", "2")
    # One feature of many may fail: the verdict on all of them decides.
    assert (rows["PC"]["morphometrics"], rows["PC"]["morphometrics_passed"]) == (PASS, "1/2")
    assert (rows["PC"]["topology"], rows["PC"]["classifier"]) == (NO_POWER, "")
    assert rows["IN"]["failed"] == "topology: energy distance (basal_dendrite)"


@pytest.mark.parametrize(
    ("options", "part", "expected"),
    [
        ({"validation_of": "atlas"}, "full", True),
        ({"validation_of": "atlas"}, "holdout", False),
        ({"validation_of": "vacuum"}, "full", False),
    ],
)
def test_the_hold_out_never_lies_in_an_atlas(options, part, expected):
    assert Results(options=options).in_atlas(part) == expected


def test_counts(results):
    counts = results.as_dict()["counts"]["full"]
    assert counts["structure"] == {FAIL: 1, PASS: 1}
    assert counts["topology"] == {FAIL: 1, NO_POWER: 1}
    assert list(counts) == ["structure", "morphometrics", "topology", "trunks"]


def test_the_worst_of_some_verdicts(results):
    assert worst(results.of("full")) == FAIL
    assert worst(results.of("full", "PC", "topology")) == NO_POWER
    assert worst([]) == ""
    assert ("PC", "tips") not in [(v["mtype"], v["test"]) for v in deciding(results.of("full"))]


@pytest.mark.parametrize(
    ("words", "tests"),
    [
        ((), []),
        (("none",), []),
        (("none", "fail"), []),
        (("fail",), [("IN", "energy distance"), (None, "a row per file")]),
        (("structure",), [(None, "a row per file")]),
        (("fail", "topology"), [("IN", "energy distance")]),
        (("no_power", "topology"), [("PC", "energy distance"), ("IN", "energy distance")]),
        (("fail", "no_power", "topology"), [("PC", "energy distance"), ("IN", "energy distance")]),
        (("not_testable", "trunks"), [("IN", "pia angle")]),
        (("classifier",), []),
    ],
)
def test_words_that_a_run_fails_on(results, words, tests):
    assert bad(results, *words) == tests


def test_a_sentence_for_each_mtype(results):
    with pytest.raises(gate.BadVerdicts) as caught:
        gate.check_verdicts(results.as_dict(), ("fail",))
    lines = str(caught.value).splitlines()
    assert lines[0] == "2 verdicts are not good enough; all outputs are written."
    assert lines[1] == "IN (full): topology: energy distance (basal_dendrite): fail (far)."
    assert lines[2].startswith("All mtypes (full): structure: a row per file: fail (2 files")
    gate.check_verdicts(results.as_dict(), ("none",))


def test_the_account_has_a_line_per_tier(results):
    lines = list(gate.overview(results.as_dict()))
    assert lines[0] == "full: 2 mtypes, 40 synthesized cells compared."
    assert "  topology: 1 fail, 1 no power" in lines


def test_results_that_are_not_there(tmp_path):
    with pytest.raises(InvalidInput, match="cannot be read"):
        gate.read_results(tmp_path)


def test_plain_values():
    value = {"a": np.float32(1.5), 2: [np.inf, (1, None)], "b": np.arange(2)}
    assert plain(value) == {"a": 1.5, "2": [None, [1, None]], "b": [0, 1]}
