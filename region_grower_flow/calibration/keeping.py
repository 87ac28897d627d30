"""Distributions of single mtypes, kept: another choice of mtypes extracts new ones only."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

from region_grower_flow.calibration.extraction import ExtractionTask, extract_mtype
from region_grower_flow.io.atomic import make_folder, write_json_atomic
from region_grower_flow.record.fingerprint import digest_of


@dataclass(frozen=True)
class Keep:
    """Folder of what has been extracted, a file per mtype.

    Attributes:
        folder: where the files are.
        versions: {package or stage: version} of what affects results.
        digest: function of a path: the digest of a file's content.
    """

    folder: Path
    versions: dict = field(default_factory=dict)
    digest: Callable | None = None

    def all(self, tasks):
        """The KeptTasks of ExtractionTasks."""
        make_folder(self.folder)
        return list(map(self._kept, tasks))

    def _kept(self, task):
        files = [[path, self.digest(path)] for path in dict.fromkeys(task.paths + task.axon_paths)]
        # Bar codes are in the order of the files; where these are does not matter.
        order = {path: number for number, (path, _) in enumerate(files)}
        inputs = {
            **{k: v for k, v in asdict(task).items() if k not in ("mtype", "paths", "axon_paths")},
            "cells": [[Path(path).name, digest] for path, digest in files],
            "paths": [order[path] for path in task.paths],
            "axon_paths": [order[path] for path in task.axon_paths],
            "versions": self.versions,
        }
        path = Path(self.folder, f"{digest_of(task.mtype)[:20]}.json")
        return KeptTask(task, path, digest_of(inputs))


@dataclass(frozen=True)
class KeptTask:
    """An ExtractionTask with the file that its result is kept in, for a process.

    Attributes:
        task: ExtractionTask.
        path: of the file.
        fingerprint: of all that the result depends on.
    """

    task: ExtractionTask
    path: Path
    fingerprint: str


def extract_kept(kept):
    """As ``extract_mtype``, or from the file of an earlier extraction with the same inputs."""
    found = _read(kept)
    if found is not None:
        return kept.task.mtype, found, None
    mtype, distributions, reason = extract_mtype(kept.task)
    if reason is None:
        content = {"fingerprint": kept.fingerprint, "distributions": distributions}
        write_json_atomic(kept.path, content, allow_nan=True, indent=None)
    return mtype, distributions, reason


def _read(kept):
    try:
        content = json.loads(Path(kept.path).read_text(encoding="utf-8"))
        return content["distributions"] if content["fingerprint"] == kept.fingerprint else None
    except (OSError, ValueError, KeyError, TypeError):
        return None
