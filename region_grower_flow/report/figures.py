"""The figures of a validation's page, from the tables of its results."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from region_grower_flow.calibration.pool import share_out
from region_grower_flow.io.atomic import PathLike, make_folder, safe_child, write_bytes_atomic
from region_grower_flow.report import profiles, scores, violins
from region_grower_flow.report.features import panels, verdict_scores
from region_grower_flow.report.names import TableRow, file_stem
from region_grower_flow.report.style import image
from region_grower_flow.validation.results import CELLS_TABLE, DEPTHS_TABLE
from region_grower_flow.validation.verdict import MIN_REFERENCE_CELLS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from region_grower_flow.validation.results import Results

PAGE_DPI = 90
"""Resolution of pictures inside a page, which holds many."""

FIGURES_PER_PROCESS = 10
"""A process starts in the time that it takes to draw one or two; more of them pay from here on."""


@dataclass(frozen=True)
class ShownFigure:
    """A figure on a page.

    Attributes:
        data, kind: the bytes of a PNG or SVG file, and which of them.
        caption: the words below it.
        part, mtype: where it belongs; None: to all.
        path: its file, None when another has written it.
    """

    data: bytes
    kind: str
    caption: str
    part: str | None = None
    mtype: str | None = None
    path: Path | None = None


@dataclass(frozen=True)
class _Drawing:
    """A figure to be drawn: the function that draws it, of what, and where it belongs."""

    draw: Callable[..., Figure]
    arguments: tuple[Any, ...]
    stem: str
    caption: str
    part: str
    mtype: str | None = None

    def image(self) -> bytes:
        """The PNG (bytes)."""
        return image(self.draw(*self.arguments), "png", PAGE_DPI)


def validation_figures(results: Results, folder: PathLike, processes: int = 1) -> list[ShownFigure]:
    """Draw and write the figures of all parts and mtypes.

    Args:
        results: Results.
        folder: where the files go.
        processes: how many draw.

    Returns:
        [ShownFigure], in the order of parts and mtypes.

    Raises:
        OutputFailed: a file cannot be written.
    """
    folder = Path(folder)
    make_folder(folder)
    drawings = [drawing for part in results.parts for drawing in _drawings(results, part)]
    images = share_out(
        _Drawing.image, drawings, min(processes, len(drawings) // FIGURES_PER_PROCESS)
    )
    return [_written(folder, *drawn) for drawn in zip(drawings, images, strict=True)]


def _drawings(results: Results, part: str) -> Iterator[_Drawing]:
    """The figures of a part, in order."""
    found = verdict_scores(results.of(part, tier="morphometrics"))
    if found:
        caption = "Scores of all mtypes and features. " + _SCORES
        yield _Drawing(scores.plot_score_matrix, (found,), f"{part}_scores", caption, part)
    cells, depths = (
        by_mtype(results.tables.get(name, ()), part) for name in (CELLS_TABLE, DEPTHS_TABLE)
    )
    for mtype in results.populations[part]:
        stem = f"{part}_{file_stem(mtype)}"
        if mtype in cells:
            caption = f"Features of {mtype}: reference left, synthesized right. {_PANELS}"
            untested = _is_untested(results.populations[part][mtype])
            if untested:
                caption = f"No test: too few cells, what is seen may be chance. {caption}"
            title = f"{mtype} (no test)" if untested else mtype
            shown = panels(cells[mtype]), title
            stem_of = f"{stem}_morphometrics"
            yield _Drawing(violins.plot_violins, shown, stem_of, caption, part, mtype)
        if mtype in depths:
            caption = f"Length of {mtype} along depth, mean per cell."
            profile = depths[mtype], mtype, results.in_atlas(part)
            yield _Drawing(_profiles, profile, f"{stem}_depths", caption, part, mtype)


def _is_untested(population: Mapping[str, Any]) -> bool:
    """True if a population (dict of the results) has too few cells to be tested."""
    counts = [population.get("n_reference"), population.get("n_synthesized")]
    return any(count is not None and count < MIN_REFERENCE_CELLS for count in counts)


def _profiles(rows: Sequence[TableRow], mtype: str, in_atlas: bool) -> Figure:
    return profiles.plot_profiles(rows, mtype, in_atlas=in_atlas)


_SCORES = (
    "A score is the difference of the medians over the visible spread; the small number is what "
    "95 of 100 comparisons of equal populations of these sizes stay below."
)
_PANELS = "Thick line: median; thin lines: quartiles; n: cells with a value."


def _written(folder: Path, drawing: _Drawing, data: bytes) -> ShownFigure:
    path = safe_child(folder, f"{drawing.stem}.png")
    write_bytes_atomic(path, data)
    return ShownFigure(data, "png", drawing.caption, drawing.part, drawing.mtype, path)


def by_mtype(rows: Iterable[TableRow], part: str) -> dict[str, list[TableRow]]:
    """{mtype: rows} of a part."""
    found: dict[str, list[TableRow]] = {}
    for row in rows:
        if row["part"] == part:
            found.setdefault(row["mtype"], []).append(row)
    return found
