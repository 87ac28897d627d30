"""Places in a text file of a morphology (swc and asc have lines, h5 has none)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from region_grower_flow.io.atomic import PathLike

_NUMBER = re.compile(r"[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?")
_TEXT = (".swc", ".asc")
_NEURITES = ("axon", "dendrite", "apical", "cellbody")
_WORDS = re.compile(r'"[^"]*"|;[^\n]*|[()|]|[^\s()|";]+')


def line_of(path: PathLike, point: Sequence[float] | None, in_soma: bool = False) -> int | None:
    """The number of the first line with this point, from 1; None where there is none.

    Args:
        path: the file.
        point: (x, y, z), or None.
        in_soma: whether it is a point of the soma (in swc files, whose points have types).
    """
    suffix = Path(path).suffix.lower()
    if point is None or suffix not in _TEXT:
        return None
    wanted = np.asarray(point, dtype=np.float32)
    for number, line in enumerate(_lines(path), start=1):
        values = _NUMBER.findall(line.split("#")[0])
        if suffix == ".swc":  # a number and a type before the coordinates
            if values[1:2] and (values[1] == "1") != in_soma:
                continue
            values = values[2:]
        values = values[:3]
        if len(values) == 3 and (np.array(values, dtype=np.float32) == wanted).all():
            return number
    return None


def unread_trees(path: PathLike) -> list[int]:
    """Trees of an asc file that MorphIO passes over, since none of its labels says what they are.

    These are blocks of points whose label is no neurite, or that have none. Contours begin with a
    name in quotes and markers with a word, so they are none.

    Returns:
        [line of each, from 1]; none of another format.
    """
    if Path(path).suffix.lower() != ".asc":
        return []
    found, depth = [], 0
    block: _Block | None = None
    for number, line in enumerate(_lines(path), start=1):
        for match in _WORDS.finditer(line):
            word = match.group()
            if word.startswith(";"):
                break
            if word == "(":
                depth += 1
                if depth == 1:
                    block = _Block(number)
                elif depth == 2 and block is not None:
                    block.inner += 1
            elif word == ")":
                depth -= 1
                if depth == 0 and block is not None and block.is_tree:
                    found.append(block.line)
            elif block is not None and depth >= 1:
                block.take(word, depth)
    return found


class _Block:
    """A block of an asc file at its first level."""

    def __init__(self, line: int) -> None:
        self.line, self.inner = line, 0
        self.named, self.known, self.points = False, False, 0

    def take(self, word: str, depth: int) -> None:
        if depth == 1 and word != "|" and self.inner == 0:
            self.named = True  # a contour's name, or a marker's word
        if depth == 2 and word.lower() in _NEURITES:
            self.known = True
        if depth == 2 and _NUMBER.fullmatch(word):
            self.points += 1

    @property
    def is_tree(self) -> bool:
        return not self.named and not self.known and self.points >= 3


def _lines(path: PathLike) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return []
