"""Controls: would a test have failed cells that are wrong, and does it spare those that are right?

Four controls for each test of an mtype, by the test itself:

* ``half-split``: a random half of the reference against the other half; it must not fail. (Halves
  cannot show that medians are equivalent, so that ``no power`` is not held against it.)
* ``barcodes times 1.2``: barcodes 1.2 times as long, on cells 1.2 times as large; must fail.
* ``barcodes divided by 1.2``: the same the other way; must fail too. (Not for the ratio of image
  distances, which only looks for trees that are farther away.)
* ``another mtype``: the reference cells of another mtype in place of synthesized ones; must fail.

The barcodes that are scaled are those of the synthesized cells, which stand for cells grown from
barcodes 1.2 times as long: growth copies barcodes. Scaled copies of the reference would not be
independent of the reference; one half of it against the other, scaled, would tell of a test with
half of the cells (halves of 8 cells cannot reach p = 0.01 in a permutation test). Synthesized cells
may themselves be somewhat too large or too small, which makes one direction easy to see and the
other one hard: so both have to fail.

Scale does not change angles: trunks that are bent (see :func:`trunks.bent`) stand for both scales
and for ``another mtype`` there. The controls have the numbers of cells of the test, but for the
halves. Where a control does not behave, the verdict of the test is ``no power``.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias, TypeVar

import numpy as np

from region_grower_flow.validation import classifier, morphometrics, topology, trunks
from region_grower_flow.validation.cells import ValidationCell
from region_grower_flow.validation.comparison import Comparison
from region_grower_flow.validation.features import FEATURES
from region_grower_flow.validation.topology import Trees
from region_grower_flow.validation.verdict import (
    FAIL,
    MIN_REFERENCE_CELLS,
    NO_POWER,
    NOT_TESTABLE,
    PASS,
    Verdict,
)

TIER = "controls"

FACTOR = 1.2
"""Factor by which the barcodes of synthesized cells, and all of their lengths, are scaled."""

HALF_SPLIT = "half-split"
LARGER, SMALLER = f"barcodes times {FACTOR:g}", f"barcodes divided by {FACTOR:g}"
OTHER, BENT = "another mtype", "bent trunks"
CONTROLS = (HALF_SPLIT, LARGER, SMALLER, OTHER, BENT)
SCALES = {LARGER: FACTOR, SMALLER: 1 / FACTOR}

SPLITS = 5
"""Half-splits; a test that fails more than one of them fails without a reason."""

MAX_FAILED_SPLITS = 1

MIN_HALF = MIN_REFERENCE_CELLS // 2

_TIERS: tuple[Any, ...] = (morphometrics, topology, classifier)
"""Modules of the tiers with controls, besides that of trunks."""

_TESTS = {
    morphometrics.TIER: {FEATURES},
    topology.TIER: {topology.RATIO, topology.ENERGY},
    classifier.TIER: {classifier.TEST},
}
"""Tests with controls, besides those of trunks. Single features have none: an interval that is
narrow enough to pass shows its power by itself."""

T = TypeVar("T")

_Found: TypeAlias = dict[tuple[str, str | None], dict[str, list[str]]]
"""{(test, neurite type): {control: [verdict of the test]}}."""


def run(
    reference: Sequence[ValidationCell],
    synthesized: Sequence[ValidationCell],
    other: Sequence[ValidationCell] | None,
    comparison: Comparison,
) -> list[Verdict]:
    """Run the controls of all tests of one mtype.

    Args:
        reference, synthesized: the cells that the tests compare.
        other: cells of another mtype's reference; empty or None for none.
        comparison: the terms of the tests.

    Returns:
        One Verdict for each test (``topology: energy distance``): ``pass`` when its controls
        behave, ``no power`` when one does not, ``not testable`` when none could be run. Its
        ``values`` say what the test said of each control. None for cells too few to be tested.
    """
    if min(len(reference), len(synthesized)) < MIN_REFERENCE_CELLS:
        return []
    found: _Found = {}
    kinds = comparison.neurite_types
    for split, halves in enumerate(_halves(reference, comparison.seed)):
        _note(found, HALF_SPLIT, _tiers(*halves, _of_halves(comparison, split)))
    for control, factor in SCALES.items():
        _note(found, control, _tiers(reference, scaled(synthesized, factor, kinds), comparison))
    if other and len(other) >= MIN_REFERENCE_CELLS:
        _note(found, OTHER, _tiers(reference, other, replace(comparison, fitted=())))
    counts = len(reference), len(synthesized)
    of_trunks = run_trunks(reference, synthesized, comparison)
    return _verdicts(found, comparison.mtype, lambda _: counts) + of_trunks


def run_trunks(
    reference: Sequence[ValidationCell] | None,
    synthesized: Sequence[ValidationCell],
    comparison: Comparison,
) -> list[Verdict]:
    """Run the controls of the trunks alone, as of :func:`run`.

    Args:
        reference: the cells; None where only laws are known.
        synthesized, comparison: as of :func:`run`.
    """
    found: _Found = {}
    for split, halves in enumerate(_halves(reference or [], comparison.seed)):
        verdicts = trunks.compare_halves(halves, _of_halves(comparison, split))
        _note(found, HALF_SPLIT, verdicts)
    copies = trunks.bent(synthesized, comparison.neurite_types)
    _note(found, BENT, trunks.compare(reference, copies, comparison))
    counts = None if reference is None else len(reference), len(synthesized)
    return _verdicts(found, comparison.mtype, lambda _: counts)


def run_trees(
    reference: Mapping[str, Trees],
    synthesized: Mapping[str, Trees],
    other: Mapping[str, Trees] | None,
    comparison: Comparison,
) -> list[Verdict]:
    """Run the controls of the topology tests where the reference has barcodes only.

    Args:
        reference, synthesized, other: {neurite type: [(n, >= 2) bars of a tree]}; ``other`` may be
            None.
        comparison: the terms of the tests.

    Returns:
        The Verdicts, as of :func:`run`.
    """
    found: _Found = {}
    splits = {kind: list(_halves(trees, comparison.seed)) for kind, trees in reference.items()}

    def compare(
        first: Mapping[str, Trees], second: Mapping[str, Trees], terms: Comparison = comparison
    ) -> list[Verdict]:
        verdicts = topology.compare_trees(first, second, terms)
        return [verdict for verdict in verdicts if verdict.test in _TESTS[topology.TIER]]

    for split in range(SPLITS):
        halves = [{kind: splits[kind][split][half] for kind in reference} for half in (0, 1)]
        _note(found, HALF_SPLIT, compare(halves[0], halves[1], _of_halves(comparison, split)))
    for control, factor in SCALES.items():
        copies = {
            kind: [np.asarray(bars, dtype=float)[:, :2] * factor for bars in trees]
            for kind, trees in synthesized.items()
        }
        _note(found, control, compare(reference, copies))
    if other:
        _note(found, OTHER, compare(reference, other))
    counts = {
        kind: (len(trees), len(synthesized.get(kind, ()))) for kind, trees in reference.items()
    }
    return _verdicts(found, comparison.mtype, counts.__getitem__)


def _of_halves(comparison: Comparison, split: int) -> Comparison:
    """The terms on which the halves of one split are compared."""
    return replace(comparison, seed=comparison.seed + split, minimum=MIN_HALF, fitted=())


def apply(verdicts: Iterable[Verdict], controls: Iterable[Verdict]) -> list[Verdict]:
    """Verdicts in the light of their controls.

    A pass whose control did not behave becomes ``no power``; so does a failure of a test that also
    fails half-splits of the reference.

    Args:
        verdicts: [Verdict] of the tests.
        controls: [Verdict] of :func:`run`, of any number of mtypes.

    Returns:
        [Verdict], as many as there are verdicts, in order (without the controls).
    """
    by_test = {(c.mtype, c.neurite_type, c.test): c for c in controls}
    return [_applied(verdict, by_test) for verdict in verdicts]


def _applied(
    verdict: Verdict, by_test: Mapping[tuple[str | None, str | None, str], Verdict]
) -> Verdict:
    control = by_test.get((verdict.mtype, verdict.neurite_type, _name(verdict)))
    if control is None or control.verdict == PASS:
        return verdict
    overturned = verdict.verdict == PASS or (
        verdict.verdict == FAIL and control.values.get(HALF_SPLIT) == FAIL
    )
    if not overturned:
        return verdict
    detail = f"{verdict.detail}; but {control.detail}"
    values = {**verdict.values, "without_controls": verdict.verdict}
    return replace(verdict, verdict=NO_POWER, detail=detail, values=values)


def scaled(
    cells: Sequence[ValidationCell], factor: float, neurite_types: Sequence[str]
) -> list[ValidationCell]:
    """Copies of cells with all lengths multiplied by a factor.

    Their morphometrics and barcodes come from those of the cells, without measuring again.
    """
    return [_scaled(cell, factor, neurite_types) for cell in cells]


def _scaled(cell: ValidationCell, factor: float, neurite_types: Sequence[str]) -> ValidationCell:
    copy = cell.scaled(factor)
    powers = np.array([factor**feature.power for feature in morphometrics.FEATURES])
    for kind in neurite_types:
        bars = [of_tree * factor for of_tree in topology.barcodes(cell, kind)]
        copy.measured[morphometrics.TIER, kind] = morphometrics.measure(cell, kind) * powers
        copy.measured[topology.TIER, kind, topology.FILTRATION] = bars
    return copy


def choose_other(mtype: str, lengths: Mapping[str, float]) -> str | None:
    """Another mtype for the control: neither the most similar nor the most different one.

    Args:
        mtype: under test.
        lengths: {mtype: a size of its cells, e.g. the median length of their trees} of all mtypes
            that could be taken, and of this one.

    Returns:
        The mtype with the median difference in (the logarithm of) size, None without others.
    """
    own = np.log(max(lengths[mtype], 1e-9))
    others = sorted(
        (name for name in lengths if name != mtype),
        key=lambda name: (abs(np.log(max(lengths[name], 1e-9)) - own), name),
    )
    return others[len(others) // 2] if others else None


def _halves(units: Sequence[T], seed: int) -> Iterator[tuple[list[T], list[T]]]:
    """SPLITS times two random halves of a list."""
    rng = np.random.default_rng(seed)
    for _ in range(SPLITS):
        order = rng.permutation(len(units))
        first, second = np.sort(order[: len(units) // 2]), np.sort(order[len(units) // 2 :])
        yield [units[i] for i in first], [units[i] for i in second]


def _tiers(
    first: Sequence[ValidationCell], second: Sequence[ValidationCell], comparison: Comparison
) -> list[Verdict]:
    return [
        verdict
        for tier in _TIERS
        for verdict in tier.compare(first, second, comparison)
        if verdict.test in _TESTS[tier.TIER]
    ]


def _name(verdict: Verdict) -> str:
    return f"{verdict.tier}: {verdict.test}"


def _note(found: _Found, control: str, verdicts: Iterable[Verdict]) -> None:
    for verdict in verdicts:
        of_test = found.setdefault((_name(verdict), verdict.neurite_type), {})
        of_test.setdefault(control, []).append(verdict.verdict)


def _verdicts(
    found: _Found, mtype: str | None, counts: Callable[[Any], tuple[int | None, int]]
) -> list[Verdict]:
    """The Verdicts; ``counts`` gives (reference, synthesized) numbers for a neurite type."""
    return [
        _verdict(test, said, {"mtype": mtype, "neurite_type": kind}, counts(kind))
        for (test, kind), said in found.items()
        if said.keys() - {HALF_SPLIT}
    ]


def _verdict(
    test: str,
    said: Mapping[str, Sequence[str]],
    about: Mapping[str, Any],
    counts: tuple[int | None, int],
) -> Verdict:
    one_sided = test == f"{topology.TIER}: {topology.RATIO}"
    outcomes = {
        control: _outcome(control, said[control])
        for control in CONTROLS
        if control in said and not (one_sided and control == SMALLER)
    }
    faults = [control for control, outcome in outcomes.items() if _bad(control, outcome)]
    ran = {control for control, outcome in outcomes.items() if outcome != NOT_TESTABLE}
    about = {**about, "n_reference": counts[0], "n_synthesized": counts[1], "values": outcomes}
    if not ran - {HALF_SPLIT}:
        detail = "too few cells for any control that should fail"
        return Verdict(TIER, test, NOT_TESTABLE, detail=detail, **about)
    words = "; ".join(f"{control}: {outcome}" for control, outcome in outcomes.items())
    if faults:
        faulty = " and ".join(_FAULTS[control] for control in faults)
        return Verdict(TIER, test, NO_POWER, detail=f"the test {faulty} ({words})", **about)
    return Verdict(TIER, test, PASS, detail=f"the controls behave ({words})", **about)


_FAULTS = {
    HALF_SPLIT: "also fails halves of the reference against each other",
    LARGER: f"does not fail {LARGER}",
    SMALLER: f"does not fail {SMALLER}",
    OTHER: "does not fail cells of another mtype",
    BENT: "does not fail trunks that are bent",
}


def _outcome(control: str, words: Sequence[str]) -> str:
    """Outcome of a test of a control."""
    if control != HALF_SPLIT:
        return words[0]
    tested = [word for word in words if word != NOT_TESTABLE]
    if not tested:
        return NOT_TESTABLE
    return FAIL if tested.count(FAIL) > MAX_FAILED_SPLITS else PASS


def _bad(control: str, outcome: str) -> bool:
    if control == HALF_SPLIT:
        return outcome == FAIL
    return outcome not in (FAIL, NOT_TESTABLE)
