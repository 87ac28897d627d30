"""The page of a validation: every verdict with its numbers, figures, and where they come from."""

from pathlib import Path
from typing import NamedTuple

from region_grower_flow.io.atomic import make_folder, write_text_atomic
from region_grower_flow.report import html
from region_grower_flow.report.figures import validation_figures
from region_grower_flow.report.html import details, document, figure, number, table, tag
from region_grower_flow.report.profile_tables import profile_tables
from region_grower_flow.report.provenance import provenance_section
from region_grower_flow.validation.results import FULL, HOLDOUT, TIERS, deciding, worst

PAGE_NAME = "validation.html"

SYMBOLS = {"pass": "✓", "fail": "✗", "no power": "?", "not testable": "○"}
"""Beside the words, so that nothing depends on seeing colors."""

TIER_WORDS = {
    "structure": "Files are sound and complete: finite points, diameters and soma areas above 0, "
    "what is read back is what was written, every dropped cell is named.",
    "space": "Neurites end within their hard limits, points lie inside the region; length along "
    "the layers is shown against the reference's.",
    "morphometrics": "Features of whole cells: Kolmogorov-Smirnov tests corrected for their "
    "number, size of the difference, and the median difference over the visible spread (MVS); "
    "soma size, and branches thinner than any reconstructed.",
    "topology": "Persistence images and bar codes: are synthesized trees as far from reference "
    "trees as these are from each other?",
    "classifier": "Can a classifier tell synthesized from reference cells better than by chance?",
    "trunks": "Angles between trunks, and between trunks and the pia, against those of the "
    "reconstructions (where there are only bar codes, the law); which way apical dendrites point.",
    "controls": "Comparisons of known outcome: halves of the reference must pass, bar codes times "
    "1.2 (and divided by 1.2) and another mtype must fail. Else a pass would mean nothing.",
}

PART_WORDS = {
    FULL: (
        "All reconstructions",
        "Cells grown from all reconstructions, compared with these same reconstructions.",
    ),
    HOLDOUT: (
        "Hold-out",
        "Cells grown from one half of the reconstructions, compared with the other half: growth "
        "copies reference bar codes, so this is the sharper test. What copies of real cells reach "
        "is the floor; only what exceeds it counts.",
    ),
}


def write_page(results, folder, extra_figures=(), processes=1):
    """Write the figures of a validation and its page.

    Args:
        results: :class:`region_grower_flow.validation.results.Results`.
        folder: an existing or new folder; figures go to ``figures`` in it.
        extra_figures: [(path of a PNG or SVG file, caption)] to show as well.
        processes: how many draw.

    Returns:
        The paths of all files written, the page last.

    Raises:
        OutputFailed: a file cannot be written.
    """
    folder = Path(folder)
    make_folder(folder)
    shown = validation_figures(results, folder / "figures", processes)
    content = validation_page(results, [*shown, *_read(extra_figures)])
    write_text_atomic(folder / PAGE_NAME, content)
    return [*(item.path for item in shown if item.path is not None), folder / PAGE_NAME]


def _read(figures):
    from region_grower_flow.report.figures import ShownFigure

    for path, caption in figures:
        path = Path(path)
        yield ShownFigure(path.read_bytes(), path.suffix.lstrip("."), caption, path=None)


def validation_page(results, figures=()):
    """The page as text.

    Args:
        results: Results.
        figures: :class:`~region_grower_flow.report.figures.ShownFigure` of any part and mtype.
    """
    parts = [_part(results, part, figures) for part in results.parts]
    general = [figure(f.data, f.kind, f.caption) for f in figures if f.part is None]
    return document(
        "Validation of synthesized morphologies",
        tag("h1", "Validation of synthesized morphologies"),
        tag("p", _lead(results), class_="lead"),
        _navigation(results, bool(general)),
        _overall(results),
        [_banner(results, part) for part in results.parts],
        parts,
        [tag("h2", "Further figures", id="figures"), general] if general else None,
        _tiers(),
        provenance_section(results.provenance, results.options),
    )


def _lead(results):
    populations = [mtypes for mtypes in results.populations.values() if mtypes]
    mtypes = {mtype for part in populations for mtype in part}
    return f"{len(results.verdicts):,} tests of {len(mtypes):,} mtypes"


def _navigation(results, has_figures):
    links = [(f"part-{part}", part_title(part)) for part in results.parts]
    links += [("figures", "Further figures")] if has_figures else []
    links += [("tiers", "What is tested"), ("provenance", "Provenance")]
    return tag("nav", [tag("a", words, href=f"#{name}") for name, words in links])


def part_title(part):
    """The heading of a part."""
    return PART_WORDS.get(part, (part, ""))[0]


def _overall(results):
    """Number of tests with each verdict."""
    counts = dict.fromkeys(SYMBOLS, 0)
    for verdict in results.verdicts:
        counts[verdict["verdict"]] = counts.get(verdict["verdict"], 0) + 1
    items = [
        tag("li", tag("b", number(count)), tag("span", badge(word)))
        for word, count in counts.items()
    ]
    return tag("ul", items, class_="cards")


def _banner(results, part):
    """One sentence on a part, by the tests that decide."""
    found = deciding(results.of(part))
    verdict = worst(found) or "not testable"
    failed = [v for v in found if v["verdict"] == "fail"]
    mtypes = sorted({v["mtype"] for v in failed if v["mtype"] is not None})
    if failed:
        words = f"{len(failed)} of the {len(found)} tests that decide fail"
        if mtypes:
            words += f", in {len(mtypes)} of {len(results.populations[part])} mtypes"
    elif verdict == "pass":
        words = f"all {len(found)} tests that decide pass"
    else:
        count = sum(v["verdict"] == verdict for v in found)
        words = f"no test that decides fails; {count} are {verdict}"
    return tag(
        "div", tag("b", f"{SYMBOLS[verdict]} {part_title(part)}: {words}."),
        class_=f"banner {css(verdict)}", role="status",
    )  # fmt: skip


def _part(results, part, figures):
    title, words = PART_WORDS.get(part, (part, ""))
    mine = [item for item in figures if item.part == part]
    return [
        tag("h2", title, id=f"part-{part}"),
        tag("p", words) if words else None,
        _in_words(results, part),
        _verdict_table(results, part),
        [figure(f.data, f.kind, f.caption) for f in mine if f.mtype is None],
        _general_tests(results, part),
        tag("h3", "Every test, by mtype"),
        [_mtype(results, part, mtype, mine) for mtype in results.populations[part]],
    ]


def _in_words(results, part):
    """One sentence per mtype: what agrees, what differs, how sure that is."""
    told = [
        tag("li", tag("a", mtype, href=f"#{anchor(part, mtype)}"), f": {population['sentence']}")
        for mtype, population in results.populations[part].items()
        if population.get("sentence")
    ]
    return tag("ul", told, class_="in-words") if told else None


def _verdict_table(results, part):
    tiers = [tier for tier in TIERS if results.of(part, tier=tier)]
    rows = []
    for mtype, population in results.populations[part].items():
        cells = [tag("th", tag("a", mtype, href=f"#{anchor(part, mtype)}"), scope="row")]
        cells += [population.get("n_reference"), population.get("n_synthesized")]
        for tier in tiers:
            cells.append(_tier_cell(results.of(part, mtype, tier)))
        rows.append([_none(cell) for cell in cells])
    return table(["mtype", "n ref.", "n synth.", *tiers], rows, class_="verdicts")


def _tier_cell(verdicts):
    if not verdicts:
        return tag("td", "\u2013")
    passed = sum(v["verdict"] == "pass" for v in verdicts)
    share = tag("span", f" {passed}/{len(verdicts)}", class_="small")
    return tag("td", badge(worst(deciding(verdicts))), share)


def _general_tests(results, part):
    """Tests that are about no single mtype."""
    found = [v for v in results.of(part) if v["mtype"] is None]
    if not found:
        return None
    summary = tag("span", "Tests of all mtypes together")
    return details([summary, badge(worst(found))], _tests(found))


def _mtype(results, part, mtype, figures):
    found = results.of(part, mtype)
    population = results.populations[part][mtype]
    verdict = worst(deciding(found))
    inside = [tag("p", _population_words(population))]
    if population.get("sentence"):
        inside.insert(0, tag("p", tag("b", population["sentence"])))
    for tier in TIERS:
        tests = [v for v in found if v["tier"] == tier]
        if tests:
            inside += [tag("h3", tier, " ", badge(worst(deciding(tests)))), _tests(tests)]
    inside += profile_tables(results, part, mtype)
    inside += [figure(f.data, f.kind, f.caption) for f in figures if f.mtype == mtype]
    summary = [tag("span", mtype), badge(verdict) if verdict else None]
    return details(summary, inside, id=anchor(part, mtype))


def _population_words(population):
    synthesized = f"{number(population.get('n_synthesized'))} synthesized cells"
    if population.get("reference") == "bar codes":
        words = [f"{synthesized}; the reference is bar codes, without points."]
    else:
        words = [f"{number(population.get('n_reference'))} reference, {synthesized}."]
    if population.get("dropped"):
        words.append(f" {population['dropped']} of {population.get('asked')} asked were dropped:")
        reasons = population.get("reasons") or {}
        words.append(" " + "; ".join(f"{reason} ({count})" for reason, count in reasons.items()))
        words.append(".")
    words += [f" {note}" for note in population.get("notes") or []]
    return "".join(words)


def _tests(verdicts):
    """A table of some tests; columns that are empty for all of them are left out."""
    columns = [column for column in _COLUMNS if any(column.known(v) for v in verdicts)]
    rows = [[column.cell(v) for column in columns] for v in verdicts]
    return table([column.head for column in columns], rows)


class _Column(NamedTuple):
    """A column of the tables of tests: its head, the key of verdicts, how a cell is written."""

    head: str
    key: str
    write: object

    def known(self, verdict):
        """True if a verdict (dict) has something to say here."""
        return verdict[self.key] not in (None, "")

    def cell(self, verdict):
        """The cell of a verdict (dict)."""
        return self.write(verdict[self.key])


def _neurites(neurite_type):
    return (neurite_type or "\u2013").removesuffix("_dendrite").replace("_", " ")


def _none(value):
    return tag("td", "\u2013", class_="number") if value is None else value


def _interval(interval):
    words = f"{number(interval[0])} to {number(interval[1])}" if interval else "\u2013"
    return tag("td", words, class_="number")


def _threshold(threshold):
    words = threshold_words(threshold).split(", ")
    lines = [[word, tag("br")] for word in words[:-1]]
    return tag("td", lines, words[-1], class_="number")


def threshold_words(threshold):
    """A threshold, or several by name, for people."""
    if isinstance(threshold, dict):
        words = {name: threshold_words(value) for name, value in threshold.items()}
        return ", ".join(f"{name.replace('p_adjusted', 'p')} {v}" for name, v in words.items())
    if isinstance(threshold, list | tuple):
        return " to ".join(threshold_words(value) for value in threshold)
    return number(threshold)


_COLUMNS = (
    _Column("test", "test", lambda value: tag("th", value, scope="row")),
    _Column("neurites", "neurite_type", _neurites),
    _Column("verdict", "verdict", lambda value: tag("td", badge(value))),
    # Before the numbers, which may have to be scrolled for.
    _Column("what it says", "detail", lambda value: tag("td", value, class_="words")),
    _Column("n ref.", "n_reference", _none),
    _Column("n synth.", "n_synthesized", _none),
    _Column("statistic", "statistic", _none),
    _Column("p", "p", _none),
    _Column("p corrected", "p_adjusted", _none),
    _Column("90 % interval", "interval", _interval),
    _Column("threshold", "threshold", _threshold),
)


def badge(verdict):
    """A verdict as symbol, word and color."""
    symbol = SYMBOLS.get(verdict, "")
    return tag("span", f"{symbol} {verdict}".strip(), class_=f"verdict {css(verdict)}")


def css(verdict):
    """The class of a verdict."""
    return verdict.replace(" ", "-") if verdict in SYMBOLS else "not-testable"


def anchor(part, mtype):
    """The id of an mtype's details: names may hold anything, ids no spaces."""
    from region_grower_flow.report.names import file_stem

    return f"{file_stem(part)}-{file_stem(mtype)}"


_NO_POWER = "Neither: the cells are too few to tell, or the controls did not behave as they must."
_DECIDING = (
    "The verdict of a tier is the worst of its tests that decide. Of the morphometrics single "
    "features do not: one may differ by chance, so that the verdict on all features of a neurite "
    "type decides, of which nine in ten have to agree, beside somata and thinnest branches."
)


def _tiers():
    rows = [[tag("th", tier, scope="row"), words] for tier, words in TIER_WORDS.items()]
    verdicts = [
        [tag("td", badge("pass")), "Agreement was shown, by a test that could have failed."],
        [tag("td", badge("fail")), "A difference was shown."],
        [tag("td", badge("no power")), _NO_POWER],
        [tag("td", badge("not testable")), "Too few reference cells or values to test at all."],
    ]
    return [
        tag("h2", "What is tested", id="tiers"),
        tag("p", _DECIDING),
        table(["tier", "what"], rows),
        table(["verdict", "means"], verdicts),
    ]


__all__ = ["PAGE_NAME", "badge", "html", "validation_page", "write_page"]
