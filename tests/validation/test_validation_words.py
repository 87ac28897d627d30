"""A validation of an mtype in one sentence."""

import re

import pytest

from helpers.made_cells import make_cells
from region_grower_flow.validation import body, classifier, morphometrics, trunks, words
from region_grower_flow.validation.comparison import Comparison
from region_grower_flow.validation.results import plain_verdict
from region_grower_flow.validation.verdict import NOT_TESTABLE, PASS

BASAL = "basal_dendrite"
COUNTS = {"n_reference": 24, "n_synthesized": 40, "reference": "cells"}


def sentence(reference, grown, **population):
    verdicts = []
    for tier in (morphometrics, classifier, trunks, body):
        verdicts += tier.compare(reference, grown, Comparison((BASAL,), 0, "PC"))
    return words.sentence([plain_verdict(v) for v in verdicts], {**COUNTS, **population})


@pytest.mark.slow
def test_cells_that_agree():
    text = sentence(make_cells(24, 0), make_cells(40, 1))
    assert "but it has" not in text
    assert "24 reconstructions" in text
    assert "a classifier cannot tell them apart" in text
    assert re.search(r"differences below about 0\.\d times the spread between cells", text)
    assert text[0].isupper()
    assert text.endswith(".")


@pytest.mark.slow
def test_cells_that_differ():
    text = sentence(make_cells(24, 0), [cell.scaled(1.5) for cell in make_cells(40, 1)])
    assert re.search(r"but it has .*\(\d+ um instead of \d+ um, \+\d\.\d spreads\)", text)
    assert "more differences" in text
    assert re.search(r"a classifier tells \d+% of the cells right", text)


def feature(test, verdict):
    return {
        "test": test,
        "tier": "morphometrics",
        "verdict": verdict,
        "neurite_type": BASAL,
        "statistic": 0.1,
        "interval": None,
    }


def test_what_cannot_be_tested_does_not_agree():
    verdicts = [feature("total length", PASS), feature("mean diameter", NOT_TESTABLE)]
    assert words.sentence(verdicts, COUNTS) == "Agrees with 24 reconstructions in length."
    text = words.sentence(verdicts[1:], COUNTS)
    assert text == "None of its features can be tested."


@pytest.mark.parametrize("counts", [{"n_reference": 5}, {"n_synthesized": 3}])
def test_few_cells_are_no_test(counts):
    assert words.sentence([], {**COUNTS, **counts}).startswith("No test: ")
    one = {"n_reference": 1, "n_synthesized": 1}
    assert "1 reconstruction and 1 grown cell, where" in words.sentence([], {**COUNTS, **one})


def test_barcodes():
    text = words.sentence([], {**COUNTS, "n_reference": None, "reference": "barcodes"})
    assert text == (
        "Compared with barcodes only (no shapes, sizes or directions): 0 of 0 tests differ."
    )


def test_every_feature_has_words():
    assert {feature.name for feature in morphometrics.FEATURES} <= set(words._FEATURES)
