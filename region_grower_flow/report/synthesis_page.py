"""The page of a synthesis: what was asked and made, pictures, times, warnings, provenance."""

from dataclasses import dataclass, field

from region_grower_flow.report.html import details, document, figure, number, table, tag
from region_grower_flow.report.provenance import provenance_section

GREAT_LOSS = 0.05
"""Fraction of an mtype's cells: when more are dropped it is among the warnings."""
MOST_WARNINGS = 40


@dataclass
class SynthesisReport:
    """Contents of the page.

    Attributes:
        summary: what a synthesis writes as its summary.
        written: [(what, path, bytes or None)] of the outputs.
        warnings: [sentence].
        calibration: [(stage, [sentence])].
        pictures: [(mtype or None, kind, data, caption)].
    """

    summary: dict
    written: list = field(default_factory=list)
    warnings: list = field(default_factory=list)
    calibration: list = field(default_factory=list)
    pictures: list = field(default_factory=list)


def synthesis_page(report):
    """The page as text."""
    summary = report.summary
    general = [picture for picture in report.pictures if picture[0] is None]
    own = {}
    for picture in report.pictures:
        own.setdefault(picture[0], []).append(picture)
    return document(
        "Synthesized morphologies",
        tag("h1", "Synthesized morphologies"),
        tag("p", _lead(summary), class_="lead"),
        _navigation(report),
        _cards(summary),
        _banner(summary),
        _warnings(report.warnings),
        [_picture(picture) for picture in general],
        tag("h2", "Cells by mtype", id="mtypes"),
        _mtype_table(summary),
        [_mtype(name, counts, own.get(name, ())) for name, counts in summary["mtypes"].items()],
        _calibration(report.calibration),
        _times(summary),
        _written(report.written),
        provenance_section(*_provenance(summary)),
    )


def _lead(summary):
    asked = summary["cells"]["asked"]
    return f"{asked:,} cells of {len(summary['mtypes']):,} mtypes"


def _navigation(report):
    links = [("mtypes", "Cells by mtype")]
    links += [("calibration", "Calibration")] if report.calibration else []
    links += [("times", "Times"), ("files", "Files"), ("provenance", "Provenance")]
    return tag("nav", [tag("a", words, href=f"#{name}") for name, words in links])


def _cards(summary):
    cells, seconds = summary["cells"], summary.get("seconds", {})
    items = [("asked", cells["asked"]), ("made", cells["made"]), ("dropped", cells["dropped"])]
    items.append(("mtypes", len(summary["mtypes"])))
    cards = [tag("li", tag("b", number(value)), tag("span", words)) for words, value in items]
    cards.append(tag("li", tag("b", duration(sum(seconds.values()))), tag("span", "of work")))
    return tag("ul", cards, class_="cards")


def _banner(summary):
    cells = summary["cells"]
    if not cells["dropped"]:
        words, css = "✓ Every cell that was asked for was made.", "pass"
    else:
        share = cells["dropped"] / max(cells["asked"], 1)
        words = f"{cells['dropped']:,} of {cells['asked']:,} cells ({share:.1%}) were dropped, "
        words += "each for a reason that is named below."
        css = "no-power" if cells["made"] else "fail"
        words = ("! " if cells["made"] else "✗ ") + words
    return tag("div", tag("b", words), class_=f"banner {css}", role="status")


def _warnings(warnings):
    if not warnings:
        return None
    shown = [tag("li", sentence) for sentence in warnings[:MOST_WARNINGS]]
    if len(warnings) > MOST_WARNINGS:
        shown.append(tag("li", f"and {len(warnings) - MOST_WARNINGS} more"))
    return details(f"{len(warnings)} things to know", tag("ul", shown, class_="plain"), open_=True)


def _picture(picture):
    _, kind, data, caption = picture
    return figure(data, kind, caption)


def _mtype_table(summary):
    most = max((counts["asked"] for counts in summary["mtypes"].values()), default=1)
    rows = []
    for mtype, counts in summary["mtypes"].items():
        rows.append(
            [
                tag("th", mtype, scope="row"),
                counts["asked"],
                counts["made"],
                counts["dropped"],
                tag("td", _bar(counts, most)),
                tag("td", _reasons(counts), class_="words"),
            ]
        )
    return table(["mtype", "asked", "made", "dropped", "", "why"], rows)


def _bar(counts, most):
    made, lost = (100 * counts[name] / most for name in ("made", "dropped"))
    style = "display:flex"
    parts = [
        tag("i", style=f"width:{made:.1f}%"),
        tag("i", class_="lost", style=f"width:{lost:.1f}%"),
    ]
    return tag("span", parts, class_="bar", style=style, aria_hidden="true")


def _reasons(counts):
    reasons = sorted(counts["reasons"].items(), key=lambda item: (-item[1], item[0]))
    return "; ".join(f"{count}: {reason}" for reason, count in reasons)


def _mtype(mtype, counts, pictures):
    if not pictures:
        return None
    words = f"{counts['made']:,} of {counts['asked']:,} made"
    summary = [tag("span", mtype), tag("span", f" \u00b7 {words}", class_="small")]
    return details(summary, [_picture(picture) for picture in pictures], open_=True)


def _calibration(stages):
    if not stages:
        return None
    parts = [
        details(
            f"{stage}: {len(sentences)} sentences", tag("ul", map_items(sentences), class_="plain")
        )
        for stage, sentences in stages
        if sentences
    ]
    return [tag("h2", "Calibration", id="calibration"), parts]


def map_items(sentences):
    """List items of sentences."""
    return [tag("li", sentence.strip()) for sentence in sentences]


def _times(summary):
    seconds = summary.get("seconds", {})
    longest = max(seconds.values(), default=0.0) or 1.0
    rows = [
        [
            tag("th", stage, scope="row"),
            tag("td", duration(value), class_="number"),
            tag("td", tag("span", tag("i", style=f"width:{100 * value / longest:.1f}%"),
                          class_="bar", aria_hidden="true")),
        ]
        for stage, value in seconds.items()
    ]  # fmt: skip
    words = f"{summary.get('grown_now', 0):,} cells were grown for this result, "
    words += f"{summary.get('taken_over', 0):,} taken over from earlier runs."
    made = summary["cells"]["made"]
    attempts = summary.get("attempts", 0)
    if made:
        words += f" It took {attempts / made:.2f} attempts per cell."
    return [
        tag("h2", "Times", id="times"),
        tag("p", words),
        table(["stage", "time", ""], rows) if rows else None,
    ]


def _written(written):
    rows = [
        [tag("th", what, scope="row"), tag("td", path, class_="words"), tag("td", size_words(size))]
        for what, path, size in written
    ]
    return [tag("h2", "Files", id="files"), table(["what", "where", "size"], rows)]


def _provenance(summary):
    provenance = dict(summary.get("provenance", {}))
    options = provenance.pop("options", {})
    return provenance, {name: value for name, value in options.items() if value not in (None, "")}


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
