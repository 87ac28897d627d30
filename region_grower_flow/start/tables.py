"""The table of reconstructions and mtypes: found in their folder, or made of folders and names."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from region_grower_flow.calibration.files import Files, walk
from region_grower_flow.calibration.tables import parse_table
from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.csv_files import csv_text
from region_grower_flow.layout import MORPHOLOGY_EXTENSIONS

FIRST = (
    "index.csv",
    "index.dat",
    "mtypes.dat",
    "mtypes.csv",
    "neurondb.xml",
    "neurondb.dat",
    "neurondb.csv",
)
"""Names of tables that are looked for before others, also beside the folder."""
_TABLES = (".dat", ".csv", ".tsv", ".xml")

MOST_TOLD = 3
"""Files that are no tables of which the reasons are told."""


@dataclass(frozen=True)
class Found:
    """A table of reconstructions.

    Attributes:
        path: where it is; None when it is still to be written.
        text: its content, where it is still to be written.
        extension: of the morphologies, without dot.
        how: where it comes from, in words.
        passed_over: sentences on files in the folder that seem to be tables and are not used.
    """

    path: Path | None
    text: str | None
    extension: str
    how: str
    passed_over: tuple[str, ...] = ()


def find_table(folder: PathLike, mtypes: Collection[str], given: PathLike | None = None) -> Found:
    """The table of a folder of reconstructions.

    Args:
        folder: of the reconstructions.
        mtypes: the mtypes of the cells, for names of files that begin with one.
        given: a table that is named by the user.

    Returns:
        Found.

    Raises:
        InvalidInput: there are no morphologies, or nothing tells their mtypes.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise InvalidInput("the folder of reconstructions does not exist", folder)
    files = _morphologies(folder)
    extensions = Counter(path.suffix.lower().lstrip(".") for path in files)
    if not extensions:
        kinds = ", ".join(MORPHOLOGY_EXTENSIONS)
        raise InvalidInput(f"there is no morphology in it ({kinds})", folder)
    extension = extensions.most_common(1)[0][0]
    if given:
        return Found(Path(given), None, extension, "given")
    passed_over: list[str] = []
    for path in _candidates(folder):
        problem = _why_no_table(path, folder, extension)
        if problem is None:
            where = "in" if path.parent == folder else "beside"
            how = f"{path.name} {where} the folder"
            return Found(path, None, extension, how, tuple(passed_over))
        if path.parent == folder and len(passed_over) < MOST_TOLD:
            told = f"the table {path.name} in the folder of reconstructions is not used"
            passed_over.append(f"{told}: {problem}")
    files = [path for path in files if path.suffix.lower() == f".{extension}"]
    for read, how in ((_by_folder, "folders"), (_by_name, "names of files")):
        rows = read(files, folder, mtypes)
        if rows:
            text = _table(rows, folder)
            return Found(None, text, extension, f"made of {how}", tuple(passed_over))
    problem = "neither a table nor folders nor names tell the mtypes of its morphologies"
    if passed_over:
        problem = f"{problem} ({passed_over[0]})"
    hint = "write a table mtypes.csv with the columns name and mtype"
    raise InvalidInput(problem, folder, hint)


def _table(rows: list[tuple[Path, str]], folder: Path) -> str:
    """The text of a table whose paths start from the folder, which may be moved."""
    below = ((path.relative_to(folder).as_posix(), mtype) for path, mtype in rows)
    return csv_text(("path", "mtype"), below)


def _morphologies(folder: Path) -> list[Path]:
    kinds = {f".{kind}" for kind in MORPHOLOGY_EXTENSIONS}
    found = (root / name for root, names in walk(folder) for name in names)
    found = (path for path in found if path.suffix.lower() in kinds)
    return sorted(path for path in found if path.is_file() and not path.name.startswith("."))


def _candidates(folder: Path) -> list[Path]:
    beside = [p for p in sorted(folder.absolute().parent.iterdir()) if p.name.lower() in FIRST]
    there = [path for path in sorted(folder.iterdir()) if path.suffix.lower() in _TABLES]
    return [*_ranked(there), *_ranked(beside)]


def _ranked(paths: Iterable[Path]) -> list[Path]:
    order = {name.lower(): place for place, name in enumerate(FIRST)}
    rank = {".dat": 0, ".xml": 1, ".csv": 2, ".tsv": 3}
    return sorted(
        paths, key=lambda p: (order.get(p.name.lower(), len(order)), rank[p.suffix.lower()], p.name)
    )


def _why_no_table(path: Path, folder: Path, extension: str) -> str | None:
    """Reason why a file is not the table of the folder's reconstructions; None where it is."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    except UnicodeDecodeError:
        return "it is no UTF-8 text"
    files = Files(folder, f".{extension}")
    rows, problems, *_ = parse_table(text, path, files.has)
    if problems or not rows:
        return problems[0].problem if problems else "no morphology is named"
    if path.parent == folder:
        return None
    # Beside the folder it may be the table of another one.
    names = {*files.stems(), *files.below}
    here = [row for row in rows if row.path or row.name in names or files.knows(row.name)]
    return None if 2 * len(here) >= len(rows) else "it names other morphologies"


def _by_folder(files: list[Path], folder: Path, _mtypes: Collection[str]) -> list[tuple[Path, str]]:
    """[(file, mtype)] where each morphology is in a folder of its mtype, [] otherwise."""
    if any(path.parent == folder for path in files):
        return []
    if len({path.parent.name for path in files}) < 2 and len(files) > 1:
        return []  # one folder for all is a folder of morphologies, no mtype
    return [(path, path.parent.name) for path in files]


def _by_name(files: list[Path], _folder: Path, mtypes: Collection[str]) -> list[tuple[Path, str]]:
    """[(file, mtype)] of names that begin with an mtype of the cells, or like one."""
    known = sorted(mtypes, key=len, reverse=True)
    rows = []
    for path in files:
        name = path.stem
        mtype = next((m for m in known if _begins(name, m)), None)
        match = re.match(r"(L\d+[a-z]?_[A-Za-z]+(?:[:-][A-Za-z0-9]+)?)", name)
        mtype = mtype or (match.group(1) if match else None)
        if mtype:
            rows.append((path, mtype))
    return rows if len(rows) > len(files) / 2 else []


def _begins(name: str, mtype: str) -> bool:
    """True for a name that begins with the mtype, with another mark where it has a colon."""
    pattern = re.escape(mtype).replace(":", "[:_-]")
    return re.match(rf"{pattern}(?![A-Za-z0-9:])", name) is not None
