"""Contents of SONATA and MVD3 files that voxcell passes over: node groups, fixed-length text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import numpy as np

from region_grower_flow.errors import InvalidInput, some

if TYPE_CHECKING:
    import h5py
    import pandas as pd

GROUP = "0"
"""The group of nodes that is written, and read where no other is chosen."""
SEPARATOR = "/"
"""Between a population and one of its groups (``cortex/1``): no name in HDF5 holds it."""
_ID, _INDEX, _TYPE = "node_group_id", "node_group_index", "node_type_id"


def decoded(column: pd.Series, where: object) -> pd.Series:
    """A column with its texts as str: C and Fortran writers make text of fixed length (bytes).

    Args:
        column: pandas.Series, as voxcell loads it.
        where: the file, for the message.

    Raises:
        InvalidInput: bytes that are no UTF-8.
    """
    import pandas as pd

    try:
        if isinstance(column.dtype, pd.CategoricalDtype):
            categories = _texts(column.cat.categories.to_numpy())
            if len(set(categories)) < len(categories):  # "PC" and "PC ", say
                return pd.Series(categories[column.cat.codes], index=column.index)
            return column.cat.rename_categories(categories)
        values = column.to_numpy()
        texts = _texts(values)
    except UnicodeDecodeError as error:
        problem = f"column {column.name!r} holds text that is not UTF-8 ({error.reason})"
        raise InvalidInput(problem, where, "write the names as UTF-8") from error
    return column if texts is values else pd.Series(texts, index=column.index)


def _texts(values: np.ndarray) -> np.ndarray:
    """The values, bytes among them as str without the blanks or NULs that fill fixed lengths."""
    if values.dtype.kind != "S" and not (
        values.dtype == object and any(isinstance(value, bytes) for value in values)
    ):
        return values
    texts = np.empty(len(values), dtype=object)
    texts[:] = [
        value.rstrip(b"\0 ").decode() if isinstance(value, bytes) else value for value in values
    ]
    return texts


def parted(chosen: object) -> tuple[str | None, str | None]:
    """(population, group) of a choice such as ``cortex`` or ``cortex/1``; None where not given."""
    if not chosen:
        return None, None
    name, _, group = str(chosen).partition(SEPARATOR)
    return name or None, group or None


def group_of(
    population: h5py.Group, chosen: str | None, where: object
) -> tuple[h5py.Group, np.ndarray | None]:
    """(h5py.Group of the nodes that are read, None or (N,) their rows in the nodes' order).

    Args:
        population: h5py.Group of the population.
        chosen: name of a group, None where the population has to have one only.
        where: what messages begin with.

    Raises:
        InvalidInput: there is no such group, or there are several and none is chosen, or the
            columns of the groups do not fit.
    """
    import h5py

    group = population.get(chosen or GROUP)
    if not isinstance(group, h5py.Group):
        names = groups(population)
        if chosen or names:
            problem, hint = (
                f"the population has no group {chosen or GROUP!r}",
                _choose(where, names),
            )
            raise InvalidInput(problem, where, hint)
        raise InvalidInput(f"the population has no group {GROUP!r}", where=where)
    return group, None if chosen is None else _rows(population, chosen, len(group["x"]), where)


def groups(population: h5py.Group) -> list[str]:
    """Names of the groups of nodes of a population that hold something."""
    import h5py

    return [
        name
        for name, item in population.items()
        if name.isdigit() and isinstance(item, h5py.Group) and len(item)
    ]


def others(population: h5py.Group, read: str) -> Iterator[str]:
    """Words on the groups of a population that are not read: ``group '1' (2 nodes)``."""
    for name in groups(population):
        if name != read and "x" in population[name]:
            count = len(population[name]["x"])
            yield f"group {name!r} ({count:,} node{'' if count == 1 else 's'})"


def _choose(where: object, names: Iterable[str]) -> str | None:
    population = str(where).rpartition("/nodes/")[2]
    choices = [f"{population}{SEPARATOR}{name}" for name in names]
    return f"choose one with population: {some(choices, 3)}" if choices else None


def _rows(population: h5py.Group, chosen: str, count: int, where: object) -> np.ndarray:
    ids, index = (_column(population, name, where) for name in (_ID, _INDEX))
    if ids is None:
        return np.arange(count)
    mine = np.flatnonzero(ids == int(chosen))
    if index is not None and len(index) != len(ids):
        problem = f"{_INDEX!r} is of {len(index):,} nodes, {_ID!r} of {len(ids):,}"
        raise InvalidInput(problem, where)
    rows = np.arange(len(mine)) if index is None else index[mine].astype(np.int64)
    if len(rows) != count or not np.array_equal(np.sort(rows), np.arange(count)):
        problem = f"{len(rows):,} nodes are in group {chosen!r}, which has {count:,} rows"
        raise InvalidInput(problem, where, f"each node needs a row of its own by {_INDEX!r}")
    return rows


def check_node_groups(population: h5py.Group, rows: int, where: object) -> None:
    """See that the rows of group 0 are all nodes of a SONATA population, in their order.

    Args:
        population: h5py.Group of the population.
        rows: the number of rows of its group 0.
        where: what the message begins with.

    Raises:
        InvalidInput: nodes are in other groups, in another order, or more or fewer than rows.
    """
    hint = f"write all nodes to group {GROUP!r}, in the order of their ids"
    ids, index, types = (_column(population, name, where) for name in (_ID, _INDEX, _TYPE))
    names = groups(population)
    if ids is not None:
        elsewhere = ids[ids != int(GROUP)]
        if len(elsewhere):
            found = ", ".join(repr(str(group)) for group in np.unique(elsewhere))
            problem = f"{len(elsewhere):,} of {len(ids):,} nodes are in group {found}"
            raise InvalidInput(problem, where, _choose(where, names) or hint)
    elif len(names) > 1:
        problem = f"there are nodes in the groups {some(map(repr, names))}"
        raise InvalidInput(problem, where, _choose(where, names))
    for name, values in ((_ID, ids), (_INDEX, index), (_TYPE, types)):
        if values is not None and len(values) != rows:
            problem = f"{name!r} is of {len(values):,} nodes, group {GROUP!r} has {rows:,} rows"
            raise InvalidInput(problem, where, hint)
    if index is not None and not np.array_equal(index, np.arange(rows)):
        problem = f"{_INDEX!r} gives the nodes another order than the rows of group {GROUP!r}"
        population = str(where).rpartition("/nodes/")[2]
        raise InvalidInput(problem, where, f"take it by population: {population}/{GROUP}")


def _column(population: h5py.Group, name: str, where: object) -> np.ndarray | None:
    """The whole numbers of a column of the population, None without it."""
    import h5py

    item = population.get(name)
    if not isinstance(item, h5py.Dataset):
        return None
    if item.ndim != 1 or item.dtype.kind not in "iuf":
        if name == _TYPE:  # nothing reads it
            return None
        raise InvalidInput(f"{name!r} is no column of numbers", where)
    return item[()]
