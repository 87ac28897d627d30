"""The structure tier: is what was written what was asked for, and is it sound?

Every cell is read again in each format. A test passes when all cells do: one bad diameter stops a
simulation of a million cells as well as a thousand do.
"""

from __future__ import annotations

import os
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import TypeAlias

import numpy as np

from region_grower_flow.errors import FlowError, some
from region_grower_flow.io.morphologies import check_file, load_from_container, load_morphology
from region_grower_flow.io.soma import contour_area
from region_grower_flow.morphology import FlatMorphology
from region_grower_flow.validation.verdict import PASS, Verdict, exact
from region_grower_flow.validation.written import MtypeCells, Synthesized, WrittenCell

TIER = "structure"

READABLE, FINITE, DIAMETERS = "readable", "finite points", "diameters > 0"
SOMA, UNIFURCATIONS = "soma area > 0", "no unifurcation"
READ_BACK, FORMATS = "read back as written", "formats agree"
CELL_TESTS = (READABLE, FINITE, DIAMETERS, SOMA, UNIFURCATIONS, READ_BACK, FORMATS)
"""Tests of each cell."""

ROWS, FILES, DROPPED = "rows = asked - dropped", "a file per row", "all dropped are named"
STRAY = "a row per file"
"""Tests of all cells of an mtype together, and the last of all files."""

CONTAINER = "container"
"""Name, in the place of an extension, of the file that holds all cells."""

TOLERANCE = 1e-3
"""Tolerance (um) between formats: SWC and ASC have nine decimals, SWC holds radii."""
AREA_TOLERANCE = 0.02
"""Tolerance between soma areas of formats: SWC's sphere has the contour's area, as in NEURON."""
MOST_NAMED = 3
"""Cells that a sentence names."""

Examined: TypeAlias = tuple[int, dict[str, tuple[int, list[str]]]]
"""(number of cells, {test: (cells that fail, sentences)})."""


def soma_area(morphology: FlatMorphology, extension: str) -> float:
    """The area (um2) of the soma that NEURON makes of a file; 0 when it can make none.

    HDF5 and ASC hold contours, of which NEURON makes a stack of cylinders (:mod:`io.soma`); HDF5 is
    taken for what its conversion to ASC gives. In SWC one point is a cylinder as long as thick,
    and several points are a chain of cylinders, each as wide as its points say.
    """
    points, diameters = morphology.soma_points, morphology.soma_diameters
    if len(points) == 0:
        return 0.0
    if len(points) == 1:
        return float(np.pi * max(diameters[0], 0.0) ** 2)
    if extension == "swc":
        return _chain_area(points.astype(float), diameters.astype(float))
    return contour_area(points) or 0.0


def _chain_area(points: np.ndarray, diameters: np.ndarray) -> float:
    radii = diameters / 2
    slants = np.hypot(np.linalg.norm(np.diff(points, axis=0), axis=1), np.diff(radii))
    return float(np.pi * np.sum((radii[1:] + radii[:-1]) * slants))


def unifurcations(morphology: FlatMorphology) -> int:
    """The number of sections that have exactly one child."""
    parents = morphology.parents[morphology.parents >= 0]
    return int(np.count_nonzero(np.bincount(parents, minlength=1) == 1)) if len(parents) else 0


def examine_cell(
    folder: Path, cell: WrittenCell, extensions: Sequence[str], container: Path | None = None
) -> dict[str, str]:
    """Read a cell in each format: {test: sentence} of what is wrong, empty when nothing is.

    Args:
        folder: the folder of the morphologies.
        cell: the WrittenCell.
        extensions: the formats that it must be there in.
        container: HDF5 file that must hold it too; None: there is none.
    """
    problems: dict[str, str] = {}
    read: dict[str, FlatMorphology] = {}
    files = {extension: Path(folder, f"{cell.name}.{extension}") for extension in extensions}
    for extension, path in files.items():
        problem = _not_as_recorded(path, cell, extension)
        if problem:
            problems.setdefault(READ_BACK, problem)
    readers = {extension: partial(load_morphology, path) for extension, path in files.items()}
    if container:
        readers[CONTAINER] = partial(load_from_container, container, cell.name)
    for extension, reader in readers.items():
        try:
            read[extension] = reader()
        except FlowError as error:
            problems.setdefault(READABLE, str(error))
            continue
        for test, problem in _unsound(read[extension], extension):
            problems.setdefault(test, f"{Path(cell.name).name}.{extension}: {problem}")
    formats = list(read.items())
    for other in formats[1:]:
        difference = formats_differ(formats[0], other)
        if difference:
            problems.setdefault(FORMATS, f"{cell.name}: {difference}")
    return problems


def _not_as_recorded(path: Path, cell: WrittenCell, extension: str) -> str:
    """Difference of a file from the record of what was written, '' without any."""
    if cell.digests is None:
        return ""
    if extension not in cell.digests:
        return f"{path.name} is not in the record of what was written"
    same = check_file(path, *cell.digests[extension])
    return "" if same else f"{path.name} is not what was written"


def _unsound(morphology: FlatMorphology, extension: str) -> Iterator[tuple[str, str]]:
    """(test, problem) of the numbers and the tree of one file."""
    points = (morphology.points, morphology.soma_points)
    bad = sum(int((~np.isfinite(array)).any(axis=1).sum()) for array in points)
    if bad:
        yield FINITE, f"{bad} points are not finite"
    bad = np.count_nonzero(~(np.isfinite(morphology.diameters) & (morphology.diameters > 0)))
    if bad:
        yield DIAMETERS, f"{bad} of {len(morphology.diameters)} diameters are not above 0"
    if morphology.n_sections == 0:
        yield READABLE, "it has no neurite"
    area = soma_area(morphology, extension) if np.isfinite(morphology.soma_points).all() else 0.0
    if not area > 0:
        yield SOMA, "NEURON would give its soma an area of 0"
    count = unifurcations(morphology)
    if count:
        yield UNIFURCATIONS, f"{count} sections have one child"


def formats_differ(first: tuple[str, FlatMorphology], second: tuple[str, FlatMorphology]) -> str:
    """Difference of two formats of a cell, '' without any: each is (extension, FlatMorphology).

    Points that repeat the one before are left aside: SWC cannot hold all of them.
    """
    (name, a), (other, b) = first, second
    words = f"{name} and {other} differ in"
    if a.n_sections != b.n_sections or (a.parents != b.parents).any():
        return f"{words} their sections ({a.n_sections} and {b.n_sections})"
    if (a.types != b.types).any():
        return f"{words} their section types"
    points, others = _distinct(a), _distinct(b)
    if points.shape != others.shape:
        return f"{words} their points ({len(points)} and {len(others)})"
    if not np.allclose(points, others, rtol=1e-5, atol=TOLERANCE, equal_nan=True):
        return f"{words} their points by {np.nanmax(np.abs(points - others)):.3g} um"
    areas = soma_area(a, name), soma_area(b, other)
    if not np.isclose(*areas, rtol=AREA_TOLERANCE, atol=TOLERANCE):
        return f"{words} their soma's area ({areas[0]:.1f} and {areas[1]:.1f} um2)"
    centers = [m.soma_points.mean(axis=0, dtype=float) for m in (a, b) if len(m.soma_points)]
    if len(centers) == 2 and not np.allclose(centers[0], centers[1], rtol=1e-5, atol=TOLERANCE):
        return f"{words} their soma's center"
    return ""


def _distinct(morphology: FlatMorphology) -> np.ndarray:
    """(K, 4) points and diameters without those that lie where the one before in a section does."""
    points = morphology.points
    moved = np.ones(len(points), dtype=bool)
    moved[1:] = (np.abs(np.diff(points, axis=0)) > 1e-6).any(axis=1)
    moved[morphology.offsets[:-1][np.diff(morphology.offsets) > 0]] = True
    return np.column_stack([points, morphology.diameters])[moved].astype(float)


def examine_cells(
    folder: Path,
    cells: Sequence[WrittenCell],
    extensions: Sequence[str],
    container: Path | None = None,
) -> Examined:
    """The problems of many WrittenCells."""
    failed: Counter[str] = Counter()
    sentences: defaultdict[str, list[str]] = defaultdict(list)
    for cell in cells:
        for test, sentence in examine_cell(folder, cell, extensions, container).items():
            failed[test] += 1
            if len(sentences[test]) < MOST_NAMED:
                sentences[test].append(sentence)
    return len(cells), {test: (failed[test], sentences[test]) for test in failed}


def cell_verdicts(
    mtype: str, examined: Sequence[Examined], formats: int = 2, recorded: bool = True
) -> list[Verdict]:
    """The verdicts on all cells of an mtype.

    Args:
        mtype: their mtype.
        examined: what :func:`examine_cells` returns, of each part of the cells.
        formats: how many each cell has; one cannot differ from itself, and is not compared.
        recorded: whether it is known what was written.
    """
    total = sum(count for count, _ in examined)
    verdicts = []
    for test in CELL_TESTS:
        if test == FORMATS and formats < 2:
            continue
        seen = total if recorded or test != READ_BACK else 0
        found = [problems[test] for _, problems in examined if test in problems]
        failed = sum(count for count, _ in found)
        sentences = [sentence for _, named in found for sentence in named][:MOST_NAMED]
        detail = f"{failed} of {total} cells: {'; '.join(sentences)}" if failed else ""
        verdicts.append(exact(TIER, test, mtype, (seen, seen - failed), detail))
    return verdicts


def count_verdicts(mtype: str, synthesized: Synthesized) -> list[Verdict]:
    """The verdicts on the numbers of cells of an mtype ."""
    population = synthesized.mtypes[mtype]
    expected = population.asked - sum(population.dropped.values())
    wrong = []
    if len(population.names) != expected:
        wrong.append(
            f"{population.asked} asked, {sum(population.dropped.values())} dropped, but "
            f"{len(population.names)} rows"
        )
    repeated = [name for name, count in Counter(population.names).items() if count > 1]
    if repeated:
        wrong.append(f"{len(repeated)} morphologies serve several rows ({some(repeated, 3)})")
    if population.recorded != population.in_summary():
        wrong.append(f"the summary says {population.recorded or 'nothing of this mtype'}")
    counts = population.asked, 0 if wrong else population.asked
    rows = exact(TIER, ROWS, mtype, counts, "; ".join(wrong))
    return [rows, _files(mtype, synthesized), _named(mtype, population)]


def _files(mtype: str, synthesized: Synthesized) -> Verdict:
    population = synthesized.mtypes[mtype]
    absent = [
        f"{name}.{extension}"
        for name in population.names
        for extension in synthesized.extensions
        if not os.path.isfile(f"{synthesized.folder}/{name}.{extension}")
    ]
    count = len(population.names) * len(synthesized.extensions)
    detail = f"{len(absent)} of {count} files are absent ({some(absent, 3)})" if absent else ""
    return exact(TIER, FILES, mtype, (count, count - len(absent)), detail)


def stray_verdict(synthesized: Synthesized) -> Verdict:
    """The verdict on files that the synthesis has written and that no row names."""
    count, stray = len(synthesized.digests), synthesized.stray
    detail = f"{len(stray)} files belong to no row ({some(stray, 3)})" if stray else ""
    return exact(TIER, STRAY, None, (count, count - len(stray)), detail)


def _named(mtype: str, population: MtypeCells) -> Verdict:
    nameless, lost = population.dropped.get("", 0), population.lost
    total = sum(population.dropped.values()) + len(lost)
    detail = f"{nameless} of {total} dropped cells have no reason" if nameless else ""
    if lost:
        detail = f"{len(lost)} cells are neither made nor dropped ({some(lost, 3)})"
    counts = total, total - nameless - len(lost)
    return exact(TIER, DROPPED, mtype, counts, detail, of_none=PASS)
