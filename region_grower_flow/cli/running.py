"""Running of a task by a command: its words, and its exit code."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from region_grower_flow import layout
from region_grower_flow.errors import FlowError, InvalidInput, printable
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.logs import PlainFormatter
from region_grower_flow.runtime.processes import signals_raise

if TYPE_CHECKING:
    from region_grower_flow.tasks.base import FlowTask

L = logging.getLogger(__name__)

LUIGI_LOGGERS = ("luigi", "luigi-interface")
INVALID, FAILED, INTERRUPTED = 2, 1, 130
"""Exit codes: the inputs are wrong; something went wrong during the work; Ctrl-C."""


def run_command(
    task_class: type[FlowTask],
    values: Mapping[str, Any],
    output: str,
    scheduler_url: str | None = None,
    run: Callable[..., int] | None = None,
) -> None:
    """Run a task; exit with a code that says how it went.

    Args:
        task_class: of the task.
        values: {option: what the command was given}.
        output: the option that names the main output; the work folder is beside that.
        scheduler_url: of a central scheduler, None for a local one.
        run: called instead with the task, ``run_task`` and what prints a sentence; gives the code.
    """
    defaults = defaults_of(task_class)
    given = {n: v for n, v in values.items() if v not in (None, (), "") or n not in defaults}
    path = Path(given.get(output) or "region_grower_flow")
    given.setdefault("work_dir", _beside(path, given.get("out_morph_dir", "out")))
    set_up_logging(given.get("worker_log_level", "warning"))

    def work() -> int:
        task = task_class(**{**defaults, **given})
        return run_task(task, scheduler_url) if run is None else run(task, run_task, click.echo)

    sys.exit(code_of(work))


def code_of(work: Callable[[], int]) -> int:
    """The exit code of a function that runs tasks; errors and interrupts are told in a line.

    Args:
        work: called without arguments; gives the exit code. Ctrl-C, SIGTERM and SIGHUP end it.
    """
    try:
        with signals_raise():
            return work()
    except FlowError as error:
        click.echo(printable(error), err=True)
        return exit_code(error)
    except KeyboardInterrupt as interrupt:
        from region_grower_flow.tasks.interrupts import words_of

        click.echo(words_of(interrupt), err=True)
        return INTERRUPTED


@contextlib.contextmanager
def ending() -> Iterator[None]:
    """Say an error in a line and end the process with its exit code."""
    try:
        yield
    except FlowError as error:
        click.echo(printable(error), err=True)
        sys.exit(exit_code(error))


def _beside(path: Path, morphologies: PathLike) -> str:
    """The work folder of an output: beside it, or beside the folder of morphologies that it is in.

    region-grower's users write the cells into the folder of the morphologies, in which nothing may
    be but outputs.
    """
    folder = Path(morphologies)
    if Path(os.path.abspath(path)).is_relative_to(os.path.abspath(folder)):
        if folder.name in ("", ".."):  # "." has no name
            folder = Path(os.path.abspath(folder))
        if folder.name:
            return str(folder.with_name(f"{folder.name}_{path.stem}_work"))
    return str(path.with_name(f"{path.stem}_work"))


def exit_code(*errors: BaseException) -> int:
    """The exit code for some errors: INVALID when only the inputs are wrong."""
    return INVALID if all(isinstance(error, InvalidInput) for error in errors) else FAILED


def defaults_of(task_class: type[FlowTask]) -> dict[str, Any]:
    """The defaults that ``--help`` shows: a luigi.cfg that lies about is for ``luigi`` only."""
    options = task_class.options.items()
    return {name: option.default for name, option in options if not option.required}


def run_task(
    task: FlowTask, scheduler_url: str | None = None, before: Callable[[], object] | None = None
) -> int:
    """Run a task and what it needs with a local (or the given) scheduler.

    Args:
        task: the task.
        scheduler_url: of a central scheduler, None for a local one.
        before: called without arguments once the terminal shows the run.

    Returns:
        The exit code: 0, or INVALID or FAILED after the sentences have been printed.
    """
    from region_grower_flow.cli.luigi_log import LuigiLog
    from region_grower_flow.tasks import messages, terminal
    from region_grower_flow.tasks.streams import wrapped

    log = LuigiLog(LUIGI_LOGGERS)
    terminal.begin(
        task,
        on_work=lambda: log.open(task.work_path(layout.LOGS, layout.LUIGI_LOG)),
        bar=not getattr(task, "hide_progress_bar", False),
    )
    try:
        if before is not None:
            before()
        code, failures = _built(task, scheduler_url)
    except BaseException:
        messages.end(succeeded=False)
        raise
    finally:
        log.close()
    messages.end(succeeded=code == 0)
    for sentence in failures:
        for line in sentence.splitlines():
            click.echo(wrapped(line, sys.stderr), err=True)
    return code


def _built(task: FlowTask, scheduler_url: str | None) -> tuple[int, list[str]]:
    """(exit code, [sentence of a failure]) of a task that is run."""
    from region_grower_flow.tasks import messages
    from region_grower_flow.tasks.scheduling import run_by_luigi

    result, failures = run_by_luigi(task, scheduler_url)
    if failures:
        return exit_code(*failures), list(dict.fromkeys(map(messages.failure_text, failures)))
    # Luigi has looked whether the task is complete after it has run.
    if result.status.name not in ("SUCCESS", "SUCCESS_WITH_RETRY"):
        return FAILED, [f"The run did not finish: {result.status.value[1]}"]
    return 0, []


def log_versions() -> None:
    """Log the versions of all installed packages."""
    import importlib.metadata

    set_up_logging("info")
    found = importlib.metadata.distributions()
    installed = sorted({f"{d.name}=={d.version}" for d in found}, key=str.lower)
    L.info("Using the following package versions: %s", installed)


def set_up_logging(level: str) -> None:
    """Show what the package logs from a level on; from ``info`` on also Luigi's own account."""
    handler = logging.StreamHandler()
    line = "%(asctime)s %(levelname)s %(name)s: %(message)s"
    talks = level in ("debug", "info")
    handler.setFormatter(PlainFormatter(line if talks else "%(levelname)s: %(message)s"))
    logging.basicConfig(handlers=[handler], level=level.upper())
    # Without -v its account is in a file alone; failures are told as sentences instead.
    for name in LUIGI_LOGGERS:
        logging.getLogger(name).propagate = talks
