"""The reference dataset: which morphology files belong to which mtype.

A ``dat`` file (``neurondb.dat``) has a line per morphology: its name (file name without
extension), an integer (a layer, not used) and its mtype, separated by any white space. A header
line, blank lines, comment lines (``#``) and further columns are accepted.
"""

import hashlib
import os
import re
from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from region_grower_flow.errors import InvalidInput, InvalidInputs, nearest, some
from region_grower_flow.layout import MORPHOLOGY_EXTENSIONS

DAT_COLUMNS = ("name", "integer", "mtype")
EXPECTED_LINE = "expected a morphology's name, an integer and an mtype"
MAX_LISTED = 20
"""Absent morphologies with a sentence of their own; the others share one."""

ALL, FIT, TEST = "all", "fit", "test"
REFERENCE_PARTS = (ALL, FIT, TEST)
"""What can be taken of the reference: a validation is sound on cells that were not fitted."""

_INTEGER = re.compile(r"[+-]?[0-9]+\Z")
_LINE_END = re.compile(r"\r\n|\r|\n")


class ReferenceCell(NamedTuple):
    """A reconstruction: its name in the dat file and the path of its file."""

    name: str
    path: str


class DatRow(NamedTuple):
    """A line of a dat file; ``line`` counts from 1."""

    line: int
    name: str
    mtype: str


@dataclass(frozen=True)
class Dataset:
    """The reference cells of each mtype.

    Attributes:
        folder: the folder that holds the morphologies.
        dat_file: the file that was read.
        extension: of the morphology files, with its dot.
        mtypes: {mtype: [ReferenceCell]}, both in the order of the dat file.
        notes: {mtype: sentences on where its cells come from, or on why there are none}.
    """

    folder: Path
    dat_file: Path
    extension: str
    mtypes: dict
    notes: dict = field(default_factory=dict)

    @property
    def n_cells(self):
        """The number of lines of the dat file that name a morphology."""
        return sum(len(cells) for cells in self.mtypes.values())


def read_dataset(folder, dat_file, extension=".h5"):
    """Read a dat file and find its morphologies.

    Args:
        folder: where the morphologies are; names may hold sub-folders but never leave it.
        dat_file: the table of names and mtypes.
        extension: ``.h5``, ``.swc`` or ``.asc``, with or without its dot.

    Returns:
        Dataset.

    Raises:
        InvalidInputs: all the problems that :func:`check_dataset` finds.
    """
    dataset, problems = _scan(folder, dat_file, extension)
    if problems:
        raise InvalidInputs(problems)
    return dataset


def check_dataset(folder, dat_file, extension=".h5"):
    """The problems of a dataset, as a list of InvalidInput (empty when it can be read)."""
    return _scan(folder, dat_file, extension)[1]


def split_dataset(dataset, part=ALL, seed=0):
    """One half of the cells of each mtype, for validation on cells that were not fitted.

    The cells of an mtype are put in an order that a hash of the seed and of each cell's name
    gives, then dealt alternately: the first, third, ... are ``"fit"``, the others ``"test"``.
    So the halves depend neither on the order of the table, nor on the other mtypes, nor on a
    version of NumPy, and an mtype that borrows all cells of another is split as that one is.

    Args:
        dataset: the Dataset.
        part: ``"all"`` (the dataset itself), ``"fit"`` or ``"test"``.
        seed: another one gives other halves.

    Returns:
        Dataset. An mtype with one cell has it in ``"fit"`` and is absent from ``"test"``.

    Raises:
        InvalidInput: an unknown part, or no mtype has a cell in it.
    """
    if part == ALL:
        return dataset
    if part not in REFERENCE_PARTS:
        expected = ", ".join(REFERENCE_PARTS)
        raise InvalidInput(f"unknown part of the reference {part!r}, expected one of {expected}")
    notes = {mtype: list(sentences) for mtype, sentences in dataset.notes.items()}
    mtypes = {}
    for mtype, cells in dataset.mtypes.items():
        dealt = sorted(cells, key=lambda cell: _shuffle_key(seed, cell.name))
        kept = set(dealt[REFERENCE_PARTS.index(part) - 1 :: 2])
        if kept:
            mtypes[mtype] = [cell for cell in cells if cell in kept]
        notes.setdefault(mtype, []).append(
            f"{len(kept)} of its {len(cells)} cells are in the half {part!r} (split_seed {seed})"
        )
    if not mtypes:
        raise InvalidInput(f"no mtype has a cell in the half {part!r}", dataset.dat_file)
    return replace(dataset, mtypes=mtypes, notes=notes)


def _shuffle_key(seed, name):
    return hashlib.sha256(f"{seed} {name}".encode()).digest(), name


def parse_dat(text, where, is_name=lambda name: False):
    """Parse the text of a dat file.

    A first line is a header when its second column is not an integer and ``is_name`` does not
    know its first column (else it is a line with a bad integer), when its second column is
    ``layer``, or when it reads ``0 1 2``, as pandas writes a table without column names.

    Args:
        text: the content of the file.
        where: the file, for messages.
        is_name: tells whether a name is that of a morphology.

    Returns:
        (rows, problems): list of DatRow and list of InvalidInput.
    """
    rows, problems, first = [], [], True
    for number, line in enumerate(_LINE_END.split(text), start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if first and _is_header(words, is_name):
            first = False
            continue
        first = False
        problem = _line_problem(words)
        if problem:
            problems.append(InvalidInput(f"{problem}; {EXPECTED_LINE}", f"{where}, line {number}"))
        else:
            rows.append(DatRow(number, words[0], words[2]))
    return rows, problems + _duplicates(rows, where)


def _is_header(words, is_name):
    if words[1:2] == ["layer"]:
        return True
    if is_name(words[0]):
        return False
    if words[:3] == ["0", "1", "2"]:
        return True
    return len(words) >= len(DAT_COLUMNS) and not _INTEGER.match(words[1])


def _line_problem(words):
    if len(words) < len(DAT_COLUMNS):
        return f"the line has {len(words)} of {len(DAT_COLUMNS)} columns"
    if not _INTEGER.match(words[1]):
        return f"the second column is {words[1]!r}, not an integer"
    return None


def _duplicates(rows, where):
    counts = Counter(row.name for row in rows)
    seen, problems = {}, []
    for row in rows:
        if counts[row.name] > 1 and row.name in seen:
            earlier = seen[row.name]
            problems.append(
                InvalidInput(
                    f"morphology {row.name!r} ({row.mtype}) is already on line {earlier.line} "
                    f"({earlier.mtype})",
                    f"{where}, line {row.line}",
                    "Name each morphology once, so that no cell counts twice",
                )
            )
        seen.setdefault(row.name, row)
    return problems


def _scan(folder, dat_file, extension):
    """Everything that reading does: (Dataset or None, problems)."""
    folder, dat_file = Path(folder), Path(dat_file)
    extension, problems = _known_extension(extension)
    if not folder.is_dir():
        problems.append(
            InvalidInput(
                "the folder of reference morphologies does not exist"
                if not folder.exists()
                else "expected the folder of reference morphologies, found a file",
                folder,
            )
        )
    text, unreadable = _read_text(dat_file)
    problems += unreadable
    if text is None:
        return None, problems
    files = _Files(folder, extension)
    rows, malformed = parse_dat(text, dat_file, files.has)
    problems += malformed
    if not rows and not malformed:
        problems.append(InvalidInput(f"no morphology is named; {EXPECTED_LINE} per line", dat_file))
    if folder.is_dir() and extension:
        problems += _file_problems(rows, files, dat_file)
    if problems:
        return None, problems
    mtypes = {}
    for row in rows:
        cell = ReferenceCell(row.name, str(files.path(row.name)))
        mtypes.setdefault(row.mtype, []).append(cell)
    return Dataset(folder, dat_file, extension, mtypes), []


def _known_extension(extension):
    bare = str(extension).lower().removeprefix(".")
    if bare in MORPHOLOGY_EXTENSIONS:
        return f".{bare}", []
    choices = ", ".join(f".{known}" for known in MORPHOLOGY_EXTENSIONS)
    return None, [
        InvalidInput(
            f"unknown extension of morphologies {str(extension)!r}", None, f"Use one of {choices}"
        )
    ]


def _read_text(path):
    """The text of a UTF-8 file: (text or None, problems)."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None, [InvalidInput("the file does not exist", path)]
    except OSError as error:
        return None, [InvalidInput(f"the file cannot be read ({error.strerror})", path)]
    hint = "Save the table as plain text in UTF-8"
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return None, [
            InvalidInput(
                f"expected text in UTF-8, found the byte 0x{content[error.start]:02x}",
                f"{path}, line {line}",
                hint,
            )
        ]
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        return None, [InvalidInput("expected text, found a NUL byte", f"{path}, line {line}", hint)]
    return text, []


class _Files:
    """The morphology files of a folder; the folder itself is listed once."""

    def __init__(self, folder, extension):
        self._folder, self._extension = folder, extension
        self._names = None

    @property
    def names(self):
        """The file names in the folder (sub-folders are not searched)."""
        if self._names is None:
            try:
                self._names = {entry.name for entry in os.scandir(self._folder)}
            except OSError:
                self._names = set()
        return self._names

    def stems(self):
        """The names that the dat file may use for the files directly in the folder."""
        size = len(self._extension)
        return sorted(name[:-size] for name in self.names if name.endswith(self._extension))

    def path(self, name):
        """The file of a morphology."""
        return self._folder / f"{name}{self._extension}"

    def has(self, name):
        """Whether the file of this morphology exists inside the folder."""
        if self._extension is None or self.escapes(name):
            return False
        return self.path(name).is_file() if "/" in name else self.path(name).name in self.names

    def escapes(self, name):
        """Whether a name leads out of the folder (links inside the folder are the user's)."""
        root = os.path.abspath(self._folder)
        path = os.path.abspath(os.path.join(root, name))
        return os.path.isabs(name) or os.path.commonpath([root, path]) != root or path == root

    def other_extension(self, name):
        """The extension under which a morphology is there instead, or None."""
        for other in MORPHOLOGY_EXTENSIONS:
            if (self._folder / f"{name}.{other}").is_file():
                return f".{other}"
        return None


def _file_problems(rows, files, dat_file):
    problems, absent = [], []
    for row in rows:
        where = f"{dat_file}, line {row.line}"
        if files.escapes(row.name):
            problems.append(InvalidInput(f"the name {row.name!r} leads out of the folder", where))
        elif not files.has(row.name):
            absent.append(row)
        elif not files.path(row.name).is_file() or not os.access(files.path(row.name), os.R_OK):
            problems.append(
                InvalidInput(f"{files.path(row.name)} is not a file that can be read", where)
            )
    stems = files.stems() if absent else []
    for row in absent[:MAX_LISTED]:
        problems.append(
            InvalidInput(
                f"there is no {files.path(row.name)} (mtype {row.mtype})",
                f"{dat_file}, line {row.line}",
                _absent_hint(row.name, files, stems),
            )
        )
    if len(absent) > MAX_LISTED:
        rest = absent[MAX_LISTED:]
        names = some(row.name for row in rest)
        problems.append(
            InvalidInput(f"{len(rest)} more morphologies are absent: {names}", dat_file)
        )
    return problems


def _absent_hint(name, files, stems):
    other = files.other_extension(name)
    if other:
        return f"There is {name}{other}; is {other} the extension?"
    close = nearest(name, stems)
    return close[:1].upper() + close[1:]
