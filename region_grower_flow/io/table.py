"""The cell table: one row per cell to synthesize, with all that its place in the atlas gives it.

It is what the loading of the atlas hands to the synthesis. A process that grows some rows reads
only those rows, so the file keeps plain columns (HDF5, contiguous) and words as codes of a library.
"""

import json
from dataclasses import dataclass, fields, replace
from functools import cached_property

import numpy as np

from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.files import reading
from region_grower_flow.io.hdf5 import hdf5_file
from region_grower_flow.layout import CELL_TABLE_VERSION

_NUMBERS = {
    "ids": np.int64,
    "positions": np.float64,
    "orientations": np.float64,
    "depths": np.float64,
    "layer_depths": np.float64,
    "layer_counts": np.int64,
    "seeds": np.int64,
    "axon_scales": np.float64,
    "glomerulus_ids": np.int64,
}
_WORDS = ("regions", "synthesis_regions", "mtypes", "axon_names", "mclass")
_OPTIONAL = ("glomerulus_ids", "mclass")
_NO_WORD = -1
"""Code of a cell without a word (no axon, no class)."""
_META = "meta"
_VERSION = "version"


@dataclass
class CellTable:
    """The rows of N cells; lengths in um, in the coordinates of the atlas.

    Attributes:
        ids: (N,) int64, the row in the input cells, from 0; rows that an axon table gives no axon
            are left out, as region-grower leaves them out.
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
        seeds: (N,) int64, (seed + id) modulo 2^32. A run whose seed is a setting of its synthesis
            has a table with the seed 0: there the run's seed is added when cells are grown.
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
    positions: np.ndarray
    orientations: np.ndarray
    depths: np.ndarray
    layer_depths: np.ndarray
    layer_counts: np.ndarray
    regions: np.ndarray
    synthesis_regions: np.ndarray
    mtypes: np.ndarray
    seeds: np.ndarray
    axon_names: np.ndarray
    axon_scales: np.ndarray
    meta: dict
    mclass: np.ndarray | None = None
    glomerulus_ids: np.ndarray | None = None

    def __len__(self):
        return len(self.ids)

    def columns(self):
        """{name: array} of the columns that the table has, in a fixed order."""
        named = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: array for name, array in named.items() if name != _META and array is not None}

    def rows(self, rows):
        """The table of some rows (a slice, a mask or row numbers), with the same meta."""
        return replace(self, **{name: array[rows] for name, array in self.columns().items()})

    def layers_of(self, row):
        """Depths (um) of the layer boundaries at the cell in ``row``; None without layers."""
        count = self.layer_counts[row]
        return self.layer_depths[row, : count + 1].tolist() if count else None

    def layer_names(self, region):
        """The layers of a synthesis region from the top down; None without layers."""
        return self.meta.get("layers", {}).get(region)

    def region_meta(self, row):
        """Cortical depths, directions and boundaries of the cell in ``row``."""
        return self.meta_of(self.synthesis_regions[row], self.regions[row])

    def meta_of(self, synthesis_region, region):
        """Cortical depths, directions and boundaries of the cells of a region."""
        meta = self.meta["regions"].get(synthesis_region, _EMPTY_REGION)
        nested = self.meta.get("nested", {}).get(region)
        return meta if nested is None else {**meta, **nested}

    @cached_property
    def packed_content(self):
        """All that a row says, as (bytes of its numbers, tuple of its words) of each row.

        Two rows with the same content, and the same parameters, grow the same cell: fingerprints
        are made of it, and of :meth:`packed_layers`, ``content_names`` and the region's meta data.
        """
        columns, numbers, words = self.columns(), [], []
        for name in self.content_names:
            column = columns[name]
            if name in _WORDS:
                words.append(column.tolist())
            else:
                wide = np.ascontiguousarray(
                    column, dtype=np.dtype(_NUMBERS[name]).newbyteorder("<")
                )
                numbers.append(wide.reshape(len(column), -1).view(np.uint8))
        packed = np.hstack(numbers)
        return [row.tobytes() for row in packed], list(zip(*words, strict=True))

    def packed_layers(self, row):
        """The bytes of a row's layer depths, not padded: the padding depends on the other rows."""
        return self.layer_depths[row, : self.layer_counts[row] + 1].astype("<f8").tobytes()

    @cached_property
    def content_names(self):
        """The columns that tell rows apart, in order."""
        columns = self.columns()
        return [name for name in _ROW_CONTENT if name in columns]


_ROW_CONTENT = tuple(
    name for name in (*_NUMBERS, *_WORDS) if name not in ("layer_depths", "layer_counts")
)

_EMPTY_REGION = {"cortical_depths": None, "directions": None, "boundaries": None}


def write_table(path, table):
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


def read_table(path, start=None, stop=None):
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
    except (OSError, KeyError, TypeError, json.JSONDecodeError) as error:
        raise InvalidInput(
            f"the cell table cannot be read ({error})", where=path, hint=_MAKE_AGAIN
        ) from error


def count_rows(path):
    """The number of rows of a table, without reading them.

    Raises:
        InvalidInput: the file is absent, unreadable or of another version.
    """
    import h5py

    try:
        with h5py.File(path, "r") as file:
            _check_version(file, path)
            return len(file["ids"])
    except (OSError, KeyError) as error:
        raise InvalidInput(
            f"the cell table cannot be read ({error})", where=path, hint=_MAKE_AGAIN
        ) from error


_MAKE_AGAIN = "Delete it and run again: it is made from the atlas and the cells"


def _check_version(file, path):
    version = file.attrs.get(_VERSION)
    if version != CELL_TABLE_VERSION:
        raise InvalidInput(
            f"the cell table has version {version}, this program reads {CELL_TABLE_VERSION}",
            where=path,
            hint=_MAKE_AGAIN,
        )


def _write_words(file, name, words):
    import h5py

    library = sorted({word for word in words if word is not None})
    codes = {word: code for code, word in enumerate(library)} | {None: _NO_WORD}
    group = file.create_group(name)
    group.create_dataset("codes", data=np.array([codes[word] for word in words], dtype=np.int32))
    group.create_dataset("library", data=library, dtype=h5py.string_dtype())


def _read_words(group, rows):
    library = group["library"].asstr()[:]
    words = np.empty(len(library) + 1, dtype=object)
    words[:-1] = library
    # The last word is None, and -1 is the code of the last one.
    words[-1] = None
    return words[group["codes"][rows]]
