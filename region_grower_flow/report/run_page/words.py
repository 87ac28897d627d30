"""Numbers and warnings of a run in words."""

GREAT_LOSS = 0.05
"""Fraction of an mtype's cells: when more are dropped it is among the warnings."""


def duration(seconds):
    """Seconds for people."""
    if seconds < 10:
        return f"{seconds:.1f} s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def size_words(size):
    """Bytes for people."""
    if size is None:
        return "\u2013"
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return ""


def warnings_of(summary):
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
