"""Files of cells, written: SONATA nodes and MVD3."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.cells import POSITION, Cells
from region_grower_flow.io.hdf5 import hdf5_file

if TYPE_CHECKING:
    import h5py

PRODUCER = "synthesis"
"""Value of ``morphology_producer`` for the cells that are written."""
NODE_TYPE_ID = -1
"""SONATA's value for "no node type": all properties are in the columns."""
DYNAMICS = "@dynamics:"
"""Prefix by which voxcell marks the columns of SONATA's group dynamics_params."""

_BATCH = 20_000
"""Texts that are Python objects at a time."""

Names: TypeAlias = Iterable[str | None] | np.ndarray
"""Names of morphologies, None where a cell has none; or an array of bytes, empty there."""


def write_cells(path: PathLike, cells: Cells, morphologies: Names) -> None:
    """Write the cells that have a morphology as SONATA nodes, or MVD3 when ``path`` says so.

    The orientations are identities: synthesized morphologies are rotated already; in SONATA they
    are float32, as its guide asks. Positions keep the type that they came in: far from the origin
    float32 would move cells. Mirrors what region-grower keeps: all columns of the input, with
    ``morphology`` and ``morphology_producer``. A population without any cell is written without
    these two columns, as the reference does.

    Args:
        path: the file to write (atomically).
        cells: the input.
        morphologies: N names (path below the folder of morphologies, without extension), None
            for a cell that was dropped; or an array of bytes, empty for such a cell.

    Raises:
        OutputFailed: the file cannot be written.
    """
    import pandas as pd

    names = packed_texts(morphologies)
    kept = names != b""
    columns = {}
    if len(cells):
        producer = np.full(int(kept.sum()), PRODUCER, dtype=object)
        columns = {"morphology": names[kept], "morphology_producer": pd.Series(producer)}
    properties, positions = cells.properties, cells.positions
    if not kept.all():
        properties, positions = properties.loc[kept].reset_index(drop=True), positions[kept]
    write_nodes(path, Cells(positions, None, properties, cells.population), columns)


def write_nodes(path: PathLike, cells: Cells, columns: Mapping[str, Any] | None = None) -> None:
    """Write cells as they are, as SONATA nodes, or MVD3 when ``path`` says so.

    Args:
        path: the file to write (atomically).
        cells: the cells; without orientations they are identities.
        columns: {name: pandas Series, or array of bytes for texts that are all different} of
            further properties, or of other values of those that the cells have.

    Raises:
        OutputFailed: the file cannot be written.
    """
    columns = {**dict(cells.properties.items()), **(columns or {})}
    with hdf5_file(path) as (file, _):
        if Path(path).suffix.lower() == ".mvd3":
            _write_mvd3(file, cells, columns)
        else:
            _write_sonata(file, cells, columns)


def packed_texts(texts: Names) -> np.ndarray:
    """Texts, or an array of bytes, as an array of bytes, None as an empty one."""
    if isinstance(texts, np.ndarray) and texts.dtype.kind == "S":
        return texts
    return np.array([(text or "").encode() for text in texts], dtype=np.bytes_)


def _quaternions(cells: Cells) -> np.ndarray:
    """(N, 4) float64, x, y, z, w of the cells' orientations."""
    if cells.orientations is None or not len(cells):
        return np.tile((0.0, 0.0, 0.0, 1.0), (len(cells), 1))
    from scipy.spatial.transform import Rotation

    return Rotation.from_matrix(cells.orientations).as_quat()


def _write_mvd3(file: h5py.File, cells: Cells, columns: Mapping[str, Any]) -> None:
    """Mirrors voxcell.CellCollection.save_mvd3: all columns of strings are in the library."""
    import h5py
    from pandas.api.types import is_numeric_dtype

    library = file.create_group("library")
    group = file.create_group("cells")
    group.create_dataset("positions", data=cells.positions)
    group.create_dataset("orientations", data=_quaternions(cells))
    properties = group.create_group("properties")
    for name, values in columns.items():
        if is_numeric_dtype(values.dtype):
            properties.create_dataset(name, data=values.to_numpy())
            continue
        texts = values if values.dtype.kind == "S" else values.to_numpy(dtype=object)
        unique, indices = np.unique(texts, return_inverse=True)
        properties.create_dataset(name, data=indices.astype(np.uint32))
        library.create_dataset(name, data=unique.astype(object), dtype=h5py.string_dtype())


def _write_sonata(file: h5py.File, cells: Cells, columns: Mapping[str, Any]) -> None:
    population = file.create_group(f"nodes/{cells.population}")
    population.create_dataset("node_type_id", data=np.full(len(cells), NODE_TYPE_ID))
    # bmtk does not count the nodes itself.
    population.create_dataset("node_id", data=np.arange(len(cells), dtype=np.int64))
    population.create_dataset("node_group_id", data=np.zeros(len(cells), dtype=np.int64))
    population.create_dataset("node_group_index", data=np.arange(len(cells), dtype=np.int64))
    group = population.create_group("0")
    for name, values in columns.items():
        _write_column(group, name, values)
    for axis, name in enumerate(POSITION):
        group.create_dataset(name, data=cells.positions[:, axis])
    quaternions = _quaternions(cells).astype(np.float32)
    for name, axis in zip("wxyz", (3, 0, 1, 2), strict=True):
        group.create_dataset(f"orientation_{name}", data=quaternions[:, axis])


def _write_column(group: h5py.Group, name: str, values: Any) -> None:
    """One property; strings that repeat become indices into SONATA's ``@library``."""
    import h5py
    from pandas.api.types import is_numeric_dtype

    if name.startswith(DYNAMICS):
        name = f"dynamics_params/{name.removeprefix(DYNAMICS)}"
    if is_numeric_dtype(values.dtype):
        group.create_dataset(name, data=values.to_numpy())
        return
    text = h5py.string_dtype()
    if values.dtype.kind == "S":
        column = group.create_dataset(name, shape=values.shape, dtype=text)
        for start in range(0, len(values), _BATCH):
            column[start : start + _BATCH] = values[start : start + _BATCH].astype(object)
        return
    indices, unique = values.factorize()
    # voxcell's rule, which its reader expects: a library when it saves half of the strings.
    if len(unique) < 0.5 * len(indices) and (indices >= 0).all() and "/" not in name:
        group.create_dataset(name, data=indices.astype(np.uint32))
        library = np.asarray(unique, dtype=object)
        group.create_dataset(f"@library/{name}", data=library, dtype=text)
    else:
        group.create_dataset(name, data=values.to_numpy(dtype=object), dtype=text)
