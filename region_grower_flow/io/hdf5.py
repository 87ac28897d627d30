"""HDF5 files that are written whole or not at all, even when the disk gets full.

When a write fails, HDF5 (1.14 and 2.0) cannot close its file any more and ends the process with a
segmentation fault. So it writes through a file object that notes the failure, keeps what could
not be written in memory, and lets HDF5 close in peace; the failure is raised then.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, BinaryIO

from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.atomic import PathLike, atomic_write

if TYPE_CHECKING:
    import h5py

READ_ERRORS = (
    OSError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    RuntimeError,
    OverflowError,
    MemoryError,
)
"""Errors that h5py, and what builds on it, raise for damaged files and inconsistent tables."""
LARGE = 1 << 28
"""Bytes of a dataset from which on what it claims is compared with what the file holds."""
_META_BLOCK = 1 << 16
MOST_COMPRESSED = 1100
"""A ratio of compression beyond the best that deflate can reach (1032)."""


def require_held(dataset: h5py.Dataset, where: object) -> None:
    """Raise InvalidInput when ``dataset`` claims far more values than its file can hold.

    A damaged or hostile file claims terabytes in a few bytes: to be asked before they are read.
    """
    held = dataset.id.get_storage_size()
    if dataset.nbytes > LARGE and held * MOST_COMPRESSED < dataset.nbytes:
        raise InvalidInput(
            f"{dataset.name.rsplit('/', 1)[-1]!r} claims {dataset.size} values, but the file does "
            "not hold as many",
            where=where,
        )
    if dataset.size and not (held and _has_all_chunks(dataset)):
        # HDF5 would fill in zeros.
        problem = f"the values of {dataset.name.rsplit('/', 1)[-1]!r} were never written"
        raise InvalidInput(problem, where, "write them, zeros too")


def _has_all_chunks(dataset: h5py.Dataset) -> bool:
    if dataset.chunks is None:
        return True
    sizes = zip(dataset.shape, dataset.chunks, strict=True)
    return dataset.id.get_num_chunks() >= math.prod(-(-size // chunk) for size, chunk in sizes)


def require_own_content(file: h5py.File, where: object) -> None:
    """Refuse an HDF5 file of which a part is in other files: nobody would see when these change.

    Links to other files, virtual datasets of other files (with zeros where such a file is missing),
    and datasets whose values are kept outside.

    Args:
        file: the open h5py.File.
        where: of the message.

    Raises:
        InvalidInput
    """
    import h5py

    links: list[tuple[bytes, int]] = []
    places: Iterable[tuple[str, str]]
    # Nothing is opened meanwhile: h5py does not survive errors within this call.
    file.id.links.visit(lambda name, link: links.append((name, link.type)), info=True)
    for name, kind in links:
        if kind == h5py.h5l.TYPE_EXTERNAL:
            other = file.id.links.get_val(name)[0].decode(errors="replace")
            places = [("a link to another file", other)]
        else:
            item = file[name] if kind == h5py.h5l.TYPE_HARD else None
            places = _places_outside(item) if isinstance(item, h5py.Dataset) else ()
        for what, other in places:
            raise InvalidInput(
                f"{name.decode(errors='replace')!r} is {what} ({other})",
                where,
                "copy its values into the file",
            )


def _places_outside(dataset: h5py.Dataset) -> Iterator[tuple[str, str]]:
    if dataset.is_virtual:
        others = {source.file_name for source in dataset.virtual_sources()} - {"."}
        yield from (("a virtual dataset of another file", other) for other in sorted(others))
    elif dataset.external:
        yield from (("kept in another file", str(place[0])) for place in dataset.external)


@contextlib.contextmanager
def hdf5_file(path: PathLike) -> Iterator[tuple[h5py.File, Callable[[], None]]]:
    """Yield (h5py.File, check) for a new file that becomes ``path`` when the block ends well.

    ``check()`` raises what has gone wrong so far: to be called now and then by who writes much.

    Raises:
        OutputFailed: the file cannot be written; an earlier one is unharmed.
    """
    import h5py

    with atomic_write(path) as temporary, open(temporary, "x+b", buffering=0) as raw:
        guarded = GuardedFile(raw)
        # Metadata in larger blocks: many small groups are written in half as many calls.
        with h5py.File(guarded, "w", meta_block_size=_META_BLOCK) as file:
            yield file, guarded.check
        guarded.check()


class GuardedFile:
    """The methods of a binary file that h5py needs; it never fails to write.

    Attributes:
        failure: the OSError of the first write that failed, or None.
    """

    def __init__(self, raw: BinaryIO) -> None:
        self._descriptor = raw.fileno()
        self._position = 0
        self._held: list[tuple[int, bytes]] = []
        self.failure: OSError | None = None

    def check(self) -> None:
        """Raise the failure, if there is one."""
        if self.failure is not None:
            raise self.failure

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to ``offset``; HDF5 asks for the end once, when it opens the file."""
        if whence == os.SEEK_END:
            offset += os.fstat(self._descriptor).st_size
        elif whence == os.SEEK_CUR:
            offset += self._position
        self._position = offset
        return offset

    def tell(self) -> int:
        """The position."""
        return self._position

    def write(self, data: bytes | memoryview) -> int:
        """Write all of ``data``, or keep it in memory once the file has failed."""
        view = memoryview(data).cast("B")
        start, written = self._position, 0
        self._position += len(view)
        if self.failure is None:
            try:
                while written < len(view):
                    written += os.pwrite(self._descriptor, view[written:], start + written)
            except OSError as error:
                self.failure = error
        if written < len(view):
            self._held.append((start + written, bytes(view[written:])))
        return len(view)

    def readinto(self, buffer: bytearray | memoryview) -> int:
        """Fill ``buffer`` from here on, with zeros beyond the end."""
        view = memoryview(buffer).cast("B")
        start = self._position
        self._position += len(view)
        content = os.pread(self._descriptor, len(view), start)
        view[:] = content + bytes(len(view) - len(content))
        for place, held in self._held:
            first, last = max(place, start), min(place + len(held), start + len(view))
            if first < last:
                view[first - start : last - start] = held[first - place : last - place]
        return len(view)

    def read(self, size: int) -> bytes:
        """The next ``size`` bytes."""
        buffer = bytearray(size)
        self.readinto(buffer)
        return bytes(buffer)

    def truncate(self, size: int) -> int:
        """Set the length of the file."""
        if self.failure is None:
            try:
                os.ftruncate(self._descriptor, size)
            except OSError as error:
                self.failure = error
        return size

    def flush(self) -> None:
        """Do nothing: writes are not buffered."""
