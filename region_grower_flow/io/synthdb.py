"""Parameters and distributions spread over files, as the calibration database synthdb has them.

synthdb (BlueBrain/synthdb) keeps one file of parameters and one of distributions per mtype and
region in ``synthdb/synthesis_inputs/inputs``::

    params_<luigi config>[_<species>]_<region>_<mtype>.json
    distr_<luigi config>[_<species>]_<region>_<mtype>.json

each with the content {region: {mtype: entry}}; ``synthdb synthesis-inputs pull`` writes the same as
``tmd_parameters_*.json`` and ``tmd_distributions_*.json``. Such a folder is read as it is, or some
files of it by a pattern (``inputs/*luigi_rat*``), or those that the database's index names
(``synthdb/data/internal_db.sqlite``, or ``...sqlite#brain_region=CA1&luigi_config=luigi_CA1``).
"""

import contextlib
import glob
import sqlite3
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from region_grower_flow.errors import InvalidInput, nearest, some
from region_grower_flow.io.atomic import PathLike

PARAMETERS, DISTRIBUTIONS = "parameters", "distributions"
PREFIXES = {
    PARAMETERS: ("params_", "tmd_parameters"),
    DISTRIBUTIONS: ("distr_", "tmd_distributions"),
}
"""Beginnings of the names of the files of each kind."""
INPUTS = ("synthdb/synthesis_inputs/inputs", "synthesis_inputs/inputs", "inputs")
"""Folders of the files in a checkout or an installation of synthdb."""
INDEX_EXTENSIONS = (".sqlite", ".sqlite3", ".db")
TABLE = "synthesis_inputs"
COLUMNS = {PARAMETERS: "parameters_path", DISTRIBUTIONS: "distributions_path"}
_PATTERN = set("*?[")

Model: TypeAlias = dict[str, dict[str, Any]]
"""{region: {mtype: entry}}."""


def is_spread(path: PathLike) -> bool:
    """True if a path stands for several files: a folder, a pattern or an index."""
    text = str(path)
    return Path(text).is_dir() or _is_pattern(text) or _index(text) is not None


def model_files(path: PathLike, kind: str) -> list[Path]:
    """The files that a path stands for.

    Args:
        path: a file, a folder, a pattern of file names, or an index (see above).
        kind: ``"parameters"`` or ``"distributions"``.

    Returns:
        list of Path, in the order of their names; a path that is none of the others is itself.

    Raises:
        InvalidInput: there are no such files, or the index cannot be read.
    """
    text = str(path)
    index = _index(text)
    if index is not None:
        return _indexed(*index, kind)
    if Path(text).is_dir():
        folder = _inner(Path(text), kind)
        found = _of_kind(folder.iterdir(), kind)
    elif _is_pattern(text):
        found = _of_kind(map(Path, glob.glob(text)), kind)
    else:
        return [Path(text)]
    if not found:
        names = " or ".join(f"{prefix}*.json" for prefix in PREFIXES[kind])
        what = "it fits no file"
        if Path(text).is_dir():
            what = "is a folder, a file was expected, or files in it"
        raise InvalidInput(f"{what} of {kind} ({names})", text)
    return found


def merge(
    files: Iterable[Path], load: Callable[[Path], Mapping[str, Mapping[str, Any]]]
) -> tuple[Model, dict[tuple[str, str], Path], list[InvalidInput]]:
    """Merge files of {region: {mtype: entry}}.

    Args:
        files: list of Path.
        load: reads and checks one.

    Returns:
        (the merged {region: {mtype: entry}}, {(region, mtype): file}, list of InvalidInput).
        An mtype may be in two files only when both say the same.
    """
    merged: Model = {}
    sources: dict[tuple[str, str], Path] = {}
    problems: list[InvalidInput] = []
    for file in files:
        try:
            data = load(file)
        except InvalidInput as error:
            problems += getattr(error, "problems", [error])
            continue
        for region, mtypes in data.items():
            for mtype, entry in mtypes.items():
                own = merged.setdefault(region, {})
                if mtype in own and repr(own[mtype]) != repr(entry):
                    problems.append(_conflict(file, sources[region, mtype], region, mtype))
                own.setdefault(mtype, entry)
                sources.setdefault((region, mtype), file)
    return merged, sources, problems


def _conflict(file: Path, other: Path, region: str, mtype: str) -> InvalidInput:
    hint = f"Name the files of one species or configuration by a pattern, such as {file.parent}/"
    pattern = "_".join(file.name.split("_")[:3])
    return InvalidInput(
        f"the mtype {mtype!r} of the region {region!r} is another one in {other.name}",
        file,
        f"{hint}{pattern}_*",
    )


def _is_pattern(text: str) -> bool:
    return bool(_PATTERN & set(text)) and not Path(text).exists()


def _of_kind(paths: Iterable[Path], kind: str) -> list[Path]:
    return sorted(
        path
        for path in paths
        if path.name.startswith(PREFIXES[kind]) and path.suffix == ".json" and path.is_file()
    )


def _inner(folder: Path, kind: str) -> Path:
    """The folder itself, or the one below it that synthdb keeps its files in."""
    if _of_kind(folder.iterdir(), kind):
        return folder
    inner = (folder / place for place in INPUTS)
    return next((place for place in inner if place.is_dir()), folder)


def _index(text: str) -> tuple[Path, str] | None:
    """(path of the index, its filters as text), None when it is none."""
    path, _, filters = text.partition("#")
    return (Path(path), filters) if Path(path).suffix.lower() in INDEX_EXTENSIONS else None


def _indexed(path: Path, filters: str, kind: str) -> list[Path]:
    rows = _rows(path)
    wanted = [part.partition("=")[::2] for part in filters.split("&") if part]
    for name, _ in wanted:
        if rows and name not in rows[0]:
            raise InvalidInput(f"the index has no column {name!r}", path, nearest(name, rows[0]))
    chosen = [row for row in rows if all(row[name] == value for name, value in wanted)]
    if not chosen:
        known = some(sorted({row[name] for row in rows for name, _ in wanted}), 12)
        hint = f"There are {known}" if known else None
        raise InvalidInput(f"the index has no row for {filters or 'anything'}", path, hint)
    folder = next(
        (p for p in (path.parent.parent / INPUTS[1], path.parent / INPUTS[2]) if p.is_dir()),
        path.parent,
    )
    names = sorted({row[COLUMNS[kind]] for row in chosen})
    outside = [name for name in names if Path(name).is_absolute() or ".." in Path(name).parts]
    if outside:
        raise InvalidInput(f"the index names files outside of its folder ({some(outside)})", path)
    return [folder / name for name in names]


def _rows(path: Path) -> list[dict[str, str]]:
    """The rows of the index, [{column: text}]."""
    if not path.is_file():
        raise InvalidInput("the index does not exist", path)
    try:
        address = f"{path.absolute().as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(address, uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            found = connection.execute(f"SELECT * FROM {TABLE}").fetchall()
            rows = [{key: str(row[key]) for key in row.keys()} for row in found]  # noqa: SIM118
    except sqlite3.Error as error:
        raise InvalidInput(f"cannot be read as synthdb's index ({error})", path) from error
    missing = set(COLUMNS.values()) - set(rows[0]) if rows else set()
    if missing:
        raise InvalidInput(f"the index has no column {some(sorted(missing))}", path)
    return rows
