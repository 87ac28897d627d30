"""The donors of axons: which there are, and where along the vertical their axons have length."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from region_grower_flow.calibration.tables import parse_table
from region_grower_flow.errors import InvalidInput, InvalidInputs, some
from region_grower_flow.io.atomic import PathLike, safe_child
from region_grower_flow.io.documents import is_number, load_yaml, read_text
from region_grower_flow.io.morphologies import read_morphology
from region_grower_flow.io.schemas import shown, violation
from region_grower_flow.morphology import AXON, FlatMorphology

GRID = 1.0
"""Step (um) of the heights at which the cumulative length of an axon is kept."""
_FLAT = 1e-3
"""Height (um) that a level segment is given, so that its length is somewhere."""
MOST_LISTED = 20
"""Problems of single donors that are named."""


@dataclass(frozen=True)
class Donor:
    """A reconstruction whose axon may be grafted.

    Attributes:
        name: of its file, without extension.
        mtype: the mtype that it is chosen for.
        layer: the layer of its soma, as the table has it ("" for none).
    """

    name: str
    mtype: str
    layer: str = ""


@dataclass(frozen=True)
class AxonHeights:
    """Extent of an axon along the vertical, seen from its soma.

    Attributes:
        top: height (um) of its highest point above the soma's center; negative when it is below.
        length: total length (um).
        start: height (um) of the first value of ``below``.
        below: share of the length that is below ``start``, ``start + GRID`` and so on, 0 to 1.
    """

    top: float
    length: float
    start: float
    below: np.ndarray

    def share_below(self, heights: np.ndarray) -> np.ndarray:
        """The share of the axon's length below heights (um above the soma), same shape."""
        grid = self.start + GRID * np.arange(len(self.below))
        return np.interp(heights, grid, self.below)


@dataclass(frozen=True)
class Home:
    """The column that the donors come from.

    Attributes:
        thicknesses: {layer: um} from the top down, or None: those of the region structure.
        soma_depths: {donor or mtype: um} below the top.
    """

    thicknesses: dict[str, float] | None = None
    soma_depths: dict[str, float] = field(default_factory=dict)

    def soma_depth(self, donor: Donor, thicknesses: Mapping[str, float]) -> float:
        """Depth (um) of a donor's soma in its home column; NaN when nothing says it.

        That of the donor, else of its mtype, else the middle of its layer.
        """
        for name in (donor.name, donor.mtype):
            if name in (self.soma_depths or {}):
                return float(self.soma_depths[name])
        top = 0.0
        for layer, thickness in thicknesses.items():
            if donor.layer and donor.layer.removeprefix("L") == str(layer).removeprefix("L"):
                return top + thickness / 2.0
            top += thickness
        return np.nan


def load_donors(path: PathLike, folder: PathLike | None = None) -> dict[str, list[Donor]]:
    """Read a table of donors: {mtype: [Donor]}, donors in the order of their names.

    A dat file, a table with a header or neuronDB XML (see ``calibration.tables``); those whose
    ``use_axon`` is false are left out.

    Args:
        path: the table.
        folder: of the morphologies (h5), which must be there; None: not looked for.

    Raises:
        InvalidInputs: all that is wrong in it.
    """
    rows, problems = parse_table(read_text(path), str(path))
    donors: dict[str, list[Donor]] = {}
    for row in rows:
        if row.use_axon:
            donors.setdefault(row.mtype, []).append(Donor(row.name, row.mtype, row.layer))
    if not donors and not problems:
        problems.append(InvalidInput("names no donor whose axon can be used", where=path))
    if folder is not None:
        problems += _absent(donors, folder)
    if problems:
        raise InvalidInputs(problems)
    return {mtype: sorted(found, key=lambda donor: donor.name) for mtype, found in donors.items()}


def _absent(donors: Mapping[str, Iterable[Donor]], folder: PathLike) -> list[InvalidInput]:
    if not Path(folder).is_dir():
        return [InvalidInput("the folder of the donors does not exist", where=folder)]
    problems, absent = [], []
    for donor in (donor for found in donors.values() for donor in found):
        try:
            if not donor_path(folder, donor).is_file():
                absent.append(donor.name)
        except InvalidInput as error:
            problems.append(error)
    if absent:
        text = f"{len(absent)} donors have no morphology here ({some(sorted(absent))})"
        problems.append(InvalidInput(text, folder, "they are expected as NAME.h5"))
    return _fewer(problems, folder)


def donor_path(folder: PathLike, donor: Donor) -> Path:
    """The file of a donor.

    Raises:
        InvalidInput: the name leaves the folder.
    """
    return safe_child(folder, f"{donor.name}.h5")


def load_heights(donors: Iterable[Donor], folder: PathLike) -> dict[str, AxonHeights]:
    """{donor's name: AxonHeights} of donors.

    Raises:
        InvalidInputs: morphologies that cannot be read or have no axon.
    """
    heights, problems = {}, []
    for donor in donors:
        path = donor_path(folder, donor)
        try:
            heights[donor.name] = axon_heights(read_morphology(path), path)
        except InvalidInput as error:
            problems.append(error)
    if problems:
        raise InvalidInputs(_fewer(problems, folder))
    return heights


def _fewer(problems: list[InvalidInput], folder: PathLike) -> list[InvalidInput]:
    """The first problems, and how many more there are."""
    rest = len(problems) - MOST_LISTED
    if rest <= 0:
        return problems
    return [*problems[:MOST_LISTED], InvalidInput(f"{rest} more donors cannot be used", folder)]


def axon_heights(morphology: FlatMorphology, where: object = None) -> AxonHeights:
    """The AxonHeights of a morphology: of its first axon, which is the one that is grafted.

    Args:
        morphology: FlatMorphology; y points to the pia.
        where: its file, for messages.

    Raises:
        InvalidInput: it has no axon, or one without length.
    """
    roots = np.flatnonzero(morphology.parents < 0)
    axons = np.flatnonzero(morphology.types[roots] == AXON)
    if not len(axons):
        hint = "set its use_axon to false in the table of donors, or leave it out"
        raise InvalidInput("the donor has no axon", where, hint)
    after = [*roots[axons[0] + 1 :], morphology.n_sections][0]
    first, last = morphology.offsets[roots[axons[0]]], morphology.offsets[after]
    points = morphology.points[first:last].astype(np.float64)
    if len(morphology.soma_points):
        points -= morphology.soma_points.astype(np.float64).mean(axis=0)
    # Points of one section after another: the jump between two sections is no segment.
    inner = np.ones(len(points) - 1, dtype=bool)
    starts = morphology.offsets[roots[axons[0]] + 1 : after] - first
    inner[starts - 1] = False
    lengths = np.linalg.norm(np.diff(points, axis=0), axis=1)[inner]
    if not lengths.sum() > 0:
        raise InvalidInput("the donor's axon has no length", where)
    ends = np.sort(np.stack([points[:-1, 1], points[1:, 1]], axis=1)[inner], axis=1)
    return _heights(ends[:, 0], ends[:, 1], lengths, float(points[:, 1].max()))


def _heights(low: np.ndarray, high: np.ndarray, lengths: np.ndarray, top: float) -> AxonHeights:
    """The cumulative length of segments, each spread evenly between its two heights."""
    high = np.maximum(high, low + _FLAT)
    density = lengths / (high - low)
    ends = np.concatenate([low, high])
    order = np.argsort(ends, kind="stable")
    slopes = np.cumsum(np.concatenate([density, -density])[order])
    ends = ends[order]
    below = np.concatenate([[0.0], np.cumsum(slopes[:-1] * np.diff(ends))])
    start = np.floor(ends[0] / GRID) * GRID
    grid = np.arange(start, ends[-1] + 2 * GRID, GRID)
    total = float(lengths.sum())
    share = np.clip(np.interp(grid, ends, below / total), 0.0, 1.0)
    share[-1] = 1.0
    return AxonHeights(top, total, float(start), share)


def load_home(path: PathLike) -> Home:
    """Read the home column of the donors: a Home.

    ``{layer: thickness}`` in um from the top down, or an object with ``thicknesses`` (that
    mapping) and ``soma_depths`` ({donor or mtype: um}), either of which may be absent.

    Raises:
        InvalidInput: the file cannot be read; InvalidInputs: all that is wrong in it.
    """
    content, problems = load_yaml(path), []
    if not isinstance(content, dict):
        raise InvalidInput(f"expected {{layer: thickness}}, not {shown(content)}", where=path)
    keys = {"thicknesses", "soma_depths"}
    parts = content if keys & content.keys() else {"thicknesses": content}
    unknown = sorted(map(str, parts.keys() - keys))
    if unknown:
        known = "Known are thicknesses, soma_depths"
        problems.append(violation(path, [], f"unknown key {unknown[0]!r}", known))
    for key in sorted(keys & parts.keys()):
        if not isinstance(parts[key], dict) or not parts[key]:
            problems.append(
                violation(path, [key], f"expected {{name: um}}, not {shown(parts[key])}")
            )
            continue
        for name, value in parts[key].items():
            if (
                not is_number(value)
                or not np.isfinite(value)
                or value < 0
                or (value == 0 and key[0] == "t")
            ):
                text = f"expected a length in um, not {shown(value)}"
                problems.append(violation(path, [key, name], text))
    if problems:
        raise InvalidInputs(problems)
    depths = {str(name): value for name, value in (parts.get("soma_depths") or {}).items()}
    return Home(parts.get("thicknesses"), depths)
