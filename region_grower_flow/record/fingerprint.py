"""Fingerprints: what a result was made from, as a hash. Knows nothing of Luigi.

A stage's fingerprint covers the stage and its version, its significant parameters, the fingerprints
of the stages above it, the contents of the external files that it reads, and the versions of the
packages that affect results. A stage is complete only when its manifest bears today's fingerprint.
"""

import functools
import hashlib
import importlib.metadata
import json
import math
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.files import digest_file, stamp

RESULT_PACKAGES = (
    "neurots",
    "tmd",
    "neurom",
    "morphio",
    "diameter-synthesis",
    "voxcell",
    "numpy",
    "scipy",
    "numba",
    "llvmlite",
    "h5py",
    "pynrrd",
    "trimesh",
)
"""Packages whose version can change a morphology or a parameter."""


def canonical_json(value: object) -> bytes:
    """The one JSON text (bytes) of a value: sorted keys, no spaces, NaN spelled out.

    Raises:
        TypeError: the value holds something that JSON cannot.
    """
    return _ENCODER.encode(_plain(value)).encode(errors="surrogatepass")


def plain_json(value: object) -> bytes:
    """:func:`canonical_json` of a value that is JSON already: lists, str keys, no NaN; for speed.

    Raises:
        TypeError, ValueError: the value is no such value.
    """
    return _ENCODER.encode(value).encode()


_ENCODER = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "tolist"):
        return _plain(value.tolist())
    if isinstance(value, float) and not math.isfinite(value):
        return {"float": repr(value)}
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    return value


def digest_of(value: object) -> str:
    """SHA-256 (hex) of a value's canonical JSON."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def with_check(content: Mapping[str, Any]) -> dict[str, Any]:
    """The content of a JSON file of ours, with a checksum of it."""
    return {**content, "check": digest_of(content)}


def read_checked(path: PathLike) -> dict[str, Any] | None:
    """The content of a file with a checksum; None: it is missing, or not as it was written."""
    try:
        content = json.loads(Path(path).read_text(encoding="utf-8"))
        check = content.pop("check")
        return content if digest_of(content) == check else None
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return None


def package_versions(packages: Iterable[str] = RESULT_PACKAGES) -> dict[str, str | None]:
    """{package: version or None} of what is installed."""
    return {package: _version(package) for package in packages}


@functools.cache
def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


@dataclass
class FileDigests:
    """Digests of files, remembered by path and stamp (see :mod:`region_grower_flow.io.files`).

    Attributes:
        path: the JSON file that remembers them between runs, or None.
    """

    path: Path | None = None
    _known: dict[str, list[Any]] | None = field(default=None, repr=False)
    _changed: bool = field(default=False, repr=False)

    def digest(self, path: PathLike) -> str:
        """SHA-256 (hex) of a file, or of a folder's files with their names.

        Raises:
            InvalidInput: the file is missing or cannot be read.
        """
        path = Path(path)
        known = self.known(path)
        if path in known:
            return known[path][-1]
        return digest_of({str(p.relative_to(path)): one[-1] for p, one in known.items()})

    def known(self, path: PathLike) -> dict[Path, list[Any]]:
        """{path: [*stamp, digest]} of a file, or of all files of a folder.

        Raises:
            InvalidInput: one is missing or cannot be read.
        """
        path = Path(path)
        try:
            if path.is_dir():
                return {p: self._file(p) for p in sorted(path.rglob("*")) if p.is_file()}
            return {path: self._file(path)}
        # ValueError: a NUL in the path; RuntimeError: a loop of links (before Python 3.13).
        except (OSError, ValueError, RuntimeError) as error:
            problem = f"cannot be read ({getattr(error, 'strerror', None) or error})"
            raise InvalidInput(problem, path, "check the path and its permissions") from error

    def news(self) -> dict[str, Any] | None:
        """The content that ``path`` should get if something has been learned since, else None."""
        return with_check({"files": self._known}) if self._changed else None

    def _file(self, path: Path) -> list[Any]:
        key = str(path.resolve())
        known = self._memory().get(key)
        if known is None or known[:-1] != stamp(path.stat()):
            mark, digest = digest_file(path)
            known = self._memory()[key] = [*mark, digest]
            self._changed = True
        return known

    def _memory(self) -> dict[str, list[Any]]:
        if self._known is None:
            self._known = read_memory(self.path)
        return self._known


def read_memory(path: PathLike | None) -> dict[str, list[Any]]:
    """Memory of files from an earlier run: {path: [*stamp, digest]}.

    A memory that is missing or damaged is empty.
    """
    content = None if path is None else read_checked(path)
    return content["files"] if content else {}


@dataclass(frozen=True)
class Recipe:
    """Everything that determines a stage's output.

    Attributes:
        stage: the stage's name.
        version: the stage's version, raised when its code changes results.
        parameters: {name: JSON value} of the significant parameters.
        upstream: {stage: fingerprint} of the stages above.
        files: {role: digest} of the external files.
        packages: {package: version}.
    """

    stage: str
    version: int
    parameters: Mapping[str, Any] = field(default_factory=dict)
    upstream: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, Any] = field(default_factory=dict)
    packages: Mapping[str, str | None] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The recipe as JSON values, for the manifest."""
        return {
            "stage": self.stage,
            "version": self.version,
            "parameters": _plain(self.parameters),
            "upstream": dict(self.upstream),
            "files": dict(self.files),
            "packages": dict(self.packages),
        }

    def fingerprint(self) -> str:
        """SHA-256 (hex) of the recipe."""
        return digest_of(self.as_dict())


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """Changes between two recipes (as dicts): a list of sentences that name old and new."""
    changes = []
    if old.get("version") != new.get("version"):
        changes.append(f"version of the stage: {old.get('version')} -> {new.get('version')}")
    words = {
        "parameters": "parameter {}",
        "files": "content of {}",
        "upstream": "stage {} above it",
        "packages": "package {}",
    }
    for part, word in words.items():
        before, after = old.get(part) or {}, new.get(part) or {}
        for name in sorted(set(before) | set(after)):
            if before.get(name) != after.get(name):
                values = f"{_short(before.get(name))} -> {_short(after.get(name))}"
                changes.append(f"{word.format(name)}: {values}")
    return changes


def _short(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    if isinstance(value, str) and len(value) == 64:
        return value[:10]
    return text if len(text) <= 60 else text[:57] + "..."
