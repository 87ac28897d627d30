"""Schedulers and workers for runs that are started from Python."""

from __future__ import annotations

from typing import Any

import luigi
from luigi.scheduler import Scheduler
from luigi.worker import Worker


class Scheduling(luigi.interface._WorkerSchedulerFactory):
    """Schedulers and workers that look whether a task is complete after it has run."""

    def create_local_scheduler(self) -> Scheduler:
        """A scheduler of this process alone."""
        return Scheduler(prune_on_get_work=True, record_task_history=False)

    def create_worker(
        self, scheduler: Any, worker_processes: int, assistant: bool = False
    ) -> Worker:
        """A worker that believes manifests only."""
        return Worker(
            scheduler=scheduler,
            worker_processes=worker_processes,
            assistant=assistant,
            check_complete_on_run=True,
        )
