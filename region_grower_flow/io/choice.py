"""Choice of some of the cells, for a try: rows of their file."""

from collections.abc import Iterable, Sequence

import numpy as np

from region_grower_flow.errors import InvalidInput, nearest, some


def chosen_rows(
    names: Iterable[str], limit: int | None, mtypes: Sequence[str], where: object
) -> np.ndarray:
    """(M,) sorted rows of the cells that are chosen: of each mtype as many as of any other.

    A choice of fewer cells is part of a choice of more, and a cell keeps its row, which gives its
    seed: what has been grown for a try is what is grown later.

    Args:
        names: (N,) mtypes of all cells.
        limit: how many, at most; None for all.
        mtypes: only cells of these; none of them means all.
        where: the file of the cells, for messages.

    Raises:
        InvalidInput: there are no cells of one of these mtypes.
    """
    names = np.asarray(names, dtype=object)
    known = set(names)
    unknown = [m for m in mtypes if m not in known]
    if unknown:
        hint = nearest(unknown[0], known) or f"they have {some(sorted(known), 8)}"
        raise InvalidInput(f"no cell is of the mtype {some(map(repr, unknown))}", where, hint)
    rows = np.flatnonzero(np.isin(names, list(mtypes))) if mtypes else np.arange(len(names))
    return np.sort(rows[in_turn(names[rows])][:limit])


def in_turn(names: Sequence[str] | np.ndarray) -> np.ndarray:
    """(N,) an order in which each name comes once before any comes twice."""
    seen: dict[str, int] = {}
    ranks = np.empty(len(names), dtype=np.int64)
    for i, name in enumerate(names):
        ranks[i] = seen[name] = seen.get(name, -1) + 1
    return np.lexsort((np.arange(len(names)), ranks))
