"""Cells, read from SONATA nodes and MVD3 files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from region_grower_flow.errors import InvalidInput, InvalidInputs, counted, nearest, some
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.documents import require_file
from region_grower_flow.io.files import reading
from region_grower_flow.io.hdf5 import READ_ERRORS, require_held, require_own_content
from region_grower_flow.io.node_groups import (
    GROUP,
    check_node_groups,
    decoded,
    group_of,
    others,
    parted,
)
from region_grower_flow.layout import CELL_EXTENSIONS

if TYPE_CHECKING:
    import h5py
    import pandas as pd

REQUIRED_COLUMNS = ("mtype", "region")
POSITION = ("x", "y", "z")

_STRUCTURE = "SONATA nodes or an MVD3 file"


@dataclass
class Cells:
    """The cells of one population, in the order of the file.

    Attributes:
        positions: (N, 3) soma centers in the atlas (um), as voxcell gives them, float32 or float64.
        orientations: (N, 3, 3) float64 rotation matrices, or None when the file has none.
        properties: pandas.DataFrame, one row per cell, index 0 .. N - 1, columns by name; columns
            of SONATA's ``dynamics_params`` begin with "@dynamics:".
        population: name of the SONATA population ("default" for MVD3).
        unread: words on what else the file holds: other populations and groups of nodes.
    """

    positions: np.ndarray
    orientations: np.ndarray | None
    properties: pd.DataFrame
    population: str = "default"
    unread: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.properties)

    def some(self, rows: np.ndarray) -> Cells:
        """The Cells of some rows (numbers), in their order."""
        return replace(
            self,
            positions=self.positions[rows],
            orientations=None if self.orientations is None else self.orientations[rows],
            properties=self.properties.iloc[rows].reset_index(drop=True),
        )


def read_cells(
    path: PathLike, required: Sequence[str] = REQUIRED_COLUMNS, population: str | None = None
) -> Cells:
    """Read the cells of a SONATA nodes (.h5) or MVD3 (.mvd3) file.

    Args:
        path: the file.
        required: names of columns of strings that must be there, besides the positions.
        population: the SONATA population to read, where the file holds several; with a group of
            nodes (``cortex/1``) where the population has several.

    Raises:
        InvalidInput: the file is missing, damaged or not of this kind, lacks the population or
            columns, or holds positions that are not finite; InvalidInputs when there are several
            problems.
    """
    path = Path(path)
    expected = f"expected {' or '.join(CELL_EXTENSIONS)} ({_STRUCTURE})"
    require_file(path, CELL_EXTENSIONS, "cells file", expected)
    mvd3 = path.suffix.lower() == ".mvd3"
    try:
        with reading(path, None):
            _require_hdf5(path)
            if mvd3:
                _check_mvd3(path, required)
                cells = _load(path)
            else:
                cells = _load_sonata(path, *_check_sonata(path, required, population))
    except InvalidInput:
        raise
    except READ_ERRORS as error:
        raise InvalidInput(
            f"the cells cannot be read: {' '.join(str(error).split())[:300]}", where=path
        ) from error
    _check_values(cells, path, required)
    return cells


def _require_hdf5(path: Path) -> None:
    import h5py

    try:
        # Opening finds truncated files, which is_hdf5 accepts.
        with h5py.File(path, "r") as file:
            require_own_content(file, path)
    except OSError as error:
        text = str(error)
        if "truncated" in text:
            problem = "the HDF5 file is truncated (the end is missing)"
        elif "Permission denied" in text:
            problem = "permission to read it is denied"
        else:
            problem = f"not an HDF5 file, expected {_STRUCTURE}"
        raise InvalidInput(problem, where=path) from error


def _check_sonata(
    path: Path, required: Sequence[str], chosen: str | None
) -> tuple[str, str | None, np.ndarray | None, tuple[str, ...]]:
    """(population, group or None, rows of it or None, words on what is not read)."""
    import h5py

    with h5py.File(path, "r") as file:
        nodes = file.get("nodes")
        if not isinstance(nodes, h5py.Group):
            raise InvalidInput(
                f"there is no group 'nodes' (found: {some(file) or 'nothing'})",
                where=path,
                hint=f"expected {_STRUCTURE}",
            )
        name, wanted = choose_population(nodes, chosen, path), parted(chosen)[1]
        population = nodes[name]
        if not isinstance(population, h5py.Group):
            raise InvalidInput(f"'nodes/{name}' is no population (a group)", where=path)
        where = f"{path}:/nodes/{name}"
        group, rows = group_of(population, wanted, where)
        columns, dynamics = _datasets(group), group.get("dynamics_params")
        if isinstance(dynamics, h5py.Group):
            own = _datasets(dynamics).items()
            columns |= {f"dynamics_params/{column}": values for column, values in own}
        _check_columns(columns, (*POSITION, *required), where)
        _check_library(group, group.get("@library"), where)
        if wanted is None:
            check_node_groups(population, len(group["x"]), where)
        unread = *others(population, wanted or GROUP), *_populations(nodes, name)
        return name, wanted, rows, unread


def unread_note(cells: Cells, path: PathLike) -> str | None:
    """A sentence on what is not read of a file of Cells; None where all is."""
    if not cells.unread:
        return None
    words = f"only population {cells.population!r} is read; not read: {some(cells.unread, 3)}"
    return str(InvalidInput(words, path))


def _populations(nodes: h5py.Group, read: str) -> Iterator[str]:
    for name in sorted(nodes):
        if name != read:
            yield f"population {name!r}"


def choose_population(names: Iterable[str], chosen: str | None, path: object) -> str:
    """The one of a file's populations that is read.

    Raises:
        InvalidInput: the file has no such population, or several and none is chosen.
    """
    names, (chosen, _) = sorted(names), parted(chosen)
    if chosen and chosen not in names:
        hint = nearest(chosen, names) or f"it holds {some(names) or 'none'}"
        raise InvalidInput(f"there is no population {chosen!r}", path, hint)
    if not chosen and len(names) != 1:
        raise InvalidInput(
            f"expected one population of nodes, found {len(names)}"
            + (f": {some(names)}" if names else ""),
            where=path,
            hint="choose one with population" if names else None,
        )
    return chosen or names[0]


def _check_library(group: h5py.Group, library: object, where: object) -> None:
    """Columns of indices into the texts of a library, which voxcell refuses without their name."""
    import h5py

    texts = _datasets(library) if isinstance(library, h5py.Group) else {}
    for name, words in texts.items():
        indices, place = group.get(name), str(words.name).removeprefix(f"{group.name}/").lstrip("/")
        if not isinstance(indices, h5py.Dataset):
            continue
        if words.ndim != 1 or len(set(words[:].tolist())) < len(words):
            raise InvalidInput(f"{place!r} must be a list of texts, each of them once", where)
        if indices.dtype.kind not in "iu":
            raise InvalidInput(
                f"column {name!r} holds no whole numbers, expected indices into {place!r}",
                where,
                "write the indices of the texts, or the texts without a library",
            )
        if len(indices) and not 0 <= indices[:].min() <= indices[:].max() < len(words):
            raise InvalidInput(
                f"column {name!r} points beyond the {len(words)} texts of {place!r}", where
            )


def _check_mvd3(path: Path, required: Sequence[str]) -> None:
    import h5py

    with h5py.File(path, "r") as file:
        positions = file.get("cells/positions")
        if not isinstance(positions, h5py.Dataset):
            raise InvalidInput("there is no dataset 'cells/positions'", where=path)
        if positions.ndim != 2 or positions.shape[1] != 3:
            raise InvalidInput(
                f"'cells/positions' has the shape {positions.shape}, expected (N, 3)", where=path
            )
        properties = file.get("cells/properties")
        columns = _datasets(properties) if isinstance(properties, h5py.Group) else {}
        lengths = {"positions": len(positions)}
        if isinstance(file.get("cells/orientations"), h5py.Dataset):
            lengths["orientations"] = len(file["cells/orientations"])
        _check_columns(columns, required, path, lengths)
        for name in properties if isinstance(properties, h5py.Group) else ():
            if name not in columns:
                raise InvalidInput(f"'cells/properties/{name}' is a group, expected a column", path)
        if columns:
            _check_library(properties, file.get("library"), path)
        require_held(positions, path)


def _datasets(group: h5py.Group) -> dict[str, h5py.Dataset]:
    import h5py

    return {name: item for name, item in group.items() if isinstance(item, h5py.Dataset)}


def _check_columns(
    columns: Mapping[str, h5py.Dataset],
    required: Sequence[str],
    where: object,
    lengths: Mapping[str, int] | None = None,
) -> None:
    """Columns that are missing, or not one value per cell.

    Args:
        columns: {name: dataset}.
        required: names of those that must be there.
        where: for the messages.
        lengths: {name: length} of what is as long as the columns.
    """
    found = [*columns, *(lengths or ())]
    missing = [name for name in required if name not in columns]
    if missing:
        hints = [nearest(name, columns, 1, likeness=0.6) for name in missing]
        names = ", ".join(map(repr, missing))
        words = f"column {names} is" if len(missing) == 1 else f"columns {names} are"
        raise InvalidInput(
            f"{words} missing, found {some(sorted(found), 30) or 'none'}",
            where=where,
            hint=next(filter(None, hints), None),
        )
    for name, item in columns.items():
        # voxcell takes x, y and z of the shape (N, 1) for other positions than they are.
        if len(item.shape or ()) != 1:
            problem = f"column {name!r} has the shape {item.shape}, expected one value per cell"
            raise InvalidInput(problem, where, "leave it out, or write it as (N,)")
    sizes = {**{name: len(item) for name, item in columns.items()}, **(lengths or {})}
    if len(set(sizes.values())) > 1:
        words = ", ".join(f"{name}: {size}" for name, size in sorted(sizes.items()))
        raise InvalidInput(f"the columns have different lengths ({words})", where=where)
    for item in columns.values():
        require_held(item, where)


def _load_sonata(
    path: Path, population: str, group: str | None, rows: np.ndarray | None, unread: tuple[str, ...]
) -> Cells:
    """The Cells of a population, of one of its groups where that is given."""
    if group is None or rows is None:
        return replace(_load(path, population), unread=unread)
    import io

    import h5py

    # voxcell reads group 0 alone: the other is given to it as one.
    copy = io.BytesIO()
    with h5py.File(path, "r") as file, h5py.File(copy, "w") as alone:
        file.copy(f"nodes/{population}/{group}", alone.create_group(f"nodes/{population}"), GROUP)
    return replace(_load(path, population, copy).some(rows), unread=unread)


def _load(path: Path, population: str | None = None, source: BinaryIO | None = None) -> Cells:
    """The Cells of a file; of ``source`` where that is given, as messages say of ``path``."""
    import pandas as pd

    from region_grower_flow.io.voxcell import CellCollection, VoxcellError

    try:
        if population is None:
            loaded = CellCollection.load(str(path))
        else:
            loaded = CellCollection.load_sonata(source or str(path), population)
    except (VoxcellError, AssertionError) as error:
        raise InvalidInput(str(error), where=path) from error
    # voxcell's order of columns changes from process to process.
    columns = {
        name: decoded(loaded.properties[name], path) for name in sorted(loaded.properties.columns)
    }
    properties = pd.DataFrame(columns, index=loaded.properties.index)
    return Cells(
        # In the type of the file: the reference looks float32 positions up as they are.
        positions=np.asarray(loaded.positions).reshape(-1, 3),
        orientations=loaded.orientations,
        properties=properties,
        population=loaded.population_name,
    )


def _check_values(cells: Cells, path: Path, required: Sequence[str]) -> None:
    from pandas.api.types import is_numeric_dtype

    problems = []
    if cells.positions.dtype.kind not in "fiu":
        raise InvalidInput("the positions are not numbers", where=path)
    bad = np.flatnonzero(~np.isfinite(cells.positions).all(axis=1))
    if len(bad):
        problems.append(
            InvalidInput(
                f"the positions of {counted(len(bad), 'cell')} are not finite (ids {some(bad)})",
                where=path,
            )
        )
    for name in required:
        if len(cells) and is_numeric_dtype(cells.properties[name]):
            problems.append(
                InvalidInput(f"column {name!r} holds numbers, expected names", where=path)
            )
    if problems:
        raise problems[0] if len(problems) == 1 else InvalidInputs(problems)
