"""The figures of a validation's page, from the tables of its results."""

from dataclasses import dataclass
from pathlib import Path

from region_grower_flow.io.atomic import make_folder, safe_child, write_bytes_atomic
from region_grower_flow.report import profiles, scores, violins
from region_grower_flow.report.features import panels, verdict_scores
from region_grower_flow.report.files import file_stem
from region_grower_flow.report.style import image
from region_grower_flow.validation.results import CELLS_TABLE, DEPTHS_TABLE

PAGE_DPI = 90
"""Of pictures inside a page, which holds many."""


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


def validation_figures(results, folder):
    """Draw and write the figures of all parts and mtypes.

    Args:
        results: Results.
        folder: where the files go.

    Returns:
        [ShownFigure], in the order of parts and mtypes.

    Raises:
        OutputFailed: a file cannot be written.
    """
    folder = Path(folder)
    make_folder(folder)
    shown = []
    for part in results.parts:
        found = verdict_scores(results.of(part, tier="morphometrics"))
        if found:
            figure = scores.plot_score_matrix(found)
            caption = "Scores of all mtypes and features. " + _SCORES
            shown.append(_written(folder, figure, f"{part}_scores", caption, part))
        cells, depths = (
            by_mtype(results.tables.get(name, ()), part) for name in (CELLS_TABLE, DEPTHS_TABLE)
        )
        for mtype in results.populations[part]:
            stem = f"{part}_{file_stem(mtype)}"
            if mtype in cells:
                figure = violins.plot_violins(panels(cells[mtype]), mtype)
                caption = f"Features of {mtype}: reference left, synthesized right. {_PANELS}"
                name = f"{stem}_morphometrics"
                shown.append(_written(folder, figure, name, caption, part, mtype))
            if mtype in depths:
                figure = profiles.plot_profiles(depths[mtype], mtype, in_atlas=_in_atlas(results))
                caption = f"Length of {mtype} along depth, mean per cell."
                shown.append(_written(folder, figure, f"{stem}_depths", caption, part, mtype))
    return shown


_SCORES = (
    "A score is the difference of the medians over the visible spread; the small number is what "
    "95 of 100 comparisons of equal populations of these sizes stay below."
)
_PANELS = "Thick line: median; thin lines: quartiles; n: cells with a value."


def _written(folder, figure, stem, caption, part=None, mtype=None):
    data = image(figure, "png", PAGE_DPI)
    path = safe_child(folder, f"{stem}.png")
    write_bytes_atomic(path, data)
    return ShownFigure(data, "png", caption, part, mtype, path)


def _in_atlas(results):
    return results.options.get("validation_of") != "vacuum"


def by_mtype(rows, part):
    """{mtype: rows} of a part."""
    found = {}
    for row in rows:
        if row["part"] == part:
            found.setdefault(row["mtype"], []).append(row)
    return found
