"""The axon table: which morphology each cell gets its axon from, and how it is scaled."""

import io
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from region_grower_flow.errors import InvalidInput, InvalidInputs, some
from region_grower_flow.io.atomic import PathLike, safe_child
from region_grower_flow.io.documents import read_text

# What pandas (and so region-grower) reads as "no value".
NO_VALUE = frozenset(
    {"", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
     "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"}
)  # fmt: skip
_NAME, _SCALE = "morphology", "scale"
_NO_SCALE = "N/A"
# Python takes more for numbers than pandas does (1_000).
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?|[+-]?inf")
V = TypeVar("V")
_FIELD = re.compile(r'(")([^"]*)"|(\S+)')


def load_axon_table(path: PathLike, ids: Iterable[int]) -> tuple[np.ndarray, np.ndarray]:
    """Read the axon table of the cells ``ids``.

    Mirrors ``region_grower.utils.load_morphology_list``: a table separated by white space whose
    first column is the cell's id; columns ``morphology`` and ``scale`` (which may be absent);
    ``N/A`` means none.

    Args:
        path: the table.
        ids: (N,) the ids of all cells, in their order.

    Returns:
        (names, scales): (N,) object array of str or None, (N,) float64 array with NaN for none,
        in the order of ``ids``.

    Raises:
        InvalidInputs: everything that is wrong in the table.
    """
    rows, problems = _parse(path)
    problems += _id_problems(rows, ids, path)
    if problems:
        raise InvalidInputs(problems)
    by_id = {row.id: row for row in rows}
    chosen = [by_id[cell] for cell in np.asarray(ids).tolist()]
    names = np.array([row.name for row in chosen], dtype=object)
    return names, _numbers(row.scale for row in chosen)


def check_axon_table(
    path: PathLike, ids: Iterable[int], base_morph_dir: PathLike | None = None
) -> list[InvalidInput]:
    """Everything that is wrong in an axon table, as a list of InvalidInput.

    A morphology that is not in ``base_morph_dir`` is no error here: as in region-grower, the cell
    is dropped when it is made.

    Args:
        path: the table.
        ids: the ids of all cells.
        base_morph_dir: the folder of the axon morphologies; names that leave it are refused.
    """
    try:
        rows, problems = _parse(path)
    except InvalidInput as error:
        return [error]
    problems += _id_problems(rows, ids, path)
    if base_morph_dir is not None and not Path(base_morph_dir).is_dir():
        problems.append(
            InvalidInput("the folder of axon morphologies does not exist", where=base_morph_dir)
        )
    lines: dict[str, int] = {}
    for row in rows:
        if row.name is not None:
            lines.setdefault(row.name, row.line)
    for name, line in lines.items():
        try:
            safe_child(base_morph_dir or ".", name)
        except InvalidInput as error:
            problems.append(InvalidInput(error.problem, where=f"{path}, line {line}"))
    return problems


def na_ratio_by_mtype(
    names: Iterable[str | None], mtypes: Iterable[str]
) -> dict[str, tuple[int, int, float]]:
    """Cells of each mtype to which the table gives no axon: {mtype: (without, all, ratio)}.

    Only mtypes with such cells, the highest ratio first (region-grower's "N/A ratio").
    """
    mtypes = list(mtypes)
    totals = Counter(mtypes)
    without = Counter(m for name, m in zip(names, mtypes, strict=True) if name is None)
    # Percents and back, as in the reference: the comparison with the limit stays the same.
    ratios = {m: (n, totals[m], 0.01 * (100.0 * n / totals[m])) for m, n in without.items()}
    return dict(sorted(ratios.items(), key=lambda item: (-item[1][2], item[0])))


def check_na_ratio(
    names: Iterable[str | None], mtypes: Iterable[str], max_drop_ratio: float, where: object = None
) -> list[InvalidInput]:
    """Refuse a table that leaves too many cells of an mtype without axon.

    Mirrors ``region_grower.utils.check_na_morphologies`` (option ``--max-drop-ratio``).

    Returns:
        list of InvalidInput: empty, or one that names every mtype above the limit.
    """
    exceeded = [
        f"{mtype} ({without} of {total})"
        for mtype, (without, total, ratio) in na_ratio_by_mtype(names, mtypes).items()
        if ratio > max_drop_ratio
    ]
    if not exceeded:
        return []
    return [
        InvalidInput(
            f"more than {100 * max_drop_ratio:g} % of the cells have no axon for {some(exceeded)}",
            where=where,
            hint="complete the table or raise --max-drop-ratio",
        )
    ]


@dataclass(frozen=True)
class _Row:
    line: int
    id: int
    name: str | None
    scale: str


def _parse(path: PathLike) -> tuple[list[_Row], list[InvalidInput]]:
    """(rows, problems) of the table; raises InvalidInput when it is no table at all."""
    lines = [
        (number, _fields(line))
        for number, line in enumerate(read_text(path).splitlines(), start=1)
        if line.strip()
    ]
    header, body = lines[0][1], lines[1:]
    # The column of ids may have a name of its own or none.
    width = max((len(fields) for _, fields in body), default=0)
    named = header[0] not in (_NAME, _SCALE) and len(header) >= width
    columns = header[1:] if named else header
    if _NAME not in columns:
        raise InvalidInput(
            f"the first line must name the column {_NAME!r}, it has {some(map(repr, header))}",
            where=path,
        )
    if len(set(columns)) < len(columns):
        twice = Counter(columns).most_common(1)[0][0]
        raise InvalidInput(f"the first line names the column {twice!r} more than once", path)
    rows, problems = [], []
    for number, fields in body:
        where = f"{path}, line {number}"
        if len(fields) > len(columns) + 1:
            text = f"has {len(fields)} columns, expected at most {len(columns) + 1}"
            problems.append(InvalidInput(text, where))
        values = dict(zip(columns, fields[1:], strict=False))
        name = values.get(_NAME, "")
        cell = _collect(problems, where, _id, fields[0])
        scale = _collect(problems, where, _scale, values.get(_SCALE, ""))
        if cell is not None:
            rows.append(_Row(number, cell, None if name in NO_VALUE else name, scale or _NO_SCALE))
    return rows, problems


def _collect(
    problems: list[InvalidInput], where: str, read: Callable[[str], V], text: str
) -> V | None:
    """The value that ``read`` makes of ``text``; None when invalid, and its problem is added."""
    try:
        return read(text)
    except InvalidInput as error:
        problems.append(InvalidInput(error.problem, where))
        return None


def _fields(line: str) -> list[str]:
    return [quoted if quote else plain for quote, quoted, plain in _FIELD.findall(line)]


def _id(text: str) -> int:
    value = float(text) if _NUMBER.fullmatch(text) else math.nan
    if not value.is_integer():
        raise InvalidInput(f"{text!r} is not the id of a cell (a whole number from 0)")
    return int(value)


def _scale(text: str) -> str:
    """The text itself, when it is a scale or stands for none."""
    if text in NO_VALUE:
        return _NO_SCALE
    if not _NUMBER.fullmatch(text):
        raise InvalidInput(f"the scale {text!r} is not a number (N/A: not scaled)")
    value = float(text)
    if not 0 < value < math.inf:
        raise InvalidInput(f"the scale must be finite and more than 0, not {text}")
    return text


def _numbers(texts: Iterable[str]) -> np.ndarray:
    """Numbers as pandas reads them by default: with another last digit now and then.

    So the scales, and with them the axons, are those of region-grower to the last bit.
    """
    import pandas as pd

    column = io.StringIO("\n".join([_SCALE, *texts]))
    return pd.read_csv(column, dtype={_SCALE: float})[_SCALE].to_numpy(dtype=np.float64)


def _id_problems(rows: Iterable[_Row], ids: Iterable[int], path: PathLike) -> list[InvalidInput]:
    counts = Counter(row.id for row in rows)
    expected = set(np.asarray(ids).tolist())
    found = [
        ("cells of the input have no row", sorted(expected - counts.keys())),
        ("ids are no cells of the input", sorted(counts.keys() - expected)),
        ("ids are there more than once", sorted(i for i, count in counts.items() if count > 1)),
    ]
    return [
        InvalidInput(f"{len(wrong):,} {what} (ids {some(wrong)})", where=path)
        for what, wrong in found
        if wrong
    ]
