"""Texts of morphologies of which MorphIO would read a part, without a word: they are refused."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from region_grower_flow.errors import InvalidInput, counted, some

_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
"""Byte order marks of UTF-8 and UTF-16."""
_PARENT = 6
"""Column of an SWC line that holds the id of the sample's parent; the first holds its own."""


def require_lines(path: Path) -> None:
    """Refuse an SWC or ASC file whose lines MorphIO does not tell apart.

    Raises:
        InvalidInput: it has no line ends but those of classic Mac OS, by which the first comment
            takes in all of it; or an SWC file begins with a byte order mark.
    """
    with open(path, "rb") as file:
        content = file.read()
    if b"\r" in content and b"\n" not in content:
        problem = "its lines end as on classic Mac OS (CR), which MorphIO takes for one line"
        raise InvalidInput(problem, path, "Save it with line ends of Unix or Windows")
    if path.suffix.lower() == ".swc" and content.startswith(_MARKS):
        problem = "it begins with a byte order mark"
        raise InvalidInput(problem, path, "Save it as plain text (ASCII, or UTF-8 without a mark)")


def require_roots(path: Path) -> None:
    """Refuse an SWC file that MorphIO has read, some samples of which lead back to themselves.

    MorphIO walks from the roots along children, and passes over all that it does not reach.

    Raises:
        InvalidInput: there are such samples.
    """
    with open(path, encoding="utf-8", errors="replace") as file:
        lines = (line.split("#", 1)[0].split() for line in file)
        pairs = [(_whole(line[0]), _whole(line[_PARENT])) for line in lines if line]
    rows = {sample: row for row, (sample, _) in enumerate(pairs)}
    # Each sample's ancestor, twice as far at each step; roots are their own.
    ancestors = np.array([rows.get(parent, row) for row, (_, parent) in enumerate(pairs)], int)
    roots = ancestors == np.arange(len(pairs))
    for _ in range(len(pairs).bit_length()):
        ancestors = ancestors[ancestors]
    lost = np.flatnonzero(~roots[ancestors])
    if len(lost):
        ids = some([pairs[row][0] for row in lost])
        problem = f"{counted(len(lost), 'sample')} of it come after each other in a circle"
        hint = "Give one of them the parent that it has, or -1"
        raise InvalidInput(f"{problem} (ids {ids}), and lead to no root", path, hint)


def _whole(word: str) -> int:
    """An id as MorphIO reads it: ``2.0``, as some programs write a parent, is 2."""
    return int(re.split(r"[^-+0-9]", word)[0])
