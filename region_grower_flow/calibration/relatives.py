"""The mtype with reconstructions that stands nearest to one without, by the names of both.

Names are read as circuits write them (``L23_PC``, ``L5_TPC:A``, ``L6_TPC_L1``, ``SP_PVBC``): a
layer, a class, and what parts the class further.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

SYNONYMS = {
    "TPC:A": ("TTPC1", "TPC_L1"),
    "TPC:B": ("TTPC2",),
    "TPC:C": ("STPC", "TPC_L4"),
    "UPC": ("UTPC",),
    "SSC": ("SS",),
    "SAC": ("SLAC",),
}
"""Classes of the rat's somatosensory cortex of 2022, and what they were called in 2015."""
SPECIAL = ("IPC", "BPC", "HPC")
"""Pyramidal cells that point elsewhere: they stand for others last."""
INVERTED = "IPC"
"""Inverted pyramidal cells."""
MOST_APART = 1
"""Layers between two mtypes of the same class."""
_NAME = re.compile(r"L(?P<layers>\d+)[a-z]?[_-](?P<rest>.+)")


@dataclass(frozen=True)
class MtypeName:
    """The parts of the name of an mtype.

    Attributes:
        layers: the numbers of its layers, or the text before the first underscore, or none.
        kind: the class with what parts it further, in capitals.
    """

    layers: tuple[int | str, ...]
    kind: str

    @classmethod
    def of(cls, name: str) -> MtypeName:
        """The parts of a name."""
        match = _NAME.fullmatch(name)
        if match:
            return cls(tuple(map(int, match["layers"])), match["rest"].upper())
        before, underscore, rest = name.partition("_")
        return cls((before,), rest.upper()) if underscore else cls((), name.upper())

    @property
    def base(self) -> str:
        """The class alone."""
        return re.split(r"[:_-]", self.kind)[0]

    @property
    def is_inverted(self) -> bool:
        """True if its apical dendrite points to the white matter, by the name of its class."""
        return self.base == INVERTED

    @property
    def is_pyramidal(self) -> bool:
        """True if it is a principal cell, by the ending of its class."""
        return self.base.rstrip("0123456789").endswith(("PC", "SP", "SS", "SSC"))


def nearest_mtype(name: str, cells: Mapping[str, int]) -> str | None:
    """The mtype whose cells can stand for another's, None when none is near.

    Args:
        name: of the mtype without reconstructions.
        cells: {mtype: number of its reconstructions}.
    """
    scores = {other: _score(MtypeName.of(name), MtypeName.of(other)) for other in cells}
    near = [other for other, score in scores.items() if score is not None]
    return max(near, key=lambda other: (scores[other], cells[other], other), default=None)


def nearest_mtypes(names: Iterable[str], cells: Mapping[str, int]) -> dict[str, str | None]:
    """{mtype without reconstructions: the nearest that has some, or None}."""
    return {name: nearest_mtype(name, cells) for name in names}


def as_substitutions(nearest: Mapping[str, str | None]) -> dict[str, list[str]]:
    """{mtype that has cells: [mtypes that borrow them]} of what :func:`nearest_mtypes` found."""
    rules: dict[str, list[str]] = {}
    for borrower, donor in nearest.items():
        if donor is not None:
            rules.setdefault(donor, []).append(borrower)
    return rules


def substitution_lines(rules: Mapping[str, Iterable[str]]) -> list[str]:
    """The lines of a file of substitutions (YAML)."""
    return [
        f"{_quoted(donor)}: [{', '.join(map(_quoted, names))}]" for donor, names in rules.items()
    ]


def _quoted(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z][\w.-]*", name) and len(name) > 2 else f'"{name}"'


def _score(wanted: MtypeName, other: MtypeName) -> int | None:
    kind = _kind_score(wanted, other)
    if kind is None:
        return None
    apart = _layers_apart(wanted.layers, other.layers)
    if apart is None or apart > MOST_APART or (apart and kind < 4):
        return None
    return 10 * kind - 15 * apart


def _kind_score(wanted: MtypeName, other: MtypeName) -> int | None:
    if wanted.kind == other.kind:
        return 8
    if wanted.is_pyramidal != other.is_pyramidal:
        return None
    if other.kind in SYNONYMS.get(wanted.kind, ()) or wanted.kind in SYNONYMS.get(other.kind, ()):
        return 7
    if wanted.base == other.base:
        return 6
    if any(other.base == s.split("_")[0] for s in SYNONYMS.get(wanted.base, ())):
        return 5
    if not wanted.is_pyramidal:
        return None
    special = other.base in SPECIAL
    if _is_within(other.base.rstrip("0123456789"), wanted.base) or _is_within(
        wanted.base, other.base
    ):
        return 3 - special
    return 2 - special


def _is_within(short: str, long: str) -> bool:
    """True if the letters of a text come in another one, in order."""
    letters = iter(long)
    return all(letter in letters for letter in short)


def _layers_apart(ours: Sequence[int | str], theirs: Sequence[int | str]) -> int | None:
    """Number of layers between two mtypes; None when they cannot be compared."""
    if set(ours) & set(theirs) or not ours or not theirs:
        return 0
    numbers = [[layer for layer in some if isinstance(layer, int)] for some in (ours, theirs)]
    if list(map(len, numbers)) != [len(ours), len(theirs)]:
        return None
    return min(abs(a - b) for a in numbers[0] for b in numbers[1])
