"""Rows of tables of reconstructions: a morphology each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import NamedTuple

from region_grower_flow.calibration.frames import parse_direction
from region_grower_flow.errors import InvalidInput

_TRUE, _FALSE = ("", "true", "1", "yes"), ("false", "0", "no")


class Row(NamedTuple):
    """A morphology in a table.

    Attributes:
        line: where it is, from 1.
        name: its name, without extension.
        mtype: its mtype, with its subtype (``L5_TPC:A``).
        path: its file as the table has it, empty when it is to be found by its name.
        layer: as the table has it, not used in calibration.
        use_axon, use_dendrites: whether its axon, its dendrites are good enough to be used.
        parent: what it is a variant of: a morphology's name, or anything that the variants of one
            reconstruction have in common within their mtype; empty for an independent one.
        pia: direction of the pia in its file (see ``frames.parse_direction``), empty where unknown.
    """

    line: int
    name: str
    mtype: str
    path: str = ""
    layer: str = ""
    use_axon: bool = True
    use_dendrites: bool = True
    parent: str = ""
    pia: str = ""


def parse_flag(text: str, column: str) -> tuple[bool, str | None]:
    """A yes or no: (value, what is wrong or None); nothing means yes, as in neuronDB."""
    word = text.strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE, None
    return True, f"{column} is {text.strip()!r}, expected true or false"


def make_row(
    entry: Mapping[str, str], line: int, where: object
) -> tuple[Row | None, list[InvalidInput]]:
    """A Row of {column: text}: (Row or None, problems)."""
    place, problems = f"{where}, line {line}", []
    path, mtype = entry.get("path", ""), entry.get("mtype", "")
    name = entry.get("name") or PurePath(path).stem
    if not name:
        problems.append(InvalidInput("the morphology has no name", place))
    if not mtype:
        problems.append(InvalidInput(f"the morphology {name!r} has no mtype", place))
    flags = {}
    for column in ("use_axon", "use_dendrites"):
        flags[column], wrong = parse_flag(entry.get(column, ""), column)
        if wrong:
            problems.append(InvalidInput(wrong, place))
    pia = entry.get("pia", "")
    if pia:
        try:
            parse_direction(pia)
        except InvalidInput as error:
            problems.append(InvalidInput(f"pia_direction: {error.problem}", place, error.hint))
    if problems:
        return None, problems
    layer, parent = entry.get("layer", ""), entry.get("parent", "")
    return Row(line, name, mtype, path, layer, **flags, parent=parent, pia=pia), []
