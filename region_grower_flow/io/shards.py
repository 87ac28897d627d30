"""Shards: files to which a process appends the cells that it grows, instead of a file a cell.

What is appended is a whole HDF5 morphology file (its image). The record of a cell says where its
image is: the shard, the first byte, the size and the CRC-32. Nothing else tells what a shard holds,
so bytes that no record names (of a cell during which the process was killed) are nobody's.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

from region_grower_flow import layout
from region_grower_flow.io.atomic import PathLike, make_own_folder, remove_own, writing

Place: TypeAlias = tuple[str, int, int, int]
"""Where an image is: path of the shard below the folder of all, first byte, size, CRC-32."""

MOST_OPEN = 64
"""Shards that are open at a time to be read."""


class Shard:
    """The shard of this process, made when the first image is appended.

    Args:
        root: the folder of all shards.
        chunk: the folder below it: that of the cells' chunk.
    """

    def __init__(self, root: PathLike, chunk: str) -> None:
        self._root, self._chunk = root, chunk
        self._process, self._end = 0, 0
        self._file: Any = None
        self._name = ""

    def append(self, image: Any) -> Place:
        """Append an image (bytes-like); returns where it is now.

        An image that is not written whole, since the disk is full or the cell's time is over, is
        written over by the next one.

        Raises:
            OutputFailed
        """
        if self._process != os.getpid():  # a forked process has a shard of its own
            self._begin()
        place = (self._name, self._end, len(image), zlib.crc32(image))
        with writing(os.path.join(self._root, self._name)):
            view, start = memoryview(image), self._end
            while len(view):
                written = os.pwrite(self._file.fileno(), view, start)
                view, start = view[written:], start + written
        self._end = start
        return place

    def _begin(self) -> None:
        self._name = f"{self._chunk}/{secrets.token_hex(8)}{layout.SHARD}"
        path = os.path.join(make_own_folder(self._root, self._chunk), os.path.basename(self._name))
        with writing(path):
            # Without a buffer; closed with the last cell's Synthesizer.
            self._file = open(path, "xb", buffering=0)  # noqa: SIM115
        self._process, self._end = os.getpid(), 0


class ShardReader:
    """Reads images from the shards of a folder; to be closed.

    Args:
        root: the folder of all shards.
    """

    def __init__(self, root: PathLike) -> None:
        self._root = root
        self._open: dict[str, int] = {}

    def __enter__(self) -> ShardReader:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the shards."""
        while self._open:
            os.close(self._open.popitem()[1])

    def read(self, place: Place) -> bytes | None:
        """The image at a place; None when it is not there as it was written."""
        name, start, size, crc32 = place
        try:
            descriptor = self._descriptor(name)
            # Before memory is taken: a record may say anything.
            if size > os.fstat(descriptor).st_size:
                return None
            image = os.pread(descriptor, size, start)
        except (OSError, OverflowError):
            return None
        return image if len(image) == size and zlib.crc32(image) == crc32 else None

    def _descriptor(self, name: str) -> int:
        """The open shard; raises OSError."""
        known = self._open.get(name)
        if known is not None:
            return known
        if len(self._open) >= MOST_OPEN:
            self.close()
        path = shard_path(self._root, name)
        if path is None:
            raise FileNotFoundError(name)
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        self._open[name] = os.open(path, flags)
        return self._open[name]


def shard_path(root: PathLike, name: str) -> Path | None:
    """The path of a shard that a record names; None for what is no name of one, or a link."""
    folder, _, file = name.partition("/")
    if not (layout.chunk_range(folder) and layout.SHARD_NAME.fullmatch(file)):
        return None
    path = Path(root, folder, file)
    return None if path.parent.is_symlink() or path.is_symlink() else path


def holds(root: PathLike, place: Place) -> bool:
    """True if a shard is long enough to hold what a record names; it is not read."""
    path = shard_path(root, place[0])
    try:
        return path is not None and path.stat().st_size >= place[1] + place[2]
    except OSError:
        return False


def ends(places: Iterable[Place]) -> dict[str, int]:
    """{shard: bytes up to the end of the last image} of some places."""
    found: dict[str, int] = {}
    for name, start, size, _ in places:
        found[name] = max(found.get(name, 0), start + size)
    return found


def _has_waste(path: Path, length: int) -> bool:
    """True if a shard is longer, and no other work folder has it as well (``cp -al``)."""
    stat = path.stat()
    return stat.st_size > length and stat.st_nlink == 1


def trim(root: PathLike, chunk: str, needed: Mapping[str, int]) -> None:
    """Cut off what no record names at the ends of a chunk's shards, and remove the others of them.

    Args:
        root: the folder of all shards.
        chunk: the chunk's name; no process may be appending to its shards.
        needed: {shard: bytes} of all records that name them, see :func:`ends`.

    Raises:
        OutputFailed
    """
    folder = Path(root, chunk)
    if folder.is_symlink() or not folder.is_dir():
        return
    for file in sorted(os.listdir(folder)):
        path = shard_path(root, f"{chunk}/{file}")
        if path is None:
            continue
        length = needed.get(f"{chunk}/{file}", 0)
        if not length:
            remove_own(path)
        elif path.is_file() and _has_waste(path, length):
            with writing(path):
                os.truncate(path, length)
    with contextlib.suppress(OSError):
        folder.rmdir()
