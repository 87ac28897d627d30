"""The batch files for clusters: bash reads them, and the command understands what they give it."""

import contextlib
import shlex
import subprocess
from pathlib import Path
from unittest import mock

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "configs" / "slurm"
LAUNCHERS = {
    "ten_thousand_cells": ("mpiexec", 16),
    "one_million_cells": ("srun", 128),
    "ten_million_cells": ("sbatch", None),
}


def task_of(words):
    """The task that the command line makes of these words, without running it."""
    from region_grower_flow.cli import main, running

    with (
        mock.patch.object(running, "run_task", return_value=0) as run_task,
        contextlib.suppress(SystemExit),
    ):
        main(words, standalone_mode=False)
    return run_task.call_args.args[0]


def test_all_are_tested():
    assert {path.stem for path in FOLDER.glob("*.sh")} == set(LAUNCHERS)


@pytest.mark.parametrize("name", LAUNCHERS)
def test_the_command_understands_them(name):
    path = FOLDER / f"{name}.sh"
    subprocess.run(["bash", "-n", path], check=True)
    text = path.read_text(encoding="utf-8").replace("\\\n", " ")
    (line,) = (line for line in text.splitlines() if line.startswith("exec "))
    words = shlex.split(line)
    assert words[1] == "region-grower-flow"
    task = task_of(words[2:])
    assert (task.launcher, task.nb_processes) == LAUNCHERS[name]
    if name == "ten_million_cells":
        assert (task.slurm_tasks, task.slurm_jobs, task.slurm_options) == (32, 20, "--mem=0")
