"""The page of a run as text: what was found and drawn, put into the template."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from region_grower_flow.io.words import duration, size_words
from region_grower_flow.report.provenance import json_words, value_words
from region_grower_flow.report.style import NEURITE_COLORS, NEURITE_WORDS
from region_grower_flow.report.templates import environment

if TYPE_CHECKING:
    import jinja2

    from region_grower_flow.report.palette import Look
    from region_grower_flow.report.run_page.mtypes import MtypePart, Row
    from region_grower_flow.report.run_page.science import Finding
    from region_grower_flow.report.run_page.section import Section
    from region_grower_flow.report.run_page.timeline import Bar

ASSETS = Path(__file__).with_name("assets")
TEMPLATE = "page.html.j2"
LETTER = 2.2
"""Width of a letter of a name, in percent of the narrowest column on a screen."""
MARK_PATHS = {
    "o": "M8 2a6 6 0 1 1 0 12a6 6 0 1 1 0-12z",
    "s": "M3 3h10v10H3z",
    "D": "M8 1l7 7-7 7-7-7z",
    "^": "M8 2l7 12H1z",
    "v": "M8 14L1 2h14z",
    "P": "M6 2h4v4h4v4h-4v4H6v-4H2V6h4z",
}
"""matplotlib's markers as SVG paths in a box of 16."""


@dataclass(frozen=True)
class OtherPage:
    """Another page on the run.

    Attributes:
        words: on what it is.
        address: where it is, as seen from this page.
        content: its text, where it is small enough to be held in this page, else None.
    """

    words: str
    address: str
    content: str | None = None


@dataclass
class RunReport:
    """Contents of the page.

    Attributes:
        title: of the page.
        file: name of the file of the cells.
        summary: what a synthesis writes as its summary.
        findings: [Finding] of :mod:`~region_grower_flow.report.run_page.science`.
        looks: {mtype: Look}.
        section: the :class:`~region_grower_flow.report.run_page.section.Section` on top, or None.
        scene: what :func:`~region_grower_flow.report.run_page.scene.scene` gives, or None.
        where: [(bytes of a WebP file, caption)].
        beside: ([mtype], [Row]): a reconstruction and a grown cell of each.
        mtypes: [:class:`~region_grower_flow.report.run_page.mtypes.MtypePart`].
        verdicts: [verdict (dict)] of the validation that decide, those that fail first.
        sentences: {mtype: the validation's sentence}.
        bars, idle: of :func:`~region_grower_flow.report.run_page.timeline.timeline`.
        made_at: when the cells were made, as text.
        command: the command line, or None.
        inputs: [(what, path, digest)].
        written: [(what, path, bytes or None)] of the outputs.
        warnings: [sentence].
        calibration: [(stage, [sentence])].
        figures: [(report, [(bytes of a picture, kind, caption)])] of other reports.
        pages: [OtherPage].
    """

    title: str
    summary: Mapping[str, Any]
    findings: Sequence[Finding]
    looks: Mapping[str, Look]
    section: Section | None = None
    scene: Mapping[str, Any] | None = None
    where: Sequence[tuple[bytes, str]] = ()
    beside: tuple[Sequence[str], Sequence[Row]] = ((), ())
    mtypes: Sequence[MtypePart] = ()
    verdicts: Sequence[Mapping[str, Any]] = ()
    sentences: Mapping[str, str] = field(default_factory=dict)
    bars: Sequence[Bar] = ()
    idle: float = 0.0
    made_at: str = ""
    file: str = ""
    command: str | None = None
    inputs: Sequence[tuple[str, str, str]] = ()
    written: Sequence[tuple[str, str, float | None]] = ()
    warnings: Sequence[str] = ()
    calibration: Sequence[tuple[str, Sequence[str]]] = ()
    figures: Sequence[tuple[str, Sequence[tuple[bytes, str, str]]]] = ()
    pages: Sequence[OtherPage] = ()

    @property
    def steep(self) -> bool:
        """True when names below cells that stand side by side would run into each other."""
        names, rows = self.beside
        if not rows:
            return False
        ends = [0.0]
        for name, middle in zip(names, rows[0].middles, strict=True):
            half = len(name) * LETTER / 2
            if middle - half < ends[-1]:
                return True
            ends.append(middle + half)
        return ends[-1] > 100.0


def run_page(report: RunReport) -> str:
    """The page as text: whole in one file, with nothing from outside."""
    from region_grower_flow.report.run_page.science import overall

    scripts = _scripts(report.scene is not None)
    return (
        _environment()
        .get_template(TEMPLATE)
        .render(
            r=report,
            style=Markup((ASSETS / "page.css").read_text(encoding="utf-8")),
            scripts=[Markup(script) for script in scripts],
            policy=_policy(scripts),
            verdict=overall(report.findings),
            scene=_json(report.scene) if report.scene else None,
            run=_run_words(report),
            kinds=_kinds(),
        )
    )


def _environment() -> jinja2.Environment:
    made = environment(
        ASSETS,
        duration=functools.partial(duration, decimals=1),
        size=size_words,
        image_size=image_size,
    )
    made.globals.update(mark_paths=MARK_PATHS, anchors=anchors)
    return made


def _scripts(with_scene: bool) -> list[str]:
    # Tabs first: what is hidden is not drawn in 3D.
    names = ["page.js", *(("three.min.js", "viewer.js") if with_scene else ())]
    return [(ASSETS / name).read_text(encoding="utf-8") for name in names]


def _policy(scripts: Iterable[str]) -> str:
    """Scripts of the package alone, by their digests; nothing is fetched."""
    digests = [hashlib.sha256(script.encode("utf-8")).digest() for script in scripts]
    sources = " ".join(f"'sha256-{base64.b64encode(d).decode('ascii')}'" for d in digests)
    return (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {sources}; "
        "base-uri 'none'; form-action 'none'"
    )


def _json(content: object) -> Markup:
    """JSON that cannot end the element that holds it."""
    text = json.dumps(content, separators=(",", ":"), default=str, allow_nan=False)
    for sign in "<>&\u2028\u2029":
        text = text.replace(sign, f"\\u{ord(sign):04x}")
    return Markup(text)


def image_size(data: bytes) -> tuple[int, int]:
    """(width, height) in pixels of the page, half of those that a figure (bytes) is drawn with."""
    import io

    from PIL import Image

    width, height = Image.open(io.BytesIO(data)).size
    return round(width / 2), round(height / 2)


def anchors(names: Iterable[str]) -> dict[str, str]:
    """{name: an id}: names may hold anything, ids no spaces."""
    from region_grower_flow.report.names import file_stem

    return {name: f"m-{file_stem(name)}" for name in names}


def _run_words(report: RunReport) -> dict[str, Any]:
    """Contents of the tab of the run, as pairs."""
    provenance = dict(report.summary.get("provenance", {}))
    recipe = provenance.get("recipe") or {}
    options = {
        name: value
        for name, value in (provenance.get("options") or {}).items()
        if value not in (None, "", [], ())
    }
    grown = report.summary.get("grown_now", 0)
    seconds = sum(bar.seconds for bar in report.bars if bar.cells is not None)
    return {
        "fingerprint": provenance.get("fingerprint"),
        "packages": provenance.get("versions") or recipe.get("packages") or {},
        "options": {name: value_words(value) for name, value in sorted(options.items())},
        "seed": options.get("seed"),
        "grown": grown,
        "taken_over": report.summary.get("taken_over", 0),
        "rate": grown / seconds if grown and seconds > 0 else None,
        "json": json_words(provenance),
    }


def _kinds() -> list[tuple[str, str]]:
    """[(words, color)] of the neurites that are drawn."""
    return [(NEURITE_WORDS[kind], color) for kind, color in NEURITE_COLORS.items() if kind > 1]
