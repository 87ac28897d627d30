"""The files of a choice of axons: the table that synthesis reads, and the scores."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from region_grower_flow.io.csv_files import csv_text
from region_grower_flow.placement.choose import AxonChoice

NO_VALUE = "N/A"
SCORE_COLUMNS = ("cell", "mtype", "morphology", "scale", "score", "best_score", "reason")
DONOR_COLUMNS = ("mtype", "morphology", "cells", "chosen", "mean_score")


def axon_table_text(choice: AxonChoice) -> str:
    """The table that ``morph_axon`` reads: the row of the cell, a morphology, perhaps a scale."""
    names = [NO_VALUE if name is None else name for name in choice.names.tolist()]
    if choice.scales is None:
        lines = [f"{cell}\t{name}" for cell, name in enumerate(names)]
        return "\n".join(["\tmorphology", *lines, ""])
    scales = [NO_VALUE if scale != scale else repr(scale) for scale in choice.scales.tolist()]
    rows = zip(names, scales, strict=True)
    lines = [f"{cell}\t{name}\t{scale}" for cell, (name, scale) in enumerate(rows)]
    return "\n".join(["\tmorphology\tscale", *lines, ""])


def scores_text(choice: AxonChoice, mtypes: Sequence[str]) -> str:
    """The donor of each cell with its score and the best score that was possible, as CSV."""
    count = len(choice.names)
    scales = np.full(count, np.nan) if choice.scales is None else choice.scales
    rows = zip(
        range(count),
        mtypes,
        choice.names.tolist(),
        np.round(scales, 6).tolist(),
        np.round(choice.scores, 6).tolist(),
        np.round(choice.best, 6).tolist(),
        choice.reasons.tolist(),
        strict=True,
    )
    return csv_text(SCORE_COLUMNS, rows)


def donors_text(choice: AxonChoice) -> str:
    """Number of times that each donor was chosen, and its mean score, as CSV."""
    return csv_text(DONOR_COLUMNS, choice.donors)


def choice_sentences(choice: AxonChoice, mtypes: Sequence[str]) -> Iterator[str]:
    """Sentences about a choice of axons."""
    count = len(choice.names)
    without = Counter(
        (mtype, reason)
        for mtype, reason in zip(mtypes, choice.reasons.tolist(), strict=True)
        if reason is not None
    )
    chosen = {donor["morphology"] for donor in choice.donors if donor["chosen"]}
    yield (
        f"{count - sum(without.values()):,} of {count:,} cells have an axon, "
        f"of {len(chosen)} different donors"
    )
    scored = choice.scores[np.isfinite(choice.scores)]
    if len(scored):
        best = choice.best[np.isfinite(choice.scores)]
        yield (
            f"scores: median {np.median(scored):.3f} of the chosen, {np.median(best):.3f} of the "
            "best donors"
        )
    if choice.unscored:
        yield f"{choice.unscored:,} cells in regions without layers: their donors are random"
    totals = Counter(mtypes)
    for (mtype, reason), number in sorted(without.items()):
        yield f"{mtype}: {number:,} of {totals[mtype]:,} cells have no axon ({reason})"
