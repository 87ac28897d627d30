"""Tables of reconstructions, in the forms people have: text to rows and problems.

Three forms: a ``dat`` file (``neurondb.dat``), comma- or tab-separated values with a header, and
neuronDB XML (:mod:`neurondb`). The form is told by the extension, and by the content where the
extension says nothing.

morph_tool.morphdb.MorphDB reads them too, and is not used: it ends at the first line that is not
as expected, without saying which; it passes over rows whose file is absent, takes a file of
whatever extension for the one meant, and splits an mtype with two colons into an error.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePath

from region_grower_flow.calibration.neurondb import parse_neurondb
from region_grower_flow.calibration.rows import Row, make_row
from region_grower_flow.errors import InvalidInput, nearest, some
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.csv_files import csv_rows

DAT_COLUMNS = ("name", "layer", "mtype")
EXPECTED_LINE = "expected a morphology's name, a layer and an mtype"
DOCUMENTS = {".yaml": "YAML", ".yml": "YAML", ".json": "JSON"}
"""Extensions of what is no table."""
KNOWN_FORMS = "give a dat file, CSV, TSV or neuronDB XML"
MOST_SHORT = 5
"""Lines with too few columns that are named one by one."""
HEADER_WORDS = ("name", "morphology", "morph_name", "layer", "mtype", "m-type")
"""Words that show that the first line of a dat file is a header."""

COLUMNS = {
    "name": ("name", "morphology", "morphology_name", "morph_name"),
    "path": ("path", "morphology_path", "file", "morphology_file"),
    "mtype": ("mtype",),
    "layer": ("layer",),
    "use_axon": ("use_axon",),
    "use_dendrites": ("use_dendrites",),
    "parent": ("parent", "parent_reconstruction"),
    "pia": ("pia_direction", "pia"),
}
"""Names that columns of a table with a header may have; the first that is there counts."""

_INTEGER = re.compile(r"[+-]?[0-9]+\Z")
_LAYER = re.compile(r"L?[0-9]+[a-z]?\Z")
_LINE_END = re.compile(r"\r\n|\r|\n")
_DELIMITERS = ",\t;"


def parse_table(
    text: str, where: PathLike, is_name: Callable[[str], bool] = lambda name: False
) -> tuple[list[Row], list[InvalidInput]]:
    """Parse a table of any of the forms.

    Args:
        text: the content of the file.
        where: the file, for its extension and for messages.
        is_name: tells whether a name is that of a morphology (for the header of a dat file).

    Returns:
        (rows, problems): list of Row and list of InvalidInput.
    """
    suffix = PurePath(where).suffix.lower()
    if suffix in DOCUMENTS:
        problem = f"expected a table of reconstructions, found {DOCUMENTS[suffix]}"
        return [], [InvalidInput(problem, where, KNOWN_FORMS)]
    form = _form(text, suffix)
    if form == "xml":
        rows, problems = parse_neurondb(text, where)
    elif form == "delimited":
        rows, problems = parse_delimited(text, where)
    else:
        rows, problems = parse_dat(text, where, is_name)
    if not rows and not problems:
        expected = f"; {EXPECTED_LINE} per line" if form == "dat" else ""
        problems.append(InvalidInput(f"no morphology is named{expected}", where))
    return rows, problems + _duplicates(rows, where)


def _form(text: str, suffix: str) -> str:
    if suffix == ".xml" or text.lstrip().startswith("<"):
        return "xml"
    if suffix in (".csv", ".tsv"):
        return "delimited"
    # Tabs tell nothing: a dat file may have them.
    line = _first_line(text)
    words = [word.strip().strip('"').lower() for word in line.split(max(",;", key=line.count))]
    return "delimited" if "mtype" in words else "dat"


def _first_line(text: str) -> str:
    """The first line that is neither blank nor a comment."""
    lines = (line.strip() for line in _LINE_END.split(text))
    return next((line for line in lines if line and not line.startswith("#")), "")


def parse_dat(
    text: str, where: PathLike, is_name: Callable[[str], bool] = lambda name: False
) -> tuple[list[Row], list[InvalidInput]]:
    """Parse the text of a dat file: a line per morphology, columns parted by any white space.

    The second column, a layer, is any word, as in region-grower. A first line is a header when
    ``is_name`` does not know its first column, and one of its words is one of HEADER_WORDS or its
    second column is a word where all others are integers; also when its second column is ``layer``,
    or when it reads ``0 1 2``, as pandas writes a table without column names.

    Returns:
        (rows, problems): list of Row and list of InvalidInput.
    """
    lines = [(n, line.split()) for n, line in enumerate(_LINE_END.split(text), start=1)]
    lines = [(n, words) for n, words in lines if words and not words[0].startswith("#")]
    if lines and _is_header(lines[0][1], [words for _, words in lines[1:]], is_name):
        lines = lines[1:]
    short = [(number, words) for number, words in lines if len(words) < len(DAT_COLUMNS)]
    if len(short) > MOST_SHORT:
        first = short[0][0]
        problem = f"{len(short):,} of {len(lines):,} lines have fewer than 3 columns, first {first}"
        return [], [InvalidInput(f"{problem}; {EXPECTED_LINE}", where, KNOWN_FORMS)]
    problems = [
        InvalidInput(
            f"the line has {len(words)} of {len(DAT_COLUMNS)} columns; {EXPECTED_LINE}",
            f"{where}, line {number}",
        )
        for number, words in short
    ]
    rows = [
        Row(number, words[0], words[2], layer=words[1])
        for number, words in lines
        if len(words) >= len(DAT_COLUMNS)
    ]
    if rows and all(_LAYER.match(row.mtype) and not _LAYER.match(row.layer) for row in rows):
        text = f"its third column has layers ({rows[0].mtype}), its second others ({rows[0].layer})"
        problems.append(InvalidInput(f"{text}; {EXPECTED_LINE}, in this order", where))
    return rows, problems


def _is_header(
    words: Sequence[str], others: Sequence[Sequence[str]], is_name: Callable[[str], bool]
) -> bool:
    if words[1:2] == ["layer"]:
        return True
    if is_name(words[0]):
        return False
    if words[:3] == ["0", "1", "2"] or any(word.lower() in HEADER_WORDS for word in words[:3]):
        return True
    numbered = bool(others) and all(
        _INTEGER.match(line[1]) for line in others if len(line) >= len(DAT_COLUMNS)
    )
    return len(words) >= len(DAT_COLUMNS) and not _INTEGER.match(words[1]) and numbered


def parse_delimited(text: str, where: PathLike) -> tuple[list[Row], list[InvalidInput]]:
    """Parse comma-, tab- or semicolon-separated values with a header (see COLUMNS).

    Other columns are not read. Where there is a path and no name, the name is that of the file,
    with its folder where files of several folders have the same name.

    Returns:
        (rows, problems): list of Row and list of InvalidInput.
    """
    delimiter = max(_DELIMITERS, key=_first_line(text).count)
    rows, problems, header = [], [], None
    try:
        for line, values in csv_rows(io.StringIO(text, newline=""), where, delimiter):
            place = f"{where}, line {line}"
            values = [value.strip() for value in values]
            if not any(values) or (header is None and values[0].startswith("#")):
                continue
            if header is None:
                header, lacking = _header(values, place)
                if lacking:
                    return [], lacking
                width = len(values)
            elif len(values) != width:
                problem = f"the line has {len(values)} columns, the header {width}"
                problems.append(InvalidInput(problem, place))
            else:
                entry = {role: values[index] for role, index in header.items()}
                row, wrong = make_row(entry, line, where)
                rows += [row] if row else []
                problems += wrong
    except InvalidInput as error:
        problems.append(error)
    return _by_folder(rows) if header and "name" not in header else rows, problems


def _header(values: Iterable[str], place: str) -> tuple[dict[str, int], list[InvalidInput]]:
    """({role: index}, problems) of a header."""
    words = [value.lower() for value in values]
    found = {
        role: next(words.index(alias) for alias in aliases if alias in words)
        for role, aliases in COLUMNS.items()
        if any(alias in words for alias in aliases)
    }
    problems = [
        InvalidInput(f"the header names the column {alias!r} more than once", place)
        for alias in (alias for aliases in COLUMNS.values() for alias in aliases)
        if words.count(alias) > 1
    ]
    for roles in (("mtype",), ("name", "path")):
        if not any(role in found for role in roles):
            aliases = [alias for role in roles for alias in COLUMNS[role]]
            problem = f"the header has no column {' or '.join(repr(alias) for alias in aliases)}"
            close = next(filter(None, (nearest(alias, words) for alias in aliases)), "")
            problems.append(InvalidInput(problem, place, close))
    return found, problems


def _by_folder(rows: Sequence[Row]) -> list[Row]:
    """Rows named by their files: those of one name in several folders get their folders' names."""
    counts = Counter(row.name for row in rows)
    return [
        row._replace(name=PurePath(row.path).with_suffix("").as_posix())
        if counts[row.name] > 1
        else row
        for row in rows
    ]


def _duplicates(rows: Sequence[Row], where: PathLike) -> list[InvalidInput]:
    """Problems of morphologies that are there twice and not as the same (see :func:`distinct`)."""
    seen: dict[str, Row] = {}
    problems = []
    for row in rows:
        earlier = seen.setdefault(row.name, row)
        if _said(row) == _said(earlier):
            continue
        other = f" ({earlier.mtype})" if earlier.mtype != row.mtype else ", with other entries"
        problems.append(
            InvalidInput(
                f"morphology {row.name!r} ({row.mtype}) is already on line {earlier.line}{other}",
                f"{where}, line {row.line}",
                "Name each morphology once, so that no cell counts twice",
            )
        )
    return problems


def _said(row: Row) -> Row:
    """Content of a row that counts, whatever its line and its layer."""
    return row._replace(line=0, layer="")


def distinct(rows: Sequence[Row]) -> tuple[list[Row], dict[str, list[str]]]:
    """The rows without those that say again what an earlier one says: (rows, notes).

    Tables of electrical models have a row per combination of a morphology with a model.

    Returns:
        (list of Row, {mtype: sentences}).
    """
    first: dict[str, Row] = {}
    again: dict[str, list[str]] = {}
    for row in rows:
        if first.setdefault(row.name, row) is not row:
            again.setdefault(row.mtype, []).append(f"{row.name} (line {row.line})")
    notes = {
        mtype: [
            f"{len(names)} rows say again what an earlier one says, once counted: {some(names)}"
        ]
        for mtype, names in again.items()
    }
    return list(first.values()), notes
