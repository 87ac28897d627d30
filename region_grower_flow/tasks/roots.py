"""The tasks that a command is about: of a configuration, or of the last run in a work folder."""

from __future__ import annotations

import configparser
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import luigi

import region_grower_flow
from region_grower_flow import layout
from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.schemas import did_you_mean
from region_grower_flow.record.manifest import read_manifest
from region_grower_flow.tasks.base import Facts, FlowTask
from region_grower_flow.tasks.checks import FOLDER, OPTIONS, CheckInputs
from region_grower_flow.tasks.distributions import ExtractDistributions
from region_grower_flow.tasks.merge import SynthesizeMorphologies
from region_grower_flow.tasks.parameters import BuildParameters
from region_grower_flow.tasks.synthesis import SynthesizeChunk
from region_grower_flow.tasks.vacuum import SynthesizeVacuum
from region_grower_flow.tasks.validation import ValidateSynthesis

if TYPE_CHECKING:
    from region_grower_flow.record.manifest import Manifest


USUAL_ROOTS = (
    (SynthesizeMorphologies,),
    (ExtractDistributions, BuildParameters),
    (SynthesizeVacuum,),
    (ValidateSynthesis,),
)
"""Tasks that are looked at in a work folder, where none is named: the first that were checked."""


def find_roots(
    work_dir: PathLike | None = None, config: str | Flow | None = None, task: str | None = None
) -> list[FlowTask]:
    """The tasks that a user has named: of a configuration, or of the last run in a work folder.

    Args:
        work_dir: of the last run of the command line.
        config: Luigi's configuration, without ``work_dir``; a Flow: that file alone.
        task: name of the task; by default SynthesizeMorphologies or, of a work folder, whichever
            has been checked there.

    Relative paths start from the current folder, or from that of the last run, which becomes the
    current one.

    Raises:
        InvalidInput: the configuration or the work folder is missing or wrong.
    """
    known = _known_tasks()
    if task is not None and task not in known:
        raise InvalidInput(f"there is no task {task!r}", "option task", did_you_mean(task, known))
    if work_dir is not None:
        return _roots_of_last_run(work_dir, task)
    usual = "luigi.toml" if os.environ.get("LUIGI_CONFIG_PARSER") == "toml" else "luigi.cfg"
    named = config.path if isinstance(config, Flow) else config
    path = named or os.environ.get("LUIGI_CONFIG_PATH") or usual
    if not Path(path).is_file():
        hint = "name a configuration (flow.cfg) or the work folder of a run of region-grower-flow"
        raise InvalidInput("there is no such configuration", path, hint)
    try:
        if isinstance(config, Flow):
            return [_of_flow(known[task or SynthesizeMorphologies.__name__], config)]
        luigi.configuration.add_config_path(str(path))
        return [known[task or SynthesizeMorphologies.__name__]()]
    except (configparser.Error, UnicodeDecodeError) as error:
        problem = f"cannot be parsed ({' '.join(str(error).split())})"
        raise InvalidInput(problem, path, "see the configurations in configs/") from error


@dataclass(frozen=True)
class Flow:
    """A configuration that ``region-grower-flow run`` is given: Luigi's own do not count.

    Attributes:
        path: of the file.
        limit, mtypes: of the try that is meant; that of all cells without any.
    """

    path: PathLike
    limit: int | None = None
    mtypes: tuple[str, ...] = ()


def _of_flow(task: type[FlowTask], flow: Flow) -> FlowTask:
    from region_grower_flow.start.flow_file import read_flow
    from region_grower_flow.start.tries import of_try

    options = task.options
    defaults = {n: option.default for n, option in options.items() if not option.required}
    known = {name for name, _ in task.get_params()}
    given = of_try({"work_dir": "work", **read_flow(flow.path)}, flow.limit, flow.mtypes)
    return task(**{**defaults, **{n: value for n, value in given.items() if n in known}})


def _known_tasks() -> dict[str, type[FlowTask]]:
    """{name: class} of the stages that can be run by themselves."""
    named = {name: getattr(region_grower_flow, name) for name in region_grower_flow.TASKS}
    return {name: task for name, task in named.items() if task is not SynthesizeChunk}


def _roots_of_last_run(work_dir: PathLike, task: str | None) -> list[FlowTask]:
    known = _known_tasks()
    manifests = Path(work_dir) / layout.MANIFESTS
    for roots in USUAL_ROOTS if task is None else ((known[task],),):
        manifest = _checked(manifests, roots[0])
        if manifest is None:
            continue
        options = _rebase(work_dir, manifest.facts)
        locks = Path(work_dir) / layout.LOCKS
        run = [root for root in roots if (locks / layout.lock_name(root.__name__)).exists()]
        return [root.from_str_params(options) for root in run or roots]
    problem = f"holds no run{f' of {task}' if task else ''} whose inputs have passed the checks"
    raise InvalidInput(problem, work_dir, "check the path, or give --config FILE")


def _checked(manifests: Path, root: type[FlowTask]) -> Manifest | None:
    """The manifest of the check of a task (class) that has passed last; None without any."""
    found = [
        manifest
        for manifest in map(read_manifest, manifests.glob(f"{CheckInputs.__name__}*.json"))
        if manifest is not None
        and manifest.recipe["stage"] == CheckInputs.__name__
        and manifest.facts.get(OPTIONS, {}).get("checked") == root.checked_by
        # Each report has a check of its own.
        and manifest.facts[OPTIONS].get("report", "") in ("", root.__name__)
    ]
    return max(found, key=lambda manifest: manifest.made_at, default=None)


def _rebase(work_dir: PathLike, facts: Facts) -> dict[str, str]:
    """The options of the last run, as seen from the folder that is made the current one."""
    options, folder = dict(facts[OPTIONS]), Path(facts[FOLDER])
    here = Path(work_dir).resolve()
    named = Path(options["work_dir"])
    tail = [part for part in named.parts if part != os.curdir]
    moved = not named.is_absolute() and os.pardir not in tail
    if moved and list(here.parts[-len(tail) :]) == tail:
        folder = here.parents[len(tail) - 1]
    elif (folder / named).resolve() != here:
        options["work_dir"] = str(here)
    try:
        os.chdir(folder)
    except OSError as error:
        problem = f"the folder of its last run, {folder}, is gone ({error.strerror})"
        raise InvalidInput(problem, work_dir, "give --config FILE") from error
    return options
