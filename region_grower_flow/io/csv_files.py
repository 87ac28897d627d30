"""Tables as CSV: one way to write them for all outputs that people open in a spreadsheet."""

import csv
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from numbers import Real
from typing import Any


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
