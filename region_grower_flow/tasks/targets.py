"""Targets of the stages: files that exist for Luigi when they are whole and up to date."""

from __future__ import annotations

import luigi

from region_grower_flow.io.atomic import PathLike


class StageTarget(luigi.LocalTarget):
    """A file, or folder, that a stage makes.

    It exists while it is as the stage wrote it, from what today's inputs and options are. So a task
    of another workflow may depend on it.

    Args:
        path: where it is.
        task: the stage that makes it.
    """

    def __init__(self, path: PathLike, task: luigi.Task) -> None:
        super().__init__(str(path))
        self._task = task

    def exists(self) -> bool:
        """True when the stage is complete and the file is there."""
        return super().exists() and self._task.complete()
