"""Warnings of a run in words."""

from collections.abc import Iterator, Mapping
from typing import Any

GREAT_LOSS = 0.05
"""Fraction of an mtype's cells: when more are dropped it is among the warnings."""


def warnings_of(summary: Mapping[str, Any]) -> Iterator[str]:
    """Warnings about a synthesis, as sentences."""
    for mtype, counts in summary["mtypes"].items():
        if counts["asked"] and counts["dropped"] / counts["asked"] > GREAT_LOSS:
            reason = max(counts["reasons"], key=counts["reasons"].get, default="")
            yield (
                f"{mtype}: {counts['dropped']} of {counts['asked']} cells were dropped, "
                f"mostly: {reason}"
            )
    for reason, count in summary["fallbacks"]["reasons"].items():
        yield f"{count} cells were grown by NeuroTS itself: {reason}"
    if summary.get("given_up_at") is not None:
        yield f"Some cells were given up after {summary['given_up_at']:g} s."
