"""The verdict on a feature, from the numbers of its test, and the verdict on all features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from region_grower_flow.validation.copies import compare_cells
from region_grower_flow.validation.statistics import (
    FeatureTest,
    benjamini_hochberg,
    compare_feature,
)
from region_grower_flow.validation.verdict import FAIL, NO_POWER, NOT_TESTABLE, PASS, Verdict

ALPHA = 0.05
"""Significance of the corrected Kolmogorov-Smirnov test."""

BAND = 0.5
"""Medians are equivalent within this many spreads of the reference."""

MVS_LIMIT = 0.10
"""MVS below this are never a difference, however many cells there are."""

PASSING_SHARE = 0.90
"""Share of features that has to pass; as many may fail as this leaves."""

FEATURES = "features"
"""The name of the verdict on all features of a neurite type."""


def judge(test: FeatureTest, p_adjusted: float, mvs_p_adjusted: float) -> tuple[str, str]:
    """The verdict of a feature and its reason.

    A difference that is shown fails: by the KS test or the MVS, both corrected for the tests of the
    family, or by an interval beyond the band. What shows no difference passes when the whole
    interval lies in the band and the MVS below its limit: the medians are equivalent. Else nothing
    is shown: the cells are too few, which is not a pass.

    Args:
        test: FeatureTest.
        p_adjusted, mvs_p_adjusted: its p-values of KS and MVS, corrected for their family.

    Returns:
        (verdict, sentence).
    """
    low, high = test.interval
    limit = max(MVS_LIMIT, test.mvs_null95)
    if p_adjusted < ALPHA:
        floor = "" if np.isnan(test.floor) else f", floor of copies {test.floor:.2f}"
        words = f"KS {test.ks:.2f}{floor}, corrected p {p_adjusted:.2g}"
        return FAIL, f"the distributions differ ({words})"
    if low > BAND or high < -BAND:
        return FAIL, f"the medians differ by {low:+.2f} to {high:+.2f} spreads of the reference"
    if test.mvs > limit and mvs_p_adjusted < ALPHA:
        words = f"the MVS {test.mvs:.3f} is above {limit:.3f}, corrected p {mvs_p_adjusted:.2g}"
        return FAIL, f"the medians differ ({words})"
    if test.mvs > limit:
        words = f"the MVS {test.mvs:.3f} is above {limit:.3f}, as one of many may be by chance"
        return NO_POWER, f"no difference is shown, but {words} (corrected p {mvs_p_adjusted:.2g})"
    if low >= -BAND and high <= BAND:
        return PASS, f"the medians agree within {low:+.2f} to {high:+.2f} spreads of the reference"
    return NO_POWER, (
        f"no difference is found, but the medians may differ by {low:+.2f} to {high:+.2f} spreads"
        f" of the reference, more than {BAND:g}: too few cells to show that they agree"
    )


def feature_tests(
    reference: Mapping[str, np.ndarray],
    synthesized: Mapping[str, np.ndarray],
    rng: np.random.Generator,
    minimum: int,
    fitted: Mapping[str, np.ndarray] | None = None,
) -> list[FeatureTest]:
    """Compare features in order.

    Args:
        reference, synthesized: {feature: (n,) values}, the same keys.
        rng: numpy Generator.
        minimum: of values on each side.
        fitted: {feature: (n,) values} of the cells that the synthesized ones were grown from, where
            the reference are others; see :mod:`copies`.

    Returns:
        [FeatureTest].
    """
    if fitted is not None:
        return [
            compare_cells(name, values, synthesized[name], fitted[name], rng, minimum)
            for name, values in reference.items()
        ]
    return [
        compare_feature(name, values, synthesized[name], rng, minimum)
        for name, values in reference.items()
    ]


def feature_verdicts(
    tier: str, mtype: str | None, tests: Mapping[Any, Sequence[FeatureTest]], minimum: int
) -> list[Verdict]:
    """Verdicts of the features of all neurite types of one mtype, corrected as one family.

    Args:
        tier: of the verdicts.
        mtype: of the cells.
        tests: {neurite type: [FeatureTest]}.
        minimum: of values on each side.

    Returns:
        [Verdict], for each neurite type its features.
    """
    family = [(kind, test) for kind, of_type in tests.items() for test in of_type]
    corrected = [
        benjamini_hochberg([getattr(test, name) for _, test in family]).tolist()
        for name in ("p", "mvs_p")
    ]
    return [
        _verdict(tier, minimum, {"mtype": mtype, "neurite_type": kind}, test, adjusted)
        for (kind, test), *adjusted in zip(family, *corrected, strict=True)
    ]


def _verdict(
    tier: str, minimum: int, about: dict[str, Any], test: FeatureTest, adjusted: Sequence[float]
) -> Verdict:
    about |= {"n_reference": test.n_reference, "n_synthesized": test.n_synthesized}
    if min(test.n_reference, test.n_synthesized) < minimum:
        counts = f"{test.n_reference} reference and {test.n_synthesized} synthesized"
        detail = f"{counts} values, where at least {minimum} of each are needed"
        return Verdict(
            tier, test.name, NOT_TESTABLE, threshold={"cells": minimum}, detail=detail, **about
        )
    verdict, detail = judge(test, *adjusted)
    return Verdict(
        tier,
        test.name,
        verdict,
        statistic=test.difference,
        p=test.p,
        p_adjusted=adjusted[0],
        interval=test.interval,
        threshold={
            "p_adjusted": ALPHA,
            "interval": BAND,
            "mvs": max(MVS_LIMIT, test.mvs_null95),
        },
        detail=detail,
        values=_values(test, adjusted[1]),
        **about,
    )


def _values(test: FeatureTest, mvs_p_adjusted: float) -> dict[str, Any]:
    floor = {} if np.isnan(test.floor) else {"floor": test.floor}
    return floor | {
        "ks": test.ks,
        "mvs": test.mvs,
        "mvs_null95": test.mvs_null95,
        "mvs_p": test.mvs_p,
        "mvs_p_adjusted": mvs_p_adjusted,
        "scale": test.scale,
        "median_reference": test.medians[0],
        "median_synthesized": test.medians[1],
    }


def overall(
    verdicts: Sequence[Verdict],
    tier: str,
    mtype: str | None,
    neurite_type: str,
    floor: int | None = None,
) -> Verdict:
    """The verdict on all features of a neurite type: nine of ten have to pass.

    Args:
        verdicts: those of the features.
        tier, mtype, neurite_type: of the verdict.
        floor: how many features copies of the fitted cells fail, None where there are none.

    Returns:
        Verdict: ``fail`` when more than a tenth of the testable features fail; ``not testable``
        when fewer than half of the features are testable (few cells have such trees); ``pass``
        when nine tenths of the testable ones pass, else ``no power``. Its statistic is the share
        of the testable features that pass.
    """
    counts = {
        word: sum(verdict.verdict == word for verdict in verdicts)
        for word in (PASS, FAIL, NO_POWER, NOT_TESTABLE)
    }
    testable = len(verdicts) - counts[NOT_TESTABLE]
    sizes = [[getattr(v, name) for v in verdicts] for name in ("n_reference", "n_synthesized")]
    about: dict[str, Any] = {
        "mtype": mtype,
        "neurite_type": neurite_type,
        "n_reference": max(sizes[0], default=0),
        "n_synthesized": max(sizes[1], default=0),
        "threshold": {"share": PASSING_SHARE},
        "values": {word.replace(" ", "_"): count for word, count in counts.items()},
    }
    if testable == 0:
        return Verdict(tier, FEATURES, NOT_TESTABLE, detail="no feature is testable", **about)
    share = counts[PASS] / testable
    words = f"{counts[PASS]} of {testable} features agree, {counts[FAIL]} differ"
    if floor is not None:
        about["values"]["floor_fail"] = floor
        words += f" (of copies of the fitted cells {floor})"
    # Shares of small counts: 0.9 of 10 features are 9, whatever the rounding.
    allowed = np.floor(testable * (1 - PASSING_SHARE) + 1e-9)
    if counts[FAIL] > allowed:
        names = [verdict.test for verdict in verdicts if verdict.verdict == FAIL]
        return Verdict(
            tier, FEATURES, FAIL, statistic=share, detail=f"{words}: {', '.join(names)}", **about
        )
    if 2 * testable < len(verdicts):
        detail = f"{words}, but few cells have such trees: {counts[NOT_TESTABLE]} are not testable"
        return Verdict(tier, FEATURES, NOT_TESTABLE, statistic=share, detail=detail, **about)
    if testable - counts[PASS] <= allowed:
        return Verdict(tier, FEATURES, PASS, statistic=share, detail=words, **about)
    detail = f"{words}, for {counts[NO_POWER]} the cells are too few to tell"
    return Verdict(tier, FEATURES, NO_POWER, statistic=share, detail=detail, **about)
