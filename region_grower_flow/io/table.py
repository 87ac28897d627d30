"""The cell table: one row per cell to synthesize, with all that its place in the atlas gives it.

It is what the loading of the atlas hands to the synthesis. A process that grows some rows reads
only those rows, so the file keeps plain columns (HDF5, contiguous) and words as codes of a library.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.files import reading
from region_grower_flow.io.hdf5 import READ_ERRORS, hdf5_file
from region_grower_flow.layout import CELL_TABLE_VERSION, MAX_SEED
from region_grower_flow.morphology import Y_DIRECTION

if TYPE_CHECKING:
    import h5py

_NUMBERS = {
    "ids": np.int64,
    "numbers": np.int64,
    "positions": np.float64,
    "orientations": np.float64,
    "depths": np.float64,
    "layer_depths": np.float64,
    "layer_counts": np.int64,
    "axon_scales": np.float64,
    "glomerulus_ids": np.int64,
}
_WORDS = ("regions", "synthesis_regions", "mtypes", "axon_names", "mclass")
_NO_WORD = -1
"""Code of a cell without a word (no axon, no class)."""
_META = "meta"
_VERSION = "version"


N = TypeVar("N", int, np.ndarray)


def cell_seed(seed: int, number: N) -> N:
    """The seed of a cell from that of its run: (seed + number) modulo 2^32.

    Args:
        seed: of the run.
        number: of the cell, see :class:`Cell`; or an array of numbers.
    """
    return (number + int(seed) % MAX_SEED) % MAX_SEED


@dataclass(frozen=True, eq=False)
class Cell:
    """A row of the cell table: all that its place in the atlas, and its tables, say of one cell.

    Attributes:
        position: (3,) float64, the soma's center (um).
        orientation: (3, 3) float64, the atlas's rotation at the soma.
        depth: of the soma below the top of its region (um), NaN in a region without layers.
        layer_depths: depths (um) of the layers' boundaries from the top (0) down, one more than
            there are layers; None in a region without layers.
        mtype: the mtype.
        region, synthesis_region: of the input cells, and the entry of the region structure that
            serves the cell.
        region_meta: cortical depths, directions and boundaries of that entry.
        layer_names: its layers from the top down; None without layers.
        axon_name, axon_scale: the donor of the axon, or None; the factor of its size, or NaN.
        mclass: the morphological class, or None.
        glomerulus_id: -1 outside of every glomerulus, None where not looked up.
        row: of the cell table, from 0.
        id: the row in the input cells.
        number: what is added to the run's seed for the cell's own.
        packed: the bytes of its numbers, and (``words``) its words, for fingerprints.
    """

    position: np.ndarray
    orientation: np.ndarray
    depth: float
    layer_depths: list[float] | None
    mtype: str
    region: str = ""
    synthesis_region: str = ""
    region_meta: dict[str, Any] = field(default_factory=dict)
    layer_names: list | None = None
    axon_name: str | None = None
    axon_scale: float = float("nan")
    mclass: str | None = None
    glomerulus_id: int | None = None
    row: int = 0
    id: int = 0
    number: int = 0
    packed: bytes = b""
    words: tuple = ()

    @property
    def y_direction(self) -> np.ndarray:
        """(3,) the direction of the pia at the soma."""
        rotation = np.asarray(self.orientation, dtype=float).reshape(1, 3, 3)
        return np.dot(rotation, Y_DIRECTION)[0]


@dataclass
class CellTable:
    """The rows of N cells; lengths in um, in the coordinates of the atlas.

    Attributes:
        ids: (N,) int64, the row in the input cells, from 0; rows that an axon table gives no axon
            are left out, as region-grower leaves them out.
        numbers: (N,) int64, what is added to the run's seed for a cell's own, see
            :func:`cell_seed`: the id, or the count of a cell that has no input.
        positions: (N, 3) float64, the soma's center.
        orientations: (N, 3, 3) float64, the atlas's rotation at the soma (NaN where it has none).
        depths: (N,) float64, depth of the soma below the top of the region, clipped to the allowed
            depths; NaN in a region without layers.
        layer_depths: (N, L + 1) float64, depths of the layer boundaries from the top (0) down,
            NaN after the last one and in regions without layers.
        layer_counts: (N,) int64, the number of layers, 0 in a region without layers.
        regions: (N,) object, the region of the input cells.
        synthesis_regions: (N,) object, the entry of the region structure that serves the cell, or
            ``default``.
        mtypes: (N,) object.
        axon_names: (N,) object, the morphology to graft the axon from, or None.
        axon_scales: (N,) float64, NaN: not scaled.
        meta: what all rows share (JSON-able): ``regions`` {synthesis region: cortical_depths,
            directions, boundaries}, ``nested`` {region of cells: directions, boundaries} where
            these are others, ``layers`` {synthesis region: its layers from the top down}, ``atlas``
            (voxel_dimensions, offset, shape) and ``version``. No place of a file: boundaries name
            their meshes as the region structure does.
        mclass: (N,) object of str or None, or None when the cells have no such property.
        glomerulus_ids: (N,) int64, -1 outside every territory, or None when no boundary uses them.
    """

    ids: np.ndarray
    numbers: np.ndarray
    positions: np.ndarray
    orientations: np.ndarray
    depths: np.ndarray
    layer_depths: np.ndarray
    layer_counts: np.ndarray
    regions: np.ndarray
    synthesis_regions: np.ndarray
    mtypes: np.ndarray
    axon_names: np.ndarray
    axon_scales: np.ndarray
    meta: dict
    mclass: np.ndarray | None = None
    glomerulus_ids: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.ids)

    def columns(self) -> dict[str, Any]:
        """{name: array} of the columns that the table has, in a fixed order."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: array for name, array in named.items() if name != _META and array is not None}

    def rows(self, rows: slice | np.ndarray) -> CellTable:
        """The table of some rows (a slice, a mask or row numbers), with the same meta."""
        return replace(self, **{name: array[rows] for name, array in self.columns().items()})

    def cell(self, row: int, first: int = 0) -> Cell:
        """The :class:`Cell` of a row; ``first`` is the row of the file that this table begins with.

        Two cells with the same ``packed`` and ``words``, and the same parameters, grow the same:
        fingerprints are made of these, of ``content_names`` and of the region's meta data.
        """
        place = row - first
        cell_id, number, depth, count, scale, *words = self._scalars[place]
        region, synthesis_region, mtype, axon_name, *mclass = words
        numbers, layers = self._packed
        return Cell(
            position=self.positions[place],
            orientation=self.orientations[place],
            depth=depth,
            layer_depths=self.layer_depths[place, : count + 1].tolist() if count else None,
            mtype=mtype,
            region=region,
            synthesis_region=synthesis_region,
            region_meta=self.meta_of(synthesis_region, region),
            layer_names=self.layer_names(synthesis_region),
            axon_name=axon_name,
            axon_scale=scale,
            mclass=mclass[0] if mclass else None,
            glomerulus_id=None if self.glomerulus_ids is None else int(self.glomerulus_ids[place]),
            row=row,
            id=cell_id,
            number=number,
            # The layers are not padded: the padding depends on the other rows.
            packed=numbers[place].tobytes() + layers[place, : 8 * (count + 1)].tobytes(),
            words=tuple(words),
        )

    def cells(self, rows: Sequence[int]) -> list[Cell]:
        """The :class:`Cell` of each of some rows, without a look at the others."""
        part = self.rows(np.asarray(rows, dtype=np.int64))
        return [part.cell(row, row - place) for place, row in enumerate(rows)]

    @cached_property
    def _scalars(self) -> list[tuple[Any, ...]]:
        """(id, number, depth, number of layers, axon scale, *words) of each row."""
        names = ("ids", "numbers", "depths", "layer_counts", "axon_scales", *_WORDS)
        columns = self.columns()
        return list(zip(*(columns[n].tolist() for n in names if n in columns), strict=True))

    @cached_property
    def _packed(self) -> tuple[np.ndarray, np.ndarray]:
        """The bytes of each row's numbers, and of its layers' depths: two (N, bytes) uint8."""
        columns = self.columns()
        numbers = [_bytes_of(n, columns[n]) for n in self.content_names if n not in _WORDS]
        return np.hstack(numbers), _bytes_of("layer_depths", self.layer_depths)

    def layers_of(self, row: int) -> list[float] | None:
        """Depths (um) of the layer boundaries at the cell in ``row``; None without layers."""
        count = self.layer_counts[row]
        return self.layer_depths[row, : count + 1].tolist() if count else None

    def layer_names(self, region: str) -> list[Any] | None:
        """The layers of a synthesis region from the top down; None without layers."""
        return self.meta.get("layers", {}).get(region)

    def meta_of(self, synthesis_region: str, region: str) -> dict[str, Any]:
        """Cortical depths, directions and boundaries of the cells of a region."""
        meta = self.meta["regions"].get(synthesis_region, _EMPTY_REGION)
        nested = self.meta.get("nested", {}).get(region)
        return meta if nested is None else {**meta, **nested}

    @cached_property
    def content_names(self) -> list[str]:
        """The columns that tell rows apart, in order."""
        columns = self.columns()
        return [name for name in _ROW_CONTENT if name in columns]


_ROW_CONTENT = tuple(
    name for name in (*_NUMBERS, *_WORDS) if name not in ("layer_depths", "layer_counts")
)


def _bytes_of(name: str, column: np.ndarray) -> np.ndarray:
    """(N, bytes) uint8, the little-endian numbers of 8 bytes of each row of a column."""
    wide = np.ascontiguousarray(column, dtype=np.dtype(_NUMBERS[name]).newbyteorder("<"))
    return wide.reshape(len(column), -1).view(np.uint8)


_EMPTY_REGION = {"cortical_depths": None, "directions": None, "boundaries": None}


def write_table(path: PathLike, table: CellTable) -> None:
    """Write a :class:`CellTable` (beside, then renamed).

    Raises:
        OutputFailed: the file cannot be written.
    """
    with hdf5_file(path) as (file, check):
        file.attrs[_VERSION] = CELL_TABLE_VERSION
        file.create_dataset(_META, data=json.dumps(table.meta, sort_keys=True))
        for name, array in table.columns().items():
            if name in _WORDS:
                _write_words(file, name, array)
            else:
                file.create_dataset(name, data=np.asarray(array, dtype=_NUMBERS[name]))
            check()


def read_table(path: PathLike, start: int | None = None, stop: int | None = None) -> CellTable:
    """Read rows ``start:stop`` (all by default) of a table that :func:`write_table` wrote.

    Raises:
        InvalidInput: the file is absent, unreadable or of another version.
    """
    import h5py

    try:
        with reading(path, None), h5py.File(path, "r") as file:
            _check_version(file, path)
            rows = slice(start, stop)
            columns = {name: file[name][rows] for name in _NUMBERS if name in file}
            columns |= {name: _read_words(file[name], rows) for name in _WORDS if name in file}
            return CellTable(meta=json.loads(file[_META][()]), **columns)
    except InvalidInput:
        raise
    except READ_ERRORS as error:
        raise InvalidInput(
            f"the cell table cannot be read ({error})", where=path, hint=_MAKE_AGAIN
        ) from error


_MAKE_AGAIN = "Delete it and run again: it is made from the atlas and the cells"


def _check_version(file: h5py.File, path: object) -> None:
    version = file.attrs.get(_VERSION)
    if version != CELL_TABLE_VERSION:
        raise InvalidInput(
            f"the cell table has version {version}, this program reads {CELL_TABLE_VERSION}",
            where=path,
            hint=_MAKE_AGAIN,
        )


def _write_words(file: h5py.File, name: str, words: Iterable[str | None]) -> None:
    import h5py

    library = sorted({word for word in words if word is not None})
    codes = {word: code for code, word in enumerate(library)} | {None: _NO_WORD}
    group = file.create_group(name)
    group.create_dataset("codes", data=np.array([codes[word] for word in words], dtype=np.int32))
    group.create_dataset("library", data=library, dtype=h5py.string_dtype())


def _read_words(group: h5py.Group, rows: slice) -> np.ndarray:
    library = group["library"].asstr()[:]
    words = np.empty(len(library) + 1, dtype=object)
    words[:-1] = library
    # The last word is None, and -1 is the code of the last one.
    words[-1] = None
    return words[group["codes"][rows]]
