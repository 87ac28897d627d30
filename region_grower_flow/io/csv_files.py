"""Tables as CSV: one way to read them, and one to write those that people open in a spreadsheet."""

import csv
import io
import math
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest
from numbers import Real
from typing import Any

import numpy as np
import orjson

from region_grower_flow.errors import InvalidInput, some
from region_grower_flow.io.atomic import PathLike


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, Any] | Iterable[Any]]) -> str:
    """A table as CSV, its header first; what is None, NaN or infinite is empty.

    Args:
        columns: the names of the columns.
        rows: a mapping by the columns each (what it lacks is empty), or the values in their order.
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        values = [row.get(column) for column in columns] if isinstance(row, Mapping) else row
        writer.writerow([_cell(value) for value in values])
    return text.getvalue()


def _cell(value: Any) -> Any:
    # NumPy's numbers of other sizes are no float, but real.
    return "" if isinstance(value, Real) and not math.isfinite(value) else value


def csv_rows(
    lines: Iterable[str], where: object, delimiter: str = ",", spaces: bool = True
) -> Iterator[tuple[int, list[str]]]:
    """Yields (number of its last line, values) of each row, the header first.

    Args:
        lines: of the table, with their ends.
        where: the file, for errors.
        delimiter: between values.
        spaces: whether spaces at the beginning of a value belong to it.

    Raises:
        InvalidInput: the lines are no such table, with the place.
    """
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=not spaces, strict=True)
    try:
        for values in reader:
            yield reader.line_num, values
    except (csv.Error, UnicodeDecodeError) as error:
        place = f"{where}, line {reader.line_num}"
        raise InvalidInput(f"the table cannot be read ({error})", place) from error


def read_csv(path: PathLike, columns: Collection[str] = ()) -> Iterator[dict[str, str]]:
    """Yields each row of a file as {column: value}; what a row lacks is empty.

    Args:
        path: the file.
        columns: those that it has to have.

    Raises:
        InvalidInput: a column is missing, or it is no such table.
        OSError: the file cannot be opened.
    """
    with open(path, encoding="utf-8", newline="") as file:
        rows = csv_rows(file, path)
        _, header = next(rows, (0, []))
        absent = {*columns} - {*header}
        if absent:
            raise InvalidInput(f"the table lacks {some(sorted(absent))}", path)
        for _, values in rows:
            if values:
                yield dict(zip_longest(header, values[: len(header)], fillvalue=""))


def number_rows(table: np.ndarray, between: bytes) -> list[bytes]:
    """The rows of a table of numbers as text, all at once: half the time of one by one.

    Args:
        table: (N, M) int64, or float64 that are 0 or between 1e-4 and 1e16: of these JSON, which
            this is made by, has the same text as Python.
        between: what stands between the numbers of a row.
    """
    text = orjson.dumps(np.ascontiguousarray(table), option=orjson.OPT_SERIALIZE_NUMPY)
    return text[2:-2].replace(b",", between).split(b"]" + between + b"[")
