"""The pictures of a synthesis's page: an mtype's cells in their layers, all mtypes side by side."""

from region_grower_flow.report.lineup import plot_lineup
from region_grower_flow.report.placed import readable
from region_grower_flow.report.style import image, shorten

PAGE_DPI = 100
MOST_MTYPES = 60
"""Mtypes beyond which pictures of each would make a page too large to open."""


def synthesis_pictures(placed, mtypes, per_mtype, seed):
    """Draw some cells of each mtype.

    Args:
        placed: PlacedCells.
        mtypes: those to draw.
        per_mtype: cells of each.
        seed: of their choice.

    Returns:
        ([(mtype or None, "png", data, caption)], [sentence on cells that cannot be read])
    """
    pictures, lost, first = [], [], []
    for mtype in mtypes:
        cells, problems = readable(placed.sample(mtype, per_mtype, seed))
        lost += problems
        if not cells:
            continue
        unsound = sum(bool((cell.morphology.diameters <= 0).any()) for cell in cells)
        if unsound:
            lost.append(
                f"{mtype}: {unsound} of the {len(cells)} cells shown have points whose diameter is "
                "not above 0; see the mtype's diameter model"
            )
        cells.sort(key=lambda cell: cell.depth or 0.0)
        first.append(cells[len(cells) // 2])
        if len(mtypes) <= MOST_MTYPES:
            drawn = plot_lineup([cell.upright() for cell in cells])
            caption = f"{mtype}: {len(cells)} cells, upright, in the layers where they grew."
            pictures.append((mtype, "png", image(drawn, "png", PAGE_DPI), caption))
    if first:
        first.sort(key=lambda cell: cell.depth or 0.0)
        drawn = plot_lineup([cell.upright(shorten(cell.mtype, 16)) for cell in first])
        caption = "A cell of each mtype, upright, at its depth in the layers where it grew."
        pictures.insert(0, (None, "png", image(drawn, "png", PAGE_DPI), caption))
    return pictures, lost
