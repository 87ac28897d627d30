"""Cells for notebooks and single files: pictures, tables and the 3D viewer."""

from __future__ import annotations

import base64
import html
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from region_grower_flow.morphology import FlatMorphology
from region_grower_flow.report.palette import looks

MOST = 8
"""Cells, or mtypes, of a picture in a notebook."""
FORMATS = ("png", "svg", "html")


def figure(cells: Sequence[FlatMorphology], title: str | None = None) -> Any:
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

    text: str

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
        cell = PlacedCell(words, mtype, Path(words), np.array([across, 0.0, 0.0]), np.eye(3))
        cell.__dict__["morphology"] = morphology
        across += reach + 30.0
        found.append(cell)
    return placed_in_space(found)


def placed_in_space(cells: Sequence[Any]) -> Page:
    """PlacedCells where they lie, in 3D."""
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
    made = scene(list(zip(cells, told, strict=True)))
    frame = {"across": [1, 0, 0], "up": [0, 1, 0], "normal": [0, 0, 1], "mtypes": mtypes}
    counts = {m: sum(cell.mtype == m for cell in cells) for m in mtypes}
    told_of = {m: {"asked": n, "made": n, "dropped": 0, "reasons": {}} for m, n in counts.items()}
    summary = {
        "cells": {"asked": len(cells), "made": len(cells), "dropped": 0},
        "mtypes": told_of,
    }
    scene_of = None if made is None else {**made, **frame}
    return Page(run_page(RunReport("Cells", summary, [], shown, scene=scene_of)))


def morphologies_in(place: Path) -> list[Path]:
    """The morphology files of a folder, one for each cell, or the file itself.

    Raises:
        InvalidInput: there is none.
    """
    from region_grower_flow.errors import InvalidInput
    from region_grower_flow.layout import MORPHOLOGY_EXTENSIONS

    if place.is_file():
        return [place]
    kinds = [f".{kind}" for kind in MORPHOLOGY_EXTENSIONS]
    found = sorted(path for path in place.rglob("*") if path.suffix.lower() in kinds)
    by_name = {path.with_suffix(""): path for path in reversed(found)}
    if not by_name:
        raise InvalidInput(f"there is no morphology ({', '.join(kinds)})", place)
    return [by_name[name] for name in sorted(by_name)]


def plot_files(files: Sequence[Path], out: Path, names: Sequence[str] = ()) -> Path:
    """Draw morphology files into a PNG, SVG or HTML file.

    Args:
        files: .h5, .swc or .asc.
        out: the file to write; its suffix says how.
        names: of the cells; those of the files by default.

    Raises:
        InvalidInput: a file cannot be read, or the suffix is another one.
        OutputFailed: the file cannot be written.
    """
    from region_grower_flow.errors import InvalidInput
    from region_grower_flow.io.morphologies import load_morphology
    from region_grower_flow.report.lineup import UprightCell, plot_lineup
    from region_grower_flow.report.style import save, shorten
    from region_grower_flow.validation.populations import centered

    kind = out.suffix.lstrip(".")
    if kind not in FORMATS:
        raise InvalidInput(f"{out.suffix!r} is no kind of picture", out, f"one of {FORMATS}")
    labels = [*names] or [path.stem for path in files]
    cells = [centered(load_morphology(path)) for path in files]
    if kind == "html":
        return in_space([(n, n, c) for n, c in zip(labels, cells, strict=True)]).save(out)
    upright = [
        UprightCell(shorten(label, 18), cell) for label, cell in zip(labels, cells, strict=True)
    ]
    return Path(save(plot_lineup(upright, in_atlas=False), out))
