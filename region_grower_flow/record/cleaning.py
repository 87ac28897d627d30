"""Cleaning of a work folder: only files that the package itself makes there are removed."""

import contextlib
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from region_grower_flow import layout
from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.atomic import TEMPORARY_PREFIX, PathLike
from region_grower_flow.record.blocks import finished_records
from region_grower_flow.record.fingerprint import read_memory
from region_grower_flow.record.listing import read_folder, read_listing
from region_grower_flow.record.manifest import Manifest, read_manifest
from region_grower_flow.record.tables import whole_records

_PLACED = (layout.PLACED_CELLS, layout.PLANES, layout.SLICED_CELLS, layout.CHOSEN_AXONS)
"""Outputs of placement that no option has named; tables beside them begin with the same name."""

HOLD_CELLS = (layout.MORPHOLOGIES, layout.SHARDS)
"""Folders whose files are there for the records that name them."""

_CELLS = re.compile(r"(?:cells|SynthesizeChunk)_(\d+)-(\d+)(?:\.\w+)?")


@dataclass
class Removal:
    """Files of a work folder that would be removed.

    Attributes:
        folder: the work folder.
        files: the paths.
    """

    folder: Path
    files: list[Path] = field(default_factory=list)

    def lines(self) -> Iterator[str]:
        """Lines on the files that would be removed, by folder, with their sizes."""
        stats = {path: path.lstat() for path in self.files}
        links = Counter((stat.st_dev, stat.st_ino) for stat in stats.values())
        sums: dict[str, tuple[int, float, float]] = {}
        for path, stat in stats.items():
            top = path.relative_to(self.folder).parts[0]
            count, size, freed = sums.get(top, (0, 0, 0))
            # A file with several names goes with the last of them.
            gone = links[stat.st_dev, stat.st_ino] == stat.st_nlink
            own = stat.st_size / links[stat.st_dev, stat.st_ino]
            sums[top] = (count + 1, size + own, freed + own * gone)
        for name, (count, size, freed) in sorted(sums.items()):
            also = "" if size == freed else f", {in_bytes(size - freed)} of it shared with outputs"
            yield f"  {name + ':':28} {count} files, {in_bytes(size)}{also}"

    def remove(self) -> None:
        """Remove the files, and the folders that they leave empty."""
        for path in self.files:
            path.unlink(missing_ok=True)
        for folder in sorted({path.parent for path in self.files}, reverse=True):
            while folder != self.folder:
                try:
                    folder.rmdir()
                except OSError:
                    break
                folder = folder.parent
        for name in layout.WORK_FILES:  # those that were empty already
            with contextlib.suppress(OSError):
                Path(self.folder, name).rmdir()
        with contextlib.suppress(OSError):
            self.folder.rmdir()


def in_bytes(size: float) -> str:
    """A size for a person."""
    if round(size) < 1000:
        return f"{round(size)} bytes"
    size, unit = size / 1000, "kB"
    for larger in ("MB", "GB"):
        if size >= 1000:
            size, unit = size / 1000, larger
    return f"{size:.1f} {unit}"


def everything(folder: PathLike) -> Removal:
    """A Removal of all that the package has made in a work folder; outputs stay.

    Raises:
        InvalidInput: it is no work folder.
    """
    folder = _work_folder(folder)
    paths = sorted((folder / layout.MANIFESTS).glob("*.json"))
    manifests = [found for found in map(read_manifest, paths) if found is not None]
    outputs = {Path(path).resolve() for m in manifests for path in m.outputs}
    tops = [path for path in sorted(folder.iterdir()) if _is_intermediate(path.name)]
    files = [path for path in tops if path.resolve() in outputs and path.is_file()]
    if _is_memory(folder / layout.DIGESTS):
        files.append(folder / layout.DIGESTS)
    files.extend(_ours(folder))
    files = _without_outputs(folder, files, manifests)
    if _is_work_folder(folder / layout.HOLDOUT_WORK):
        files += _everything_held_out(folder / layout.HOLDOUT_WORK)
    return Removal(folder, files)


def _is_intermediate(name: str) -> bool:
    """True if a file in the work folder itself bears a name that the package gives."""
    stems = tuple(f"{Path(placed).stem}_" for placed in _PLACED)
    return name in (*layout.OF_ATLAS, *layout.GENERATED, *_PLACED) or name.startswith(stems)


def _everything_held_out(folder: Path) -> list[Path]:
    """The files of the hold-out's work folder: there the cells are no outputs either."""
    listing = layout.vacuum_listing(folder / layout.VACUUM_WORK)
    cells = folder / layout.VACUUM
    names = [*layout.VACUUM_TABLES, *(read_listing(listing, cells) or ())]
    files = [listing, *(cells / name for name in names)]
    return [*everything(folder).files, *(path for path in files if path.is_file())]


def stale(folder: PathLike, chunks: Mapping[tuple[int, int], bool] | None) -> Removal:
    """A Removal of what no stage refers to that is up to date, and no run would take over.

    Args:
        folder: the work folder.
        chunks: {(first, last): whether a run needs nothing more of this range of cells}; None when
            it is not known which there are: then only leftovers of killed runs are stale.

    Raises:
        InvalidInput: it is no work folder.
    """
    folder = _work_folder(folder)
    removal, kept = Removal(folder), []
    for path in _ours(folder):
        place = path.relative_to(folder).parts
        of_chunk = place[0] != layout.SHARDS  # tables of other chunks may name what is in a shard
        if path.name.startswith(TEMPORARY_PREFIX) or (of_chunk and _is_stale(place[1], chunks)):
            removal.files.append(path)
        else:
            kept.append(path)
    named = set(_named(kept))
    for path in kept:
        place = path.relative_to(folder).parts
        if place[0] in HOLD_CELLS and "/".join(place[1:]) not in named:
            removal.files.append(path)
    removal.files = _without_outputs(folder, removal.files, [])
    if _is_work_folder(folder / layout.HOLDOUT_WORK):
        removal.files += stale(folder / layout.HOLDOUT_WORK, None).files
    return removal


def _is_stale(name: str, chunks: Mapping[tuple[int, int], bool] | None) -> bool:
    match = _CELLS.fullmatch(name)
    if match is None or chunks is None:
        return False
    first, last = int(match[1]), int(match[2])
    if (first, last) in chunks:
        return False
    return all(done for (a, b), done in chunks.items() if a < last and first < b)


def _named(kept: Sequence[Path]) -> Iterator[str]:
    """The morphology files and shards that the kept records name."""
    tables = [path for path in kept if path.parent.name == layout.CHUNKS]
    blocks = {path.parent for path in kept if path.parent.parent.name == layout.BLOCKS}
    for records in (
        *(whole_records(table)[0] for table in tables),
        *(finished_records(b).values() for b in blocks),
    ):
        for record in records:
            for extension in record.get("files") or {}:
                yield f"{record['name']}.{extension}"
            if record.get("shard"):
                yield record["shard"][0]


def _ours(folder: Path) -> Iterator[Path]:
    """The files in the work folder's own folders that bear names that the package gives."""
    for name, pattern in layout.WORK_FILES.items():
        top = folder / name
        if top.is_symlink():
            continue
        for root, _, files in os.walk(top):
            for file in sorted(files):
                path = Path(root, file)
                if path.is_symlink():
                    continue
                ours = pattern.fullmatch(str(path.relative_to(top)))
                if ours or file.startswith(TEMPORARY_PREFIX):
                    yield path


def _without_outputs(
    folder: Path, files: Iterable[Path], manifests: Iterable[Manifest]
) -> list[Path]:
    """Those files that are no outputs of the merge, should these lie in the work folder."""
    merged = [m for m in manifests if m.recipe["stage"] == "SynthesizeMorphologies"]
    outputs = {Path(path).resolve() for manifest in merged for path in manifest.outputs}
    placed = [read_folder(path) for path in (folder / layout.MANIFESTS).glob("morphologies*.txt")]
    return [
        path
        for path in files
        if path.resolve() not in outputs
        and not any(place and path.resolve().is_relative_to(place) for place in placed)
    ]


def _work_folder(folder: PathLike) -> Path:
    folder = Path(folder)
    if not _is_work_folder(folder):
        raise InvalidInput("is not a folder of intermediates", folder, "see the option work_dir")
    return folder.resolve()


def _is_work_folder(folder: Path) -> bool:
    return (folder / layout.MANIFESTS).is_dir() or (folder / layout.LOCKS).is_dir()


def _is_memory(path: Path) -> bool:
    """True if a file is our memory of digests, not somebody's of the same name."""
    return bool(read_memory(path))
