"""The morphology files of a folder: found by path, by name, or by name in sub-folders."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from region_grower_flow.calibration.rows import Row
from region_grower_flow.errors import InvalidInput, nearest, some
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.layout import MANIFESTS, MORPHOLOGY_EXTENSIONS

STANDARDIZED = ".CNG"
"""Suffix of NeuroMorpho.Org's names of files in its standardized format."""
MAX_LISTED = 20
"""Absent morphologies with a sentence of their own; the others share one."""


def walk(folder: PathLike) -> Iterator[tuple[Path, list[str]]]:
    """(folder, names of its files) of a folder and those below it that are no links, in order.

    Work folders below it are passed over: they hold copies of morphologies, and grown cells.
    """
    for root, folders, names in os.walk(folder):
        if MANIFESTS in folders and Path(root) != Path(folder):
            folders.clear()
        else:
            folders.sort()
            yield Path(root), sorted(names)


class Files:
    """The morphology files of a folder; each folder is listed once.

    Args:
        folder: the folder; nothing outside it is taken (links inside it are the user's).
        extension: of the files that are found by name, with its dot; None when it is not known.
    """

    def __init__(self, folder: PathLike, extension: str | None) -> None:
        self._folder, self._extension = Path(folder), extension
        self._names: set[str] | None = None
        self._below: dict[str, list[Path]] | None = None
        self._by_stem: dict[tuple[str, str], list[Path]] | None = None

    @property
    def names(self) -> set[str]:
        """The file names directly in the folder."""
        if self._names is None:
            try:
                self._names = {entry.name for entry in os.scandir(self._folder)}
            except OSError:
                self._names = set()
        return self._names

    @property
    def below(self) -> dict[str, list[Path]]:
        """{file name: paths in sub-folders}, of the folders below that are no links."""
        if self._below is None:
            self._below = {}
            for root, names in walk(self._folder):
                if root != self._folder:
                    for name in names:
                        self._below.setdefault(name, []).append(root / name)
        return self._below

    def stems(self) -> list[str]:
        """The names of the morphologies in the folder and below it."""
        end = self._extension or ""
        names = {*self.names, *self.below}
        return sorted(name.removesuffix(end) for name in names if name.endswith(end))

    def has(self, name: str) -> bool:
        """True if the file of this name is directly in the folder, or where the name leads."""
        if self._extension is None or self.escapes(name):
            return False
        path = self._direct(name)
        return os.path.isfile(path) if "/" in name else path.name in self.names

    def knows(self, name: str) -> bool:
        """True if there is a file of this name, or of nearly this name (see :meth:`alike`)."""
        return self.has(name) or bool(self.alike(name))

    def alike(self, name: str) -> list[Path]:
        """The files that a name means though it is not quite theirs.

        These are ``a.swc`` for the name ``a.swc``, ``b.CNG.swc`` (as NeuroMorpho.Org writes them)
        for ``b``, and ``D.SWC`` for ``D``.
        """
        if self._extension is None or self.escapes(name):
            return []
        if self._by_stem is None:
            self._by_stem = {}
            paths = [self._folder / file for file in sorted(self.names)]
            for path in [*paths, *(path for paths in self.below.values() for path in paths)]:
                extension = path.suffix.lower()
                if extension.lstrip(".") in MORPHOLOGY_EXTENSIONS:
                    stems = {path.stem, path.stem.removesuffix(STANDARDIZED)}
                    for stem in stems:
                        self._by_stem.setdefault((stem, extension), []).append(path)
        bare, dot, extension = name.rpartition(".")
        found = self._by_stem.get((name, self._extension), [])
        if not found and dot and extension.lower() in MORPHOLOGY_EXTENSIONS:
            found = self._by_stem.get((bare, f".{extension.lower()}"), [])
        return found

    def find(self, row: Row, base: PathLike) -> tuple[Path | None, InvalidInput | None]:
        """The file of a row of a table: (path or None, InvalidInput without place or None).

        Neither of both: there is no such file.

        Args:
            row: the Row.
            base: the folder of the table: relative paths start from the folder of the
                morphologies, or from here.
        """
        if row.path:
            return self._find_path(row.path, base)
        if self.escapes(row.name):
            return None, InvalidInput(f"the name {row.name!r} leads out of the folder")
        if self.has(row.name):
            return _readable(self._direct(row.name))
        found = [] if "/" in row.name else self.below.get(self._direct(row.name).name, [])
        found = found or self.alike(row.name)
        own = [path for path in found if path.parent.name == row.mtype]
        if len(own or found) > 1:
            where = some(path.parent.relative_to(self._folder) for path in found)
            return None, InvalidInput(
                f"there are {len(found)} files of the name {row.name!r}, in {where}",
                hint="Give the table a column 'path'",
            )
        return _readable((own or found)[0]) if found else (None, None)

    def expected(self, row: Row) -> Path:
        """Path where the file of a row should have been."""
        return self._folder / row.path if row.path else self._direct(row.name)

    def _direct(self, name: str) -> Path:
        return self._folder / f"{name}{self._extension}"

    def _find_path(self, text: str, base: PathLike) -> tuple[Path | None, InvalidInput | None]:
        if Path(text).suffix.lower().lstrip(".") not in MORPHOLOGY_EXTENSIONS:
            expected = ", ".join(f".{known}" for known in MORPHOLOGY_EXTENSIONS)
            return None, InvalidInput(f"the file {text!r} has none of the extensions {expected}")
        candidates = [self._folder / text, Path(base) / text]
        inside = [path for path in candidates if not self.escapes(path)]
        if not inside:
            return None, InvalidInput(
                f"the path {text!r} leads out of the folder {self._folder}",
                hint="Let morphologies_dir be a folder that holds all morphologies",
            )
        present = [path for path in inside if os.path.exists(path)]
        return _readable(present[0]) if present else (None, None)

    def escapes(self, name: str | Path) -> bool:
        """True if a name or path leads out of the folder."""
        root = os.path.abspath(self._folder)
        path = os.path.abspath(os.path.join(root, name))
        absolute_name = isinstance(name, str) and os.path.isabs(name)
        return absolute_name or os.path.commonpath([root, path]) != root or path == root

    def other_extension(self, name: str) -> str | None:
        """The extension under which a morphology is there instead, or None."""
        for other in MORPHOLOGY_EXTENSIONS:
            if os.path.isfile(self._folder / f"{name}.{other}") or f"{name}.{other}" in self.below:
                return f".{other}"
        return None


def _readable(path: Path) -> tuple[Path | None, InvalidInput | None]:
    if not os.path.isfile(path) or not os.access(path, os.R_OK):
        return None, InvalidInput(f"{path} is not a file that can be read")
    return path, None


def find_files(
    rows: Sequence[Row], files: Files, table: PathLike
) -> tuple[dict[Row, Path], list[InvalidInput]]:
    """The files of all rows: ({row: path}, problems)."""
    found: dict[Row, Path] = {}
    users: dict[str, Row] = {}
    problems, absent = [], []
    for row in rows:
        path, problem = files.find(row, Path(table).parent)
        where = f"{table}, line {row.line}"
        if problem:
            problems.append(InvalidInput(problem.problem, where, problem.hint))
        elif path is None:
            absent.append(row)
        else:
            found[row] = path
            first = users.setdefault(os.path.abspath(path), row)
            if first.name != row.name:  # the same name twice is a problem of the table
                taken = f"{path} is already that of {first.name!r} on line {first.line}"
                problems.append(InvalidInput(taken, where))
    most = 1 if len(absent) == len(rows) > MAX_LISTED else MAX_LISTED
    return found, problems + _absent(absent, files, table, most)


def _absent(rows: Sequence[Row], files: Files, table: PathLike, most: int) -> list[InvalidInput]:
    stems = files.stems() if rows else []
    problems = [
        InvalidInput(
            f"there is no {files.expected(row)} (mtype {row.mtype})",
            f"{table}, line {row.line}",
            _absent_hint(row, files, stems),
        )
        for row in rows[:most]
    ]
    rest = rows[most:]
    if rest:
        names = some(row.name for row in rest)
        hint = "none is there: see morphologies_dir and morphologies_ext" if most == 1 else None
        problem = f"{len(rest)} more morphologies are absent: {names}"
        problems.append(InvalidInput(problem, table, hint))
    return problems


def _absent_hint(row: Row, files: Files, stems: Iterable[str]) -> str:
    other = files.other_extension(row.name)
    if other and not row.path:
        return f"There is {row.name}{other}; is {other} the extension?"
    # Likeness is blind to case, and to what is put behind short names.
    lower = row.name.lower()
    longer = [
        stem for stem in stems if stem.lower() == lower or stem.lower().startswith(f"{lower}.")
    ]
    if longer:
        return f"Did you mean {' or '.join(repr(stem) for stem in longer[:3])}?"
    close = nearest(row.name, stems)
    return close[:1].upper() + close[1:]
