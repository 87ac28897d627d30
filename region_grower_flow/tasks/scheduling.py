"""Runs that are started from Python, by a command or by the API: Luigi makes what is needed."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
import warnings
from collections.abc import Iterator
from typing import Any

import luigi
from luigi.configuration import get_config
from luigi.execution_summary import LuigiRunResult, LuigiStatusCode
from luigi.scheduler import Scheduler
from luigi.setup_logging import InterfaceLogging
from luigi.worker import Worker

from region_grower_flow.tasks import messages
from region_grower_flow.tasks.arrival import arrive, expect_another
from region_grower_flow.tasks.base import FlowTask
from region_grower_flow.tasks.sentences import LOGGERS

_NO_LOGGING = ("core", "no_configure_logging")

BELIEF_SECONDS = 11
"""Seconds after which a central scheduler believes that what it knows as done is to be made again
(its ``stable_done_cooldown_secs``, 10 by default): to an earlier run it gives nothing to do."""


class Scheduling(luigi.interface._WorkerSchedulerFactory):
    """Schedulers and workers that look whether a task is complete after it has run."""

    def create_local_scheduler(self) -> Scheduler:
        """A scheduler of this process alone."""
        return Scheduler(prune_on_get_work=True, record_task_history=False)

    def create_worker(
        self, scheduler: Any, worker_processes: int, assistant: bool = False
    ) -> Worker:
        """A worker that believes manifests only; other threads than the first set no signals."""
        return Worker(
            scheduler=scheduler,
            worker_processes=worker_processes,
            assistant=assistant,
            check_complete_on_run=True,
            no_install_shutdown_handler=threading.current_thread() is not threading.main_thread(),
        )


def run_by_luigi(
    task: luigi.Task, scheduler_url: str | None = None
) -> tuple[LuigiRunResult, list[BaseException]]:
    """Let Luigi make a task, and what it needs, in this process.

    Args:
        task: the task.
        scheduler_url: of a central scheduler; None for one of this process alone.

    Returns:
        (Luigi's result, the exceptions of tasks that failed, in order).

    Raises:
        Busy: another run is at work in the task's places.
    """
    expect_another()
    if isinstance(task, FlowTask):
        arrive(task)  # that another run is at work is told before Luigi makes an error of it
    with _logging_left_alone(), messages.failures_of_tasks() as failures:
        result = _build(task, scheduler_url)
        if scheduler_url and not failures and result.status is LuigiStatusCode.NOT_RUN:
            time.sleep(BELIEF_SECONDS)
            result = _build(task, scheduler_url)
    return result, failures


def _build(task: luigi.Task, scheduler_url: str | None) -> LuigiRunResult:
    return luigi.build(
        [task],
        worker_scheduler_factory=Scheduling(),
        local_scheduler=scheduler_url is None,
        scheduler_url=scheduler_url or "",
        no_lock=True,
        detailed_summary=True,
        workers=1,
    )


@contextlib.contextmanager
def _logging_left_alone() -> Iterator[None]:
    """Luigi configures no logging: a command has its own, and a notebook that of its user."""
    config, configured = get_config(), InterfaceLogging._configured
    before = config.get(*_NO_LOGGING, None)
    config.set(*_NO_LOGGING, "true")
    try:
        yield
    finally:
        InterfaceLogging._configured = configured
        if before is None:
            config.remove_option(*_NO_LOGGING)
        else:
            config.set(*_NO_LOGGING, before)


@contextlib.contextmanager
def silent() -> Iterator[None]:
    """Luigi's own account is not shown: what comes of a run is told by its caller."""
    loggers = [logging.getLogger(name) for name in LOGGERS]
    before = [logger.propagate for logger in loggers]
    nothing = logging.NullHandler()  # without any, Python prints warnings
    for logger in loggers:
        logger.addHandler(nothing)
        logger.propagate = False
    try:
        with warnings.catch_warnings():  # of options in a luigi.cfg that lies about
            warnings.filterwarnings("ignore", module=r"luigi\.")
            yield
    finally:
        for logger, propagate in zip(loggers, before, strict=True):
            logger.removeHandler(nothing)
            logger.propagate = propagate
