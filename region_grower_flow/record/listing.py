"""The listing of placed morphologies: which files of a folder are ours, and how they were written.

A text file: a first line (JSON) with the folder, as seen from the listing, and the checksum of the
rest; then a line per file: its path below the folder, size, CRC-32 of its content, and the times
and inode of its stamp, with tabs between. A listing that is not as it was written counts for
nothing, and of the names in it only those that lie in the folder.
"""

import contextlib
import filecmp
import itertools
import json
import multiprocessing
import os
import zlib
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from region_grower_flow import layout
from region_grower_flow.errors import WorkerFailed
from region_grower_flow.io.atomic import PathLike, atomic_write, is_plain, make_folder
from region_grower_flow.io.csv_files import number_rows
from region_grower_flow.record.file_table import ABSENT, FileTable, known_marks, parents, scan

FILES_PER_PROCESS = 100_000
"""Files that one process looks at; more are shared between processes."""

_LONGEST_HEAD = 20_000
"""Bytes of the first line of a listing, at most."""

UNKNOWN = (0, 0, 0)
"""Times and inode of a file that was not placed yet."""

READ_BYTES = 1 << 20
"""Bytes of a listing that are read at a time."""

_LINE = b"%b\t%b\n"
_FIELDS = 6
"""Number of values in a line, with tabs between."""


def placed_listing(work: PathLike, folder: PathLike) -> Path:
    """Path of the listing of the morphologies that a work folder has placed in a folder.

    Configurations with outputs of their own may share a work folder: the listing of the first
    folder of morphologies bears the plain name, those of others have names made of theirs.
    """
    first = Path(work, layout.MANIFESTS, layout.LISTING)
    mark = zlib.crc32(os.fsencode(os.path.relpath(os.path.abspath(folder), os.path.abspath(work))))
    own = first.with_name(f"{first.stem}-{mark:08x}{first.suffix}")
    if own.exists():
        return own
    try:
        with open(first, "rb") as file:
            head = json.loads(file.readline(_LONGEST_HEAD))
        return first if head["folder"] == _seen_from(first, folder) else own
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return first  # there is none, or it is damaged and will be written anew


def write_listing(path: PathLike, folder: PathLike, files: Mapping[str, Any]) -> None:
    """Write the listing of files with the marks that they have now.

    Args:
        path: of the listing.
        folder: that holds the morphologies.
        files: {path below the folder: (size, crc32)}, best a FileTable.
    """
    table = FileTable.of(files)
    marks = scan(folder, table.names)[:, 1:]
    write_intended(path, folder, table.with_marks(np.maximum(marks, 0)))


def write_intended(path: PathLike, folder: PathLike, table: FileTable) -> None:
    """Write the listing of files that a run intends to have, with the marks that they are known by.

    Of a file that is another by now the mark differs, so that its content is looked at.
    """
    make_folder(Path(path).parent)
    seen = _seen_from(path, folder)
    # The checksum is known at the end: blanks keep its place.
    width = len(_head(seen, 0xFFFFFFFF))
    with atomic_write(path, durable=True) as temporary, open(temporary, "wb") as file:
        file.write(b" " * width + b"\n")
        crc32 = 0
        for lines in _lines(table):
            crc32 = zlib.crc32(lines, crc32)
            file.write(lines)
        file.seek(0)
        file.write(_head(seen, crc32).ljust(width))


def _head(seen: str, crc32: int) -> bytes:
    return json.dumps({"folder": seen, "crc32": crc32}).encode()


def _lines(table: FileTable) -> Iterator[bytes]:
    marks = known_marks(table)
    for batch in table.batches():
        numbers = np.column_stack([table.sizes[batch], table.crcs[batch], marks[batch]])
        rows = number_rows(numbers.astype(np.int64), b"\t")
        yield b"".join(map(_LINE.__mod__, zip(table.names[batch].tolist(), rows, strict=True)))


def read_listing(path: PathLike, folder: PathLike) -> FileTable | None:
    """The FileTable of a listing: {path below the folder: (size, crc32, mark)}.

    None when there is no whole one for this folder.
    """
    head = _whole_head(path)
    if head is None or head.get("folder") != _seen_from(path, folder):
        return None
    try:
        return _parsed(path).inside(folder)
    except (OSError, ValueError, OverflowError):
        return None


def _parsed(path: PathLike) -> FileTable:
    """The files of a whole listing; raises OSError, ValueError, OverflowError."""
    names, numbers = [], []
    with open(path, "rb") as file:
        file.readline()
        while lines := file.readlines(READ_BYTES):
            fields = b"".join(lines).replace(b"\n", b"\t").split(b"\t")[:-1]
            if len(fields) != _FIELDS * len(lines):
                raise ValueError("not a line per file")
            names.append(np.array(fields[::_FIELDS], dtype=np.bytes_))
            columns = [list(map(int, fields[column::_FIELDS])) for column in range(1, _FIELDS)]
            numbers.append(np.array(columns, dtype=np.int64).T)
    if not names:
        return FileTable.of({})
    values = np.concatenate(numbers)
    crcs = values[:, 1].astype(np.uint32)
    return FileTable(np.concatenate(names), values[:, 0].copy(), crcs, values[:, 2:].copy())


def our_files(path: PathLike, folder: PathLike, staged: PathLike) -> FileTable:
    """The files of :func:`read_listing`, or those that are known where there is no whole listing.

    Those files count as ours that a damaged listing, or a record of a cell, names with the checksum
    that they have, and those that are the same as one in the work folder. Their stamps are not
    known.

    Args:
        path: of the listing.
        folder: that holds the morphologies.
        staged: the folder of the morphologies in the work folder.
    """
    from region_grower_flow.io.morphologies import check_file

    listed = read_listing(path, folder)
    if listed is not None or not os.path.isdir(folder):
        return FileTable.of({}) if listed is None else listed
    named, recorded = _salvaged(path, folder), _recorded(Path(staged).parent)
    for place in Path(folder).rglob("*"):
        name = place.relative_to(folder).as_posix()
        if name in named or not place.is_file():
            continue
        known = recorded.get(place.name)
        if (known and check_file(place, *known)) or _is_staged(place, name, Path(staged)):
            content = place.read_bytes()
            named[name] = (len(content), zlib.crc32(content), UNKNOWN)
    return FileTable.of(named).inside(folder)


def renew_listing(path: PathLike, folder: PathLike, staged: PathLike) -> None:
    """Write a listing that is missing or damaged anew, while it can be known what is ours.

    When cells have been grown again, what was placed is no more the same as in the work folder.
    """
    if Path(folder).is_dir() and checksum(path) is None:
        ours = our_files(path, folder, staged)
        if ours:
            write_listing(path, folder, ours)


def _salvaged(path: PathLike, folder: PathLike) -> dict[str, Any]:
    """The files that a damaged listing names and that are as it says."""
    from region_grower_flow.io.morphologies import check_file

    try:
        lines = Path(path).read_text(encoding="utf-8", errors="replace").split("\n")[1:]
    except OSError:
        return {}
    named: dict[str, Any] = {}
    for line in lines:
        name, *numbers = line.split("\t")
        if is_plain(name) and len(numbers) >= 2 and all(n.isdecimal() for n in numbers[:2]):
            known = tuple(map(int, numbers[:2]))
            if check_file(Path(folder, name), *known):
                named[name] = (*known, UNKNOWN)
    return named


def _recorded(work: Path) -> dict[str, tuple[int, int]]:
    """{name of a file: (size, crc32)} of the morphologies in the records of a work folder."""
    from region_grower_flow.record.tables import whole_records

    return {
        f"{os.path.basename(record['name'])}.{extension}": (size, crc32)
        for table in (work / layout.CHUNKS).glob("*.jsonl")
        for record in whole_records(table)[0]
        for extension, (size, crc32) in (record.get("files") or {}).items()
    }


def _is_staged(place: Path, name: str, staged: Path) -> bool:
    for source in (staged / name, staged / place.name):
        with contextlib.suppress(OSError):
            return place.samefile(source) or filecmp.cmp(place, source, shallow=False)
    return False


def read_folder(path: PathLike) -> Path | None:
    """The folder of a listing's files, resolved; None when there is no whole listing."""
    head = _whole_head(path)
    try:
        return None if head is None else Path(path).parent.joinpath(head["folder"]).resolve()
    except (LookupError, TypeError, ValueError, OSError):
        return None


def checksum(path: PathLike) -> int | None:
    """The checksum of a whole listing; None when there is none."""
    head = _whole_head(path)
    return None if head is None else head["crc32"]


def _whole_head(path: PathLike) -> dict[str, Any] | None:
    """The first line of a listing that is as it was written, else None."""
    try:
        with open(path, "rb") as file:
            head = json.loads(file.readline(_LONGEST_HEAD))
            crc32 = 0
            while block := file.read(READ_BYTES):
                crc32 = zlib.crc32(block, crc32)
    except (OSError, ValueError, RecursionError):
        return None
    return head if isinstance(head, dict) and head.get("crc32") == crc32 else None


def intact(path: PathLike, folder: PathLike) -> bool:
    """True if there is a listing and every file of it is in the folder as it was written.

    The stamp decides; where it differs, the content. A listing with lines that are none, or with
    names that lead out of the folder, is none.
    """
    head = _whole_head(path)
    if head is None or head.get("folder") != _seen_from(path, folder):
        return False
    try:
        listed = _parsed(path)
    except (OSError, ValueError, OverflowError):
        return False
    if len(listed.inside(folder)) < len(listed):
        return False
    return not share_out(lambda part: _changed(folder, listed.rows(part)), len(listed))


def remove_listed(path: PathLike, folder: PathLike) -> None:
    """Remove the morphologies of a listing, the folders that they leave empty, and the listing.

    Files that are others than they were written stay, and the listing with them: it knows them.
    """
    listed = read_listing(path, folder)
    if listed is None:
        return
    ours = np.ones(len(listed), dtype=bool)
    ours[list(_differing(folder, listed))] = False
    for name in filter(layout.SYNTHESIZED.fullmatch, listed.rows(ours)):
        with contextlib.suppress(OSError):
            os.unlink(Path(folder, name))
    for below in _folders_of(listed.names):
        with contextlib.suppress(OSError):
            os.rmdir(Path(folder, below))
    if (scan(folder, listed.names)[:, 0] == ABSENT).all():
        Path(path).unlink(missing_ok=True)


def _folders_of(names: np.ndarray) -> list[Path]:
    """All folders that some names (bytes) lie in, those that are deep in others first."""
    lowest = set(map(Path, parents(names)))
    found = {above for folder in lowest for above in (folder, *folder.parents)}
    return sorted(found, key=lambda folder: len(folder.parts), reverse=True)


def share_out(find: Callable[[slice], list[str]], count: int) -> list[str]:
    """A function's findings in very many files, of which several processes look at a part each.

    Args:
        find: called with a slice of the files' numbers.
        count: of the files.
    """
    # The time goes to the system, 5 us a file, or to reading.
    parts = min(os.cpu_count() or 1, -(-count // FILES_PER_PROCESS))
    if parts <= 1 or multiprocessing.current_process().daemon:
        return find(slice(None))
    context = multiprocessing.get_context("fork")
    pipes, children = [], []
    for part in range(parts):
        own = slice(part * count // parts, (part + 1) * count // parts)
        receiver, sender = context.Pipe(duplex=False)
        child = context.Process(target=_send, args=(sender, find, own))
        child.start()
        sender.close()
        pipes.append(receiver)
        children.append(child)
    found = [_received(pipe) for pipe in pipes]
    for child in children:
        child.join()
    return [name for names in found for name in names]


def _send(sender: Any, find: Callable[[slice], list[str]], part: slice) -> None:
    sender.send_bytes(json.dumps(find(part)).encode())


def _received(pipe: Any) -> Any:
    try:
        return json.loads(pipe.recv_bytes())
    except EOFError as error:
        raise WorkerFailed("A process that looked at morphologies died. Run again.") from error


def _changed(folder: PathLike, files: FileTable) -> list[str]:
    """The first file that is not as it was written, in a list; an empty one when there is none."""
    return [files.names[row].decode() for row in itertools.islice(_differing(folder, files), 1)]


def _differing(folder: PathLike, files: FileTable) -> Iterator[int]:
    """The rows of files that are not there as they were written."""
    from region_grower_flow.io.morphologies import check_file

    stamps = scan(folder, files.names)
    other_size = stamps[:, 0] != files.sizes
    doubtful = other_size | (stamps[:, 1:] != known_marks(files)).any(axis=1)
    for row in np.flatnonzero(doubtful).tolist():
        name = files.names[row].decode()
        size, crc32 = int(files.sizes[row]), int(files.crcs[row])
        if other_size[row] or not check_file(f"{folder}/{name}", size, crc32):
            yield row


def _seen_from(path: PathLike, folder: PathLike) -> str:
    """The folder as seen from the listing: both may be moved together."""
    return os.path.relpath(os.path.abspath(folder), os.path.dirname(os.path.abspath(path)))


def synthesized_by_others(folder: PathLike, ours: Collection[str]) -> Iterator[str]:
    """The names of synthesized morphologies in a folder that are not among ``ours``."""
    for root, _, files in os.walk(folder):
        for file in files:
            name = os.path.relpath(os.path.join(root, file), folder)
            if name not in ours and layout.SYNTHESIZED.fullmatch(name):
                yield name
