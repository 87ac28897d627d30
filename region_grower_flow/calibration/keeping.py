"""Distributions of single mtypes, kept: another choice of mtypes extracts new ones only."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from region_grower_flow import layout
from region_grower_flow.calibration.extraction import ExtractionTask, extract_mtype
from region_grower_flow.io.atomic import make_own_folder
from region_grower_flow.record.fingerprint import digest_of
from region_grower_flow.record.kept import Kept


@dataclass(frozen=True)
class Keep:
    """Folder of what has been extracted, a file per mtype.

    Attributes:
        folder: where the files are.
        versions: {package or stage: version} of what affects results.
        digest: function of a path: the digest of a file's content.
    """

    folder: Path
    versions: Mapping[str, Any]
    digest: Callable[[str], Any]

    def all(self, tasks: Iterable[ExtractionTask]) -> list[Kept]:
        """A Kept of each of some ExtractionTasks."""
        make_own_folder(self.folder.parent, self.folder.name)
        return list(map(self._kept, tasks))

    def _kept(self, task: ExtractionTask) -> Kept:
        files = [[path, self.digest(path)] for path in dict.fromkeys(task.paths + task.axon_paths)]
        # Barcodes are in the order of the files; where these are does not matter.
        order = {path: number for number, (path, _) in enumerate(files)}
        inputs = {
            **{k: v for k, v in asdict(task).items() if k not in ("mtype", "paths", "axon_paths")},
            "cells": [[Path(path).name, digest] for path, digest in files],
            "paths": [order[path] for path in task.paths],
            "axon_paths": [order[path] for path in task.axon_paths],
            "versions": self.versions,
        }
        path = Path(self.folder, layout.kept_name(digest_of(task.mtype)))
        return Kept(task, path, digest_of(inputs))


def extract_kept(kept: Kept) -> tuple[str, dict[str, Any] | None, str | None]:
    """The distributions of ``extract_mtype``, or those that were kept with the same inputs."""
    found = kept.read()
    if found is not None:
        return kept.task.mtype, found, None
    mtype, distributions, reason = extract_mtype(kept.task)
    if reason is None:
        kept.write(distributions)
    return mtype, distributions, reason
