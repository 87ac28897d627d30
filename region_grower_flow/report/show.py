"""Cells for notebooks and single files: pictures, tables and the 3D viewer."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from region_grower_flow.morphology import FlatMorphology
from region_grower_flow.report.palette import looks
from region_grower_flow.report.placed import PlacedCell

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 8
"""Cells, or mtypes, of a picture in a notebook."""
FORMATS = ("png", "svg", "html")
IN_ROW = 6
"""Cells of a row of a picture."""


def figure(cells: Sequence[FlatMorphology], title: str | None = None) -> Figure:
    """A matplotlib Figure of cells side by side, at one scale, the pia upwards."""
    from region_grower_flow.report.lineup import UprightCell, plot_lineup

    upright = [UprightCell("", cell) for cell in cells]
    return plot_lineup(upright, title, in_atlas=False)


def picture(cells: Sequence[FlatMorphology]) -> str:
    """An image element of cells side by side; empty for none."""
    from region_grower_flow.report.style import image

    if not cells:
        return ""
    data = base64.b64encode(image(figure(cells), "png", 90)).decode("ascii")
    return f'<img alt="{len(cells)} cells" src="data:image/png;base64,{data}">'


def table(title: str, rows: Iterable[tuple[Any, Any]]) -> str:
    """A small table with a title, as HTML."""
    cells = "".join(
        f"<tr><th>{html.escape(str(name))}</th><td>{html.escape(str(value))}</td></tr>"
        for name, value in rows
    )
    return f"<b>{html.escape(title)}</b><table>{cells}</table>"


@dataclass(frozen=True)
class Page:
    """A page with cells in 3D: shown in a notebook, or saved as a file that needs no network."""

    text: str = field(repr=False)

    def save(self, path: str | Path) -> Path:
        """Write the page."""
        from region_grower_flow.io.atomic import write_text_atomic

        write_text_atomic(Path(path), self.text)
        return Path(path)

    def _repr_html_(self) -> str:
        content = html.escape(self.text, quote=True)
        return f'<iframe srcdoc="{content}" style="width:100%;height:640px;border:0"></iframe>'


def in_space(cells: Sequence[tuple[str, str, FlatMorphology]]) -> Page:
    """Cells (mtype, words, upright morphology) beside each other in 3D."""
    from region_grower_flow.report.placed import PlacedCell

    found, across = [], 0.0
    for mtype, words, morphology in cells:
        points = np.concatenate([morphology.points, morphology.soma_points])
        reach = float(np.abs(points[:, 0]).max()) if len(points) else 50.0
        across += reach
        found.append(PlacedCell.of(morphology, words, mtype, np.array([across, 0.0, 0.0])))
        across += reach + 30.0
    return placed_in_space(found)


def placed_in_space(cells: Sequence[PlacedCell]) -> Page:
    """SynthesizedCells where they lie, in 3D."""
    from region_grower_flow.report.run_page.page import RunReport, run_page
    from region_grower_flow.report.run_page.scene import scene

    mtypes = list(dict.fromkeys(cell.mtype for cell in cells))
    shown = looks(mtypes)
    told = [
        {
            "mtype": cell.mtype,
            "color": shown[cell.mtype].color,
            "short": cell.name,
            "facts": [("mtype", cell.mtype), ("name", cell.name)]
            + ([("depth", f"{cell.depth:.0f} µm")] if cell.depth is not None else []),
        }
        for cell in cells
    ]
    found = scene(list(zip(cells, told, strict=True)))
    frame = {"across": [1, 0, 0], "up": [0, 1, 0], "normal": [0, 0, 1], "mtypes": mtypes}
    counts = {m: sum(cell.mtype == m for cell in cells) for m in mtypes}
    summary = {
        "cells": {"asked": len(cells), "made": len(cells), "dropped": 0},
        "mtypes": {
            m: {"asked": n, "made": n, "dropped": 0, "reasons": {}} for m, n in counts.items()
        },
    }
    viewed = None if found is None else {**found, **frame}
    return Page(run_page(RunReport("Cells", summary, [], shown, scene=viewed)))


@dataclass(frozen=True)
class Drawn:
    """A cell to draw: its file, its words, and where it lies (um), if that is known."""

    path: Path
    words: str
    mtype: str
    position: np.ndarray | None = None


def drawn_from(place: Path, limit: int) -> tuple[list[Drawn], int]:
    """Some cells of a file, a folder or SONATA nodes, and how many there are.

    Args:
        place: a morphology, a folder of them, or nodes with a folder ``morphologies`` beside them.
        limit: cells, at most; of nodes, of each mtype as many as of any other.

    Raises:
        InvalidInput: there is none, or the nodes cannot be read.
    """
    if place.is_file() and _is_nodes(place):
        return _of_nodes(place, limit)
    files = morphologies_in(place)
    return [Drawn(path, path.stem, path.stem) for path in files[:limit]], len(files)


def _is_nodes(path: Path) -> bool:
    import h5py

    try:
        with h5py.File(path, "r") as file:
            return "nodes" in file
    except OSError:
        return False


def _of_nodes(place: Path, limit: int) -> tuple[list[Drawn], int]:
    from region_grower_flow.errors import InvalidInput
    from region_grower_flow.io.cells import read_cells
    from region_grower_flow.io.choice import chosen_rows

    cells = read_cells(place, ("mtype", "morphology"))
    folder = place.parent / "morphologies"
    if not folder.is_dir():
        hint = "give a folder of morphologies to draw them without their places"
        raise InvalidInput("there is no folder of morphologies beside the nodes", folder, hint)
    names = [str(name) for name in cells.properties["morphology"]]
    mtypes = cells.properties["mtype"].astype(str).to_numpy()
    found = []
    for row in chosen_rows(mtypes, min(limit, len(cells)), (), place):
        paths = [folder / f"{names[row]}{kind}" for kind in _suffixes()]
        path = next((path for path in paths if path.is_file()), paths[0])
        found.append(Drawn(path, names[row], mtypes[row], cells.positions[row].astype(float)))
    return sorted(found, key=lambda cell: cell.mtype), len(cells)


def _suffixes() -> list[str]:
    from region_grower_flow.layout import MORPHOLOGY_EXTENSIONS

    return [f".{kind}" for kind in MORPHOLOGY_EXTENSIONS]


def morphologies_in(place: Path) -> list[Path]:
    """The morphology files of a folder, one for each cell, or the file itself.

    Raises:
        InvalidInput: there is none.
    """
    from region_grower_flow.errors import InvalidInput

    if place.is_file():
        return [place]
    found = sorted(path for path in place.rglob("*") if path.suffix.lower() in _suffixes())
    by_name = {path.with_suffix(""): path for path in reversed(found) if not _is_table(path, place)}
    if not by_name:
        problem = f"there is no morphology ({', '.join(_suffixes())})"
        raise InvalidInput(problem, place, "give a folder of morphologies, or SONATA nodes")
    return [by_name[name] for name in sorted(by_name)]


def _is_table(path: Path, place: Path) -> bool:
    """True if a file of the folder itself holds SONATA nodes, as that of a result does."""
    return path.parent == place and path.suffix.lower() == ".h5" and _is_nodes(path)


def plot_cells(cells: Sequence[Drawn], out: Path) -> Path:
    """Draw cells into a PNG, SVG or HTML file.

    Args:
        cells: whose files are morphologies.
        out: the file to write; its suffix says how.

    Raises:
        InvalidInput: a file cannot be read, or the suffix is another one.
        OutputFailed: the file cannot be written.
    """
    from region_grower_flow.errors import InvalidInput
    from region_grower_flow.io.morphologies import load_morphology
    from region_grower_flow.report.lineup import UprightCell, plot_lineup
    from region_grower_flow.report.placed import PlacedCell
    from region_grower_flow.report.style import save, shorten

    kind = out.suffix.lstrip(".").lower()
    if kind not in FORMATS:
        hint = "end the name of the file in .png, .svg or .html"
        raise InvalidInput(f"{out.suffix or out.name!r} is no kind of picture", out, hint)
    shapes = [load_morphology(cell.path).centered() for cell in cells]
    if kind != "html":
        upright = [
            UprightCell(shorten(cell.mtype, 12), shape)
            for cell, shape in zip(cells, shapes, strict=True)
        ]
        return Path(save(plot_lineup(upright, in_atlas=False, most_in_row=IN_ROW), out))
    both = list(zip(cells, shapes, strict=True))
    placed = [
        PlacedCell.of(shape, cell.words, cell.mtype, cell.position)
        for cell, shape in both
        if cell.position is not None
    ]
    if len(placed) < len(cells):
        return in_space([(cell.mtype, cell.words, shape) for cell, shape in both]).save(out)
    return placed_in_space(placed).save(out)
