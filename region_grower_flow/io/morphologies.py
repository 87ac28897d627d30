"""Morphology files: their names and folders, writing all formats, reading and checking."""

from __future__ import annotations

import contextlib
import functools
import os
import random
import re
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from region_grower_flow.errors import InvalidInput, OutputFailed, some
from region_grower_flow.io.atomic import PathLike, make_folder, make_own_folder, write_bytes_atomic
from region_grower_flow.io.documents import require_file
from region_grower_flow.io.files import reading
from region_grower_flow.io.hdf5 import READ_ERRORS, require_own_content
from region_grower_flow.io.morphology_h5 import encode_h5, read_tables
from region_grower_flow.io.morphology_lines import require_lines, require_roots
from region_grower_flow.io.morphology_text import encode_asc, encode_swc
from region_grower_flow.layout import MORPHOLOGY_EXTENSIONS
from region_grower_flow.morphology import FlatMorphology

if TYPE_CHECKING:
    import morphio

FANOUT = 256
"""Folders in a folder below "hashed", named by two hexadecimal digits."""
MIN_FILES_PER_DIR = 256
MAX_DEPTH = 3
HASHED = "hashed"

Written: TypeAlias = dict[str, list[int]]
"""{extension: [size in bytes, CRC-32]} of the files of a morphology."""

_ENCODERS = {"h5": encode_h5, "swc": encode_swc, "asc": encode_asc}
_READ_BYTES = 1 << 20
_READ_ONLY = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC
_MAX_MESSAGE = 300
"""Characters of MorphIO's messages that are told."""
_READ_HINTS = (
    ("h5v2", "Convert it to version 1 of the h5 format, to swc or to asc"),
    ("Unsupported section type", "Use the types 1 soma, 2 axon, 3 basal and 4 apical dendrite"),
    ("Section type changed", "Give all points between two bifurcations the same type"),
    ("Plugin for dynamically loaded", "Write its tables without compression"),
    ("Unable to parse", "Expected on each line, parted by blanks: id type x y z radius parent"),
)
"""Advice for the messages of MorphIO that real files are known to cause."""


def morphology_name(seed: int) -> str:
    """The name of the morphology grown with ``seed`` (32 hexadecimal digits).

    Mirrors region_grower.morph_io.MorphWriter.generate_name.
    """
    return f"{random.Random(int(seed)).getrandbits(128):032x}"


def directory_depth(n_files: int, max_files_per_dir: int | None = None) -> int | None:
    """Levels of folders that keep at most ``max_files_per_dir`` files in one (None: no levels).

    Mirrors region_grower.morph_io.MorphWriter; 0 means all files in the one folder "hashed".

    Raises:
        InvalidInput: the maximum is below 256 where it matters, or would need more than three
            levels.
    """
    if max_files_per_dir is None or n_files < max_files_per_dir:
        return None
    if max_files_per_dir < MIN_FILES_PER_DIR:
        raise InvalidInput(
            f"{max_files_per_dir} files a folder is too few for {n_files}, the least is "
            f"{MIN_FILES_PER_DIR}",
            where="option max_files_per_dir",
        )
    depth, capacity = 0, max_files_per_dir
    while capacity < n_files:
        depth, capacity = depth + 1, capacity * FANOUT
    if depth > MAX_DEPTH:
        raise InvalidInput(
            f"{n_files} files with {max_files_per_dir} a folder need {depth} levels of folders, "
            f"the most is {MAX_DEPTH}",
            where="option max_files_per_dir",
            hint="raise it",
        )
    return depth


def relative_stem(name: str, depth: int | None = None) -> str:
    """The path of a morphology below the output folder, without extension: hashed/0a/b1/name."""
    if depth is None:
        return name
    return "/".join([HASHED, *(name[2 * k : 2 * k + 2] for k in range(depth)), name])


def encode(morphology: FlatMorphology, extension: str) -> bytes:
    """The content of a morphology file of the kind ``extension`` (of MORPHOLOGY_EXTENSIONS).

    Raises:
        DropCell: no such file can hold this morphology.
    """
    return _ENCODERS[extension](morphology)


def write_morphology(
    folder: PathLike, stem: str, morphology: FlatMorphology, extensions: Iterable[str]
) -> Written:
    """Write a morphology in all formats asked, each file whole or not at all.

    Args:
        folder: the output folder.
        stem: path of the file below it without extension (see :func:`relative_stem`).
        morphology: FlatMorphology, usually in NEURON's order.
        extensions: some of MORPHOLOGY_EXTENSIONS.

    Returns:
        {extension: [size in bytes, CRC-32]}

    Raises:
        DropCell: a format cannot hold this morphology.
        OutputFailed: a file cannot be written.
    """
    # All are made before the first is written: a cell that fails leaves nothing behind.
    contents = {extension: encode(morphology, extension) for extension in extensions}
    return write_contents(folder, stem, contents)


def write_contents(
    folder: PathLike, stem: str, contents: Mapping[str, bytes | memoryview]
) -> Written:
    """Write the files of a morphology, each whole or not at all.

    Args:
        folder, stem: as :func:`write_morphology`.
        contents: {extension: bytes-like}.

    Returns:
        {extension: [size in bytes, CRC-32]}

    Raises:
        OutputFailed: a file cannot be written.
    """
    below = str(stem).rpartition("/")[0]
    if below:
        _make_once(str(folder), below)
    written = {}
    for extension, content in contents.items():
        path = f"{folder}/{stem}.{extension}"
        try:
            write_bytes_atomic(path, content)
        except OutputFailed as error:
            # Whether the folder is there now says nothing: another rank may just have made it.
            if not isinstance(error.__cause__, FileNotFoundError):
                raise
            make_folder(os.path.dirname(path))
            write_bytes_atomic(path, content)
        written[extension] = [len(content), zlib.crc32(content)]
    return written


@functools.cache
def _make_once(folder: str, below: str) -> None:
    """Make a folder below that of the morphologies; none on the way may be a link out of it."""
    make_own_folder(folder, below)


def check_file(path: PathLike | bytes, size: int, crc32: int, folder: int | None = None) -> bool:
    """True if the file at ``path`` has this size and content (False when it cannot be read).

    The path begins in the folder of this descriptor, where one is given.
    """
    # Without Python's file objects, which take longer than to read a cell.
    try:
        descriptor = os.open(path, _READ_ONLY, dir_fd=folder)
    except (OSError, ValueError):
        return False
    try:
        count = found = 0
        while count <= size:
            most = min(size + 1 - count, _READ_BYTES)
            block = os.read(descriptor, most)
            count += len(block)
            found = zlib.crc32(block, found)
            # The end, without another read that would give nothing.
            if not block or (count == size and len(block) < most):
                break
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return count == size and found == crc32


def read_morphology(path: PathLike, require_diameters: bool = False) -> FlatMorphology:
    """Read a morphology file as FlatMorphology.

    Args:
        path: the file.
        require_diameters: refuse points of diameter zero, which are common in tracings.

    Raises:
        InvalidInput: the file is missing, of another kind, or not a sound morphology (sections
            without points, values that are not finite).
    """
    morphology = load_morphology(path)
    _require_finite(morphology, path)
    without = np.count_nonzero(morphology.diameters == 0)
    if require_diameters and without:
        raise InvalidInput(
            f"{without} of its {len(morphology.diameters)} points have the diameter 0", where=path
        )
    return morphology


def load_morphology(path: PathLike) -> FlatMorphology:
    """The content of a morphology file as a FlatMorphology; its numbers are not checked.

    Raises:
        InvalidInput: the file is missing, of another kind, or MorphIO cannot read it.
    """
    with _reading(path, Path(path)):
        return FlatMorphology.from_morphio(open_morphology(path))


def open_morphology(path: PathLike) -> morphio.Morphology:
    """A morphology file as :class:`morphio.Morphology`: its numbers may be anything.

    Raises:
        InvalidInput: the file is missing, of another kind, or MorphIO cannot read it.
    """
    import morphio

    path = Path(path)
    expected = f"expected {', '.join('.' + known for known in MORPHOLOGY_EXTENSIONS)}"
    require_file(path, MORPHOLOGY_EXTENSIONS, "morphology file", expected)
    with reading(path), _reading(path, path):
        kind = path.suffix.lower()
        if kind == ".h5":
            _check_tables(path)
        else:
            require_lines(path)
        morphology = morphio.Morphology(str(path), **without_warnings())
        if kind == ".swc":
            require_roots(path)
        return morphology


def load_from_container(path: PathLike, name: str) -> FlatMorphology:
    """A morphology of a container, as MorphIO reads it: see :func:`load_morphology`.

    Raises:
        InvalidInput: there is no such morphology, or MorphIO cannot read it.
    """
    import h5py
    import morphio

    with _reading(f"{path}, {name}", Path(path)):
        with h5py.File(path, "r") as file:
            read_tables(file[name])
        return FlatMorphology.from_morphio(morphio.Collection(str(path)).load(name))


@contextlib.contextmanager
def _reading(where: object, path: Path) -> Iterator[None]:
    """Turn what reading a morphology raises into an InvalidInput."""
    import morphio

    try:
        yield
    except InvalidInput as error:
        if error.where is not None:
            raise
        raise InvalidInput(f"not a readable morphology: {error.problem}", where) from error
    except (morphio.MorphioError, *READ_ERRORS) as error:
        message = _one_line(error, path)
        hint = next((hint for sign, hint in _READ_HINTS if sign in message), None)
        raise InvalidInput(f"not a readable morphology: {message}", where, hint) from error


def _check_tables(path: Path) -> None:
    import h5py

    with h5py.File(path, "r") as file:
        require_own_content(file, path)
        # Other versions of the format have other tables: MorphIO says so.
        if "points" in file and "structure" in file:
            read_tables(file)


def without_warnings() -> dict[str, Any]:
    """Keywords that keep MorphIO's warnings, on stderr with color codes, from the terminal."""
    import morphio

    if hasattr(morphio, "WarningHandlerCollector"):
        return {"warning_handler": morphio.WarningHandlerCollector()}
    # MorphIO before 3.4 knows no handler for one call, only a limit for all.
    morphio.set_maximum_warnings(0)
    return {}


def _require_finite(morphology: FlatMorphology, path: object) -> None:
    for what in ("points", "diameters", "soma_points", "soma_diameters"):
        finite = np.isfinite(getattr(morphology, what))
        bad = np.flatnonzero(~(finite.all(axis=1) if finite.ndim == 2 else finite))
        if len(bad):
            kind = what.replace("_", " ")
            raise InvalidInput(
                f"{len(bad)} of its {kind} are not finite (number {some(bad, 3)})", where=path
            )
    if (morphology.diameters < 0).any():
        raise InvalidInput("it has negative diameters", where=path)


def _one_line(error: Exception, path: Path) -> str:
    """MorphIO's message in one line, without color codes and the path that we name anyway."""
    text = re.sub(r"\x1b\[[0-9;]*m", "", str(error))
    text = re.sub(r"(?m)^Error in .*$", "", text)
    text = re.sub(rf"{re.escape(str(path))}:(\d+):error", r"at line \1:", text)
    text = text.replace(str(path), path.name)
    return " ".join(text.split())[:_MAX_MESSAGE].strip(" :") or type(error).__name__
