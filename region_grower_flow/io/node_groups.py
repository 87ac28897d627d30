"""Contents of SONATA and MVD3 files that voxcell passes over: node groups, fixed-length text."""

import numpy as np

from region_grower_flow.errors import InvalidInput, some

GROUP = "0"
"""The group of nodes that is read and written."""
_ID, _INDEX, _TYPE = "node_group_id", "node_group_index", "node_type_id"


def decoded(column, where):
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


def _texts(values):
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


def check_node_groups(population, rows, where):
    """See that the rows of group 0 are all nodes of a SONATA population, in their order.

    Args:
        population: h5py.Group of the population.
        rows: the number of rows of its group 0.
        where: what the message begins with.

    Raises:
        InvalidInput: nodes are in other groups, in another order, or more or fewer than rows.
    """
    import h5py

    hint = f"write all nodes to group {GROUP!r}, in the order of their ids"
    ids, index, types = (_column(population, name, where) for name in (_ID, _INDEX, _TYPE))
    if ids is not None:
        elsewhere = ids[ids != int(GROUP)]
        if len(elsewhere):
            groups = ", ".join(repr(str(group)) for group in np.unique(elsewhere))
            problem = f"{len(elsewhere):,} of {len(ids):,} nodes are in group {groups}, only group"
            raise InvalidInput(f"{problem} {GROUP!r} is read", where, hint)
    others = [
        name
        for name, item in population.items()
        if name != GROUP and name.isdigit() and isinstance(item, h5py.Group) and len(item)
    ]
    if others and ids is None:
        problem = f"there are nodes in group {some(map(repr, others))}, only group {GROUP!r} is"
        raise InvalidInput(f"{problem} read", where, hint)
    for name, values in ((_ID, ids), (_INDEX, index), (_TYPE, types)):
        if values is not None and len(values) != rows:
            problem = f"{name!r} is of {len(values):,} nodes, group {GROUP!r} has {rows:,} rows"
            raise InvalidInput(problem, where, hint)
    if index is not None and not np.array_equal(index, np.arange(rows)):
        problem = f"{_INDEX!r} gives the nodes another order than the rows of group {GROUP!r}"
        raise InvalidInput(problem, where, hint)


def _column(population, name, where):
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
