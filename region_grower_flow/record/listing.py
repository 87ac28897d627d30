"""The listing of placed morphologies: which files of a folder are ours, and how they were written.

A text file: a first line (JSON) with the folder, as seen from the listing, and the checksum of the
rest; then a line per file: its path below the folder, size, CRC-32 of its content, and the times
and inode of its stamp, with tabs between. A listing that is not as it was written counts for
nothing, and of the names in it only those that lie in the folder.
"""

import contextlib
import filecmp
import json
import multiprocessing
import os
import re
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from region_grower_flow import layout
from region_grower_flow.errors import WorkerFailed
from region_grower_flow.io.atomic import (
    PathLike,
    inside,
    is_plain,
    make_folder,
    write_text_atomic,
)
from region_grower_flow.io.files import stamp

FILES_PER_PROCESS = 100_000
"""Files that one process looks at; more are shared between processes."""

SYNTHESIZED = re.compile(
    rf"(hashed/([0-9a-f]{{2}}/)*)?[0-9a-f]{{32}}\.({'|'.join(layout.MORPHOLOGY_EXTENSIONS)})"
)
"""Names of synthesized morphologies, below their folder."""

_USUAL = re.compile(SYNTHESIZED.pattern.encode()).fullmatch

_LONGEST_HEAD = 20_000
"""Bytes of the first line of a listing, at most."""

UNKNOWN = (0, 0, 0)
"""Times and inode of a file that was not placed yet."""


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
    """Write the listing.

    Args:
        path: of the listing.
        folder: that holds the morphologies.
        files: {path below the folder: (size, crc32)}; sizes and contents of what a run intends to
            write. The stamp is added for files that exist.
    """
    make_folder(Path(path).parent)
    marks = {name: stamp(status)[1:] for name, status in scan(folder, files)}
    lines = []
    for name, (size, crc32) in sorted(files.items()):
        changed, node_changed, inode = marks.get(name, UNKNOWN)
        lines.append(f"{name}\t{size}\t{crc32}\t{changed}\t{node_changed}\t{inode}\n")
    body = "".join(lines)
    head = {"folder": _seen_from(path, folder), "crc32": zlib.crc32(body.encode())}
    write_text_atomic(path, f"{json.dumps(head)}\n{body}", durable=True)


def read_listing(path: PathLike, folder: PathLike) -> dict[str, Any] | None:
    """{path below the folder: (size, crc32, (mtime_ns, ctime_ns, inode))} of a listing.

    None when there is no whole one for this folder.
    """
    head, body = _parts(path)
    if head is None or head.get("folder") != _seen_from(path, folder):
        return None
    files = {}
    try:
        for line in body.decode().splitlines():
            name, size, crc32, *mark = line.split("\t")
            files[name] = (int(size), int(crc32), tuple(map(int, mark)))
    except ValueError:
        return None
    safe = inside(folder, files)
    return (
        files if len(safe) == len(files) else {name: files[name] for name in files if name in safe}
    )


def our_files(path: PathLike, folder: PathLike, staged: PathLike) -> dict[str, Any]:
    """As :func:`read_listing`; where there is no whole listing, what can be known without one.

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
        return listed or {}
    named, recorded = _salvaged(path, folder), _recorded(Path(staged).parent)
    for place in Path(folder).rglob("*"):
        name = place.relative_to(folder).as_posix()
        if name in named or not place.is_file():
            continue
        known = recorded.get(place.name)
        if (known and check_file(place, *known)) or _is_staged(place, name, Path(staged)):
            content = place.read_bytes()
            named[name] = (len(content), zlib.crc32(content), UNKNOWN)
    return {name: named[name] for name in inside(folder, named)}


def renew_listing(path: PathLike, folder: PathLike, staged: PathLike) -> None:
    """Write a listing that is missing or damaged anew, while it can be known what is ours.

    When cells have been grown again, what was placed is no more the same as in the work folder.
    """
    if Path(folder).is_dir() and checksum(path) is None:
        ours = our_files(path, folder, staged)
        if ours:
            write_listing(path, folder, {name: known[:2] for name, known in ours.items()})


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
    head, _ = _parts(path)
    try:
        return Path(path).parent.joinpath(head["folder"]).resolve()
    except (LookupError, TypeError, ValueError, OSError):
        return None


def checksum(path: PathLike) -> int | None:
    """The checksum of a whole listing; None when there is none."""
    head, _ = _parts(path)
    return None if head is None else head["crc32"]


def _parts(path: PathLike) -> Any:
    """The first line and the rest (bytes) of a whole listing, else None and None."""
    try:
        first, _, body = Path(path).read_bytes().partition(b"\n")
        head = json.loads(first)
        whole = isinstance(head, dict) and head.get("crc32") == zlib.crc32(body)
    except (OSError, ValueError, RecursionError):
        return None, None
    return (head, body) if whole else (None, None)


def intact(path: PathLike, folder: PathLike) -> bool:
    """True if there is a listing and every file of it is in the folder as it was written.

    The stamp decides; where it differs, the content. A listing with lines that are none, or with
    names that lead out of the folder, is none.
    """
    head, body = _parts(path)
    if head is None or head.get("folder") != _seen_from(path, folder):
        return False
    return not share_out(lambda part: _changed(folder, part), body.splitlines())


def share_out(find: Callable[[Any], Any], files: Sequence[Any]) -> list[Any]:
    """A function's findings in very many files, of which several processes look at a part each.

    Args:
        find: called with a part of ``files``, returns a list of texts.
        files: a list.
    """
    # The time goes to the system, 5 us a file, or to reading.
    parts = min(os.cpu_count() or 1, -(-len(files) // FILES_PER_PROCESS))
    if parts <= 1 or multiprocessing.current_process().daemon:
        return find(files)
    context = multiprocessing.get_context("fork")
    pipes, children = [], []
    for part in range(parts):
        receiver, sender = context.Pipe(duplex=False)
        child = context.Process(target=_send, args=(sender, find, files[part::parts]))
        child.start()
        sender.close()
        pipes.append(receiver)
        children.append(child)
    found = [_received(pipe) for pipe in pipes]
    for child in children:
        child.join()
    return [name for names in found for name in names]


def _send(sender: Any, find: Callable[[Any], Any], files: Sequence[Any]) -> None:
    sender.send_bytes(json.dumps(find(files)).encode())


def _received(pipe: Any) -> Any:
    try:
        return json.loads(pipe.recv_bytes())
    except EOFError as error:
        raise WorkerFailed("A process that looked at morphologies died. Run again.") from error


def _changed(folder: PathLike, lines: Iterable[bytes]) -> list[str]:
    """The first file that is not as its line says, in a list; an empty one when there is none."""
    from region_grower_flow.io.morphologies import check_file

    place, parent = os.fsencode(folder) + b"/", b""
    # Everything here is done for each of a million files: the line is taken apart no further than
    # its texts, and our usual names are known by their pattern.
    for line in lines:
        try:
            name, size, crc32, mark = line.split(b"\t", 3)
            text, known = name.decode(), (int(size), int(crc32))
        except ValueError:
            return [repr(line)]
        if not _USUAL(name) and not inside(folder, [text]):
            return [text]
        here = name.rpartition(b"/")[0]
        if here != parent and not inside(folder, [text]):
            return [text]
        parent = here
        try:
            found = os.stat(place + name)
        except OSError:
            return [text]
        if found.st_size != known[0]:
            return [text]
        now = b"%d\t%d\t%d" % (found.st_mtime_ns, found.st_ctime_ns, found.st_ino)
        if now != mark and not check_file(os.fsdecode(place + name), *known):
            return [text]
    return []


def _seen_from(path: PathLike, folder: PathLike) -> str:
    """The folder as seen from the listing: both may be moved together."""
    return os.path.relpath(os.path.abspath(folder), os.path.dirname(os.path.abspath(path)))


def synthesized_by_others(folder: PathLike, ours: Collection[str]) -> Iterator[str]:
    """The names of synthesized morphologies in a folder that are not among ``ours``."""
    for root, _, files in os.walk(folder):
        for file in files:
            name = os.path.relpath(os.path.join(root, file), folder)
            if name not in ours and SYNTHESIZED.fullmatch(name):
                yield name


def scan(folder: PathLike, names: Collection[str]) -> Iterator[tuple[str, os.stat_result]]:
    """(name, status) of those of ``names`` that exist; folders are listed, files not looked for."""
    folder = str(folder)
    # Everything here is done for each of a million files.
    parents = {name.rpartition("/")[0] for name in names}
    for parent in sorted(parents):
        prefix = f"{parent}/" if parent else ""
        try:
            with os.scandir(os.path.join(folder, parent)) as entries:
                for entry in entries:
                    name = prefix + entry.name
                    if name in names:
                        yield name, entry.stat()
        except OSError:
            continue
