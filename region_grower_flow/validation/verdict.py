"""One test, one verdict: what the statistics of a validation hand back.

A verdict is one of four words, and only ``pass`` is good news:

* ``pass``: the test has shown agreement, and its controls show that it could have failed.
* ``fail``: the test has shown a difference.
* ``no power``: neither; the cells are too few to tell, or the controls did not behave.
* ``not testable``: there are too few cells or values to test at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

PASS, FAIL, NOT_TESTABLE, NO_POWER = "pass", "fail", "not testable", "no power"


MIN_REFERENCE_CELLS = 8
"""Fewer reference (or synthesized) cells than these are not testable."""


@dataclass(frozen=True)
class Verdict:
    """The verdict of one test.

    Attributes:
        tier: one of TIERS.
        test: the name of the test or of the feature, e.g. ``total length`` or ``energy distance``.
        verdict: PASS, FAIL, NOT_TESTABLE or NO_POWER.
        mtype, neurite_type: what was tested, None where the test is about all of them.
        n_reference, n_synthesized: number of cells (of trees in the topology tier) that have a
            value.
        statistic: the number that the test is about.
        p: its p-value; p_adjusted: corrected for the tests of the same family.
        interval: (low, high), the 90 % bootstrap interval where the test has one.
        threshold: a number, or {name: number} where several are compared.
        detail: one sentence that says why, in the field's terms.
        values: further numbers by name.
    """

    tier: str
    test: str
    verdict: str
    mtype: str | None = None
    neurite_type: str | None = None
    n_reference: int | None = None
    n_synthesized: int | None = None
    statistic: float | None = None
    p: float | None = None
    p_adjusted: float | None = None
    interval: tuple[float, float] | None = None
    threshold: object = None
    detail: str = ""
    values: dict[str, Any] = field(default_factory=dict)


def too_few(
    tier: str, test: str, counts: Sequence[int], minimum: int = MIN_REFERENCE_CELLS, **about: Any
) -> Verdict | None:
    """The ``not testable`` verdict of a test, or None when there are enough on both sides.

    Args:
        tier, test: of the verdict.
        counts: (reference, synthesized) numbers of cells.
        minimum: the smallest number that can be tested.
        about: further attributes of the verdict (mtype, neurite_type).
    """
    n_reference, n_synthesized = counts
    if min(counts) >= minimum:
        return None
    which, number = (
        ("reference", n_reference) if n_reference < minimum else ("synthesized", n_synthesized)
    )
    return Verdict(
        tier,
        test,
        NOT_TESTABLE,
        n_reference=n_reference,
        n_synthesized=n_synthesized,
        threshold={"cells": minimum},
        detail=f"{number} {which} cell{'' if number == 1 else 's'} of at least {minimum}",
        **about,
    )


def exact(
    tier: str,
    test: str,
    mtype: str | None,
    counts: tuple[float, float],
    detail: str,
    of_none: str = NOT_TESTABLE,
) -> Verdict:
    """The verdict of a test that everything it looks at has to pass.

    Args:
        tier, test, mtype: of the verdict.
        counts: (how many cells or files were looked at, how many of them are sound).
        detail: what is wrong, in words; a test with a detail fails whatever the counts.
        of_none: the verdict where there was nothing to look at.
    """
    total, sound = counts
    verdict = PASS if sound == total and not detail else FAIL
    if total == 0 and not detail:
        verdict = of_none
        detail = "" if of_none == PASS else "there is nothing to look at"
    return Verdict(
        tier,
        test,
        verdict,
        mtype=mtype,
        n_synthesized=int(total),
        statistic=float(sound / total) if total else None,
        threshold=1.0,
        detail=detail,
    )
