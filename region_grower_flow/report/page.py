"""The page of a validation: every verdict with its numbers, figures, and where they come from."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from region_grower_flow.io.atomic import PathLike, make_folder, write_text_atomic
from region_grower_flow.report.figures import ShownFigure, validation_figures
from region_grower_flow.report.names import TableRow, file_stem
from region_grower_flow.report.provenance import provenance_of
from region_grower_flow.report.templates import DASH, number, render
from region_grower_flow.validation.results import (
    FULL,
    HOLDOUT,
    LAYERS_TABLE,
    PROFILES_TABLE,
    TIERS,
    deciding,
    worst,
)
from region_grower_flow.validation.words import is_test

if TYPE_CHECKING:
    from region_grower_flow.validation.results import Results

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
    "topology": "Persistence images and barcodes: are synthesized trees as far from reference "
    "trees as these are from each other?",
    "classifier": "Can a classifier tell synthesized from reference cells better than by chance?",
    "trunks": "Angles between trunks, and between trunks and the pia, against those of the "
    "reconstructions (where there are only barcodes, the law); which way apical dendrites point.",
    "controls": "Comparisons of known outcome: halves of the reference must pass, barcodes times "
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
        "copies reference barcodes, so this is the sharper test. What copies of real cells reach "
        "is the floor; only what exceeds it counts.",
    ),
}


def write_page(results: Results, folder: PathLike, processes: int = 1) -> list[Path]:
    """Write the figures of a validation and its page.

    Args:
        results: :class:`region_grower_flow.validation.results.Results`.
        folder: an existing or new folder; figures go to ``figures`` in it.
        processes: how many draw.

    Returns:
        The paths of all files written, the page last.

    Raises:
        OutputFailed: a file cannot be written.
    """
    folder = Path(folder)
    make_folder(folder)
    shown = validation_figures(results, folder / "figures", processes)
    write_text_atomic(folder / PAGE_NAME, validation_page(results, shown))
    return [*(item.path for item in shown if item.path is not None), folder / PAGE_NAME]


@dataclass
class PartShown:
    """One part of a validation, as its template takes it.

    Attributes:
        name, title, words: of the part.
        verdict, outcome: what its tests that decide say together.
        tiers: those that were tested.
        mtypes: [MtypeShown].
        general: the TierShown of the tests of no single mtype, None without any.
        figures: [ShownFigure] of no single mtype.
    """

    name: str
    title: str
    words: str
    verdict: str
    outcome: str
    tiers: list[str]
    mtypes: list[MtypeShown]
    general: TierShown | None
    figures: list[ShownFigure]

    def told(self, tested: bool) -> list[MtypeShown]:
        """The mtypes with a sentence, of those that were tested or of those that were not."""
        return [m for m in self.mtypes if m.sentence and is_test(m.sentence) is tested]


@dataclass(frozen=True)
class TierShown:
    """Tests that stand together: their worst verdict, how many passed, and their table."""

    name: str
    verdict: str
    passed: int
    count: int
    tests: Tests


class Tests(NamedTuple):
    """A table of tests: heads, and rows of (kind of cell, value)."""

    heads: list[str]
    rows: list[list[tuple[str, Any]]]


@dataclass
class MtypeShown:
    """One mtype of a part.

    Attributes:
        name, id: the mtype, and its anchor on the page.
        verdict: the worst of the tests that decide, None without any.
        sentence, words: on the outcome and on the populations.
        n_reference, n_synthesized: cells, None where there are none.
        tiers: [TierShown].
        profiles, layers: rows of the tables of space; shown, not judged.
        figures: [ShownFigure].
    """

    name: str
    id: str
    verdict: str | None
    sentence: str | None
    words: str
    n_reference: int | None
    n_synthesized: int | None
    tiers: list[TierShown]
    profiles: list[TableRow] = field(default_factory=list)
    layers: list[TableRow] = field(default_factory=list)
    figures: list[ShownFigure] = field(default_factory=list)

    def of_tier(self, name: str) -> TierShown | None:
        """The TierShown of a tier, None when it was not tested."""
        return next((tier for tier in self.tiers if tier.name == name), None)


def validation_page(results: Results, figures: Sequence[ShownFigure] = ()) -> str:
    """The page as text.

    Args:
        results: Results.
        figures: :class:`~region_grower_flow.report.figures.ShownFigure` of any part and mtype.
    """
    mtypes = {mtype for part in results.populations.values() for mtype in part}
    counts = dict.fromkeys(SYMBOLS, 0)
    for verdict in results.verdicts:
        counts[verdict["verdict"]] = counts.get(verdict["verdict"], 0) + 1
    return render(
        "validation.html.j2",
        {"css": css, "neurites": _neurites},
        title="Validation of synthesized morphologies",
        lead=f"{len(results.verdicts):,} tests of {len(mtypes):,} mtypes",
        counts=counts,
        symbols=SYMBOLS,
        shown=[_part(results, part, figures) for part in results.parts],
        tier_words=TIER_WORDS,
        provenance=provenance_of(results.provenance, results.options),
    )


def part_title(part: str) -> str:
    """The heading of a part."""
    return PART_WORDS.get(part, (part, ""))[0]


def _part(results: Results, part: str, figures: Iterable[ShownFigure]) -> PartShown:
    mine = [item for item in figures if item.part == part]
    verdict, outcome = _outcome(results, part)
    general = [v for v in results.of(part) if v["mtype"] is None]
    return PartShown(
        name=part,
        title=part_title(part),
        words=PART_WORDS.get(part, (part, ""))[1],
        verdict=verdict,
        outcome=outcome,
        tiers=[tier for tier in TIERS if results.of(part, tier=tier)],
        mtypes=[_mtype(results, part, mtype, mine) for mtype in results.populations[part]],
        general=_tier("", general, general) if general else None,
        figures=[item for item in mine if item.mtype is None],
    )


def _outcome(results: Results, part: str) -> tuple[str, str]:
    """The verdict on a part, and a sentence on it, by the tests that decide."""
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
    return verdict, words


def _mtype(results: Results, part: str, mtype: str, figures: Iterable[ShownFigure]) -> MtypeShown:
    found = results.of(part, mtype)
    population = results.populations[part][mtype]
    by_tier = {tier: [v for v in found if v["tier"] == tier] for tier in TIERS}
    profiles, layers = (
        [
            row
            for row in results.tables.get(name, ())
            if (row["part"], row["mtype"]) == (part, mtype)
        ]
        for name in (PROFILES_TABLE, LAYERS_TABLE)
    )
    profiles = [r for r in profiles if (r["wasserstein_um"], r["inside"]) != (None, None)]
    return MtypeShown(
        name=mtype,
        id=f"{file_stem(part)}-{file_stem(mtype)}",
        verdict=worst(deciding(found)),
        sentence=population.get("sentence"),
        words=_population_words(population),
        n_reference=population.get("n_reference"),
        n_synthesized=population.get("n_synthesized"),
        tiers=[_tier(name, tests, deciding(tests)) for name, tests in by_tier.items() if tests],
        profiles=profiles,
        layers=layers if profiles else [],
        figures=[item for item in figures if item.mtype == mtype],
    )


def _tier(
    name: str, verdicts: Sequence[Mapping[str, Any]], deciding_ones: Sequence[Mapping[str, Any]]
) -> TierShown:
    passed = sum(v["verdict"] == "pass" for v in verdicts)
    return TierShown(name, worst(deciding_ones), passed, len(verdicts), _tests(verdicts))


def _population_words(population: Mapping[str, Any]) -> str:
    synthesized = f"{number(population.get('n_synthesized'))} synthesized cells"
    if population.get("reference") == "barcodes":
        words = [f"{synthesized}; the reference is barcodes, without points."]
    else:
        words = [f"{number(population.get('n_reference'))} reference, {synthesized}."]
    if population.get("dropped"):
        words.append(f" {population['dropped']} of {population.get('asked')} asked were dropped:")
        reasons = population.get("reasons") or {}
        words.append(" " + "; ".join(f"{reason} ({count})" for reason, count in reasons.items()))
        words.append(".")
    words += [f" {note}" for note in population.get("notes") or []]
    return "".join(words)


def _tests(verdicts: Sequence[Mapping[str, Any]]) -> Tests:
    """The table of some tests; columns that are empty for all of them are left out."""
    columns = [c for c in _COLUMNS if any(v[c.key] not in (None, "") for v in verdicts)]
    rows = [[(column.kind, column.value(v[column.key])) for column in columns] for v in verdicts]
    return Tests([column.head for column in columns], rows)


class _Column(NamedTuple):
    """A column of the tables of tests: its head, the key of verdicts, the kind of its cells."""

    head: str
    key: str
    kind: str
    value: Callable[[Any], Any] = lambda value: value


def _neurites(neurite_type: str | None) -> str:
    return (neurite_type or DASH).removesuffix("_dendrite").replace("_", " ")


def _interval(interval: Sequence[float] | None) -> list[str]:
    return [f"{number(interval[0])} to {number(interval[1])}" if interval else DASH]


def threshold_words(threshold: object) -> str:
    """A threshold, or several by name, for people."""
    if isinstance(threshold, dict):
        words = {name: threshold_words(value) for name, value in threshold.items()}
        return ", ".join(f"{name.replace('p_adjusted', 'p')} {v}" for name, v in words.items())
    if isinstance(threshold, list | tuple):
        return " to ".join(threshold_words(value) for value in threshold)
    return number(threshold)


_COLUMNS = (
    _Column("test", "test", "name"),
    _Column("neurites", "neurite_type", "text", _neurites),
    _Column("verdict", "verdict", "verdict"),
    # Before the numbers, which may have to be scrolled for.
    _Column("what it says", "detail", "words"),
    _Column("n ref.", "n_reference", "number"),
    _Column("n synth.", "n_synthesized", "number"),
    _Column("statistic", "statistic", "number"),
    _Column("p", "p", "number"),
    _Column("p corrected", "p_adjusted", "number"),
    _Column("90 % interval", "interval", "lines", _interval),
    _Column("threshold", "threshold", "lines", lambda value: threshold_words(value).split(", ")),
)


def css(verdict: str) -> str:
    """The class of a verdict."""
    return verdict.replace(" ", "-") if verdict in SYMBOLS else "not-testable"
