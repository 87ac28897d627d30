"""The YAML files of apical points and of NEURON's apical sections.

The same bytes as ``yaml.dump`` of the same mapping (keys sorted), written directly: the dumper
takes minutes for a million cells.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from region_grower_flow.io.atomic import PathLike, atomic_write
from region_grower_flow.io.csv_files import number_rows

# Names made of seeds, with a letter that no YAML number holds: they need no quotes.
_PLAIN = re.compile(r"(?=.*[acdfh])(?:hashed/(?:[0-9a-f]{2}/)*)?[0-9a-f]{32}")
_ALL_PLAIN = re.compile(rf"(?:{_PLAIN.pattern}\n)*".encode())

_LEAST, _MOST = 1e-4, 1e16
"""Python, and with it YAML, writes numbers between these without an exponent."""


def write_apical_points(path: PathLike, batches: Iterable[tuple[np.ndarray, np.ndarray]]) -> None:
    """Write the first apical point of each cell.

    As in region-grower, cells without an apical point are there with null and dropped cells are not
    there.

    Args:
        path: the file to write (atomically).
        batches: (names, points): (M,) bytes, sorted over all batches, and (M, 3) float64
            coordinates (um), NaN for null.

    Raises:
        OutputFailed: the file cannot be written.
    """
    _write(path, (text for names, points in batches for text in _texts(names, points)))


def _texts(names: np.ndarray, points: np.ndarray) -> Iterator[str]:
    listed = names.tolist()
    sizes = np.abs(points)
    usual = ((sizes >= _LEAST) & (sizes < _MOST)) | (sizes == 0)
    if not (usual.all() and _all_plain(listed)):
        known = (None if point[0] != point[0] else point for point in points.tolist())
        yield from _entries(zip(map(bytes.decode, listed), known, strict=True))
        return
    rows = number_rows(points, b"\n- ")
    yield b"".join(map(b"%b:\n- %b\n".__mod__, zip(listed, rows, strict=True))).decode()


def _all_plain(names: list[bytes]) -> bool:
    text = b"\n".join([*names, b""])
    return text.count(b"\n") == len(names) and _ALL_PLAIN.fullmatch(text) is not None


def write_apical_nrn_sections(
    path: PathLike, sections: Iterable[tuple[str, list[int | None] | None]]
) -> None:
    """Write, for each cell, the index of NEURON's section ``apic[i]`` of each apical point.

    Args:
        path: the file to write (atomically).
        sections: (morphology name, list of int or None (no such section)), sorted by name.

    Raises:
        OutputFailed: the file cannot be written.
    """
    _write(path, _entries(sections))


def _write(path: PathLike, texts: Iterable[str]) -> None:
    with atomic_write(path) as temporary, open(temporary, "w", encoding="utf-8") as file:
        file.writelines(texts)
        if not file.tell():
            file.write("{}\n")


def _entries(values: Iterable[tuple[str, list[Any] | None]]) -> Iterator[str]:
    return (_entry(name, items) for name, items in values)


def _entry(name: str, items: list[Any] | None) -> str:
    if not _PLAIN.fullmatch(name):
        return _dumped(name, items)
    if items:
        quick = "\n- ".join(map(repr, items))
        if "e" in quick or "n" in quick:  # exponents, NaN, None
            quick = "\n- ".join(map(_number, items))
        return f"{name}:\n- {quick}\n"
    return f"{name}: {'null' if items is None else '[]'}\n"


def _dumped(name: str, items: list[Any] | None) -> str:
    import yaml

    return yaml.safe_dump({name: items}, allow_unicode=True)


def _number(value: float | None) -> str:
    """A number as YAML 1.1 needs it: 1e-07 without a point would be read as text."""
    text = repr(value)
    if "n" in text:
        return {"nan": ".nan", "inf": ".inf", "-inf": "-.inf", "None": "null"}[text]
    return text if "." in text or "e" not in text else text.replace("e", ".0e", 1)
