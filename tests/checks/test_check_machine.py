"""Checks of what is installed: what starts the workers (NeuroTS: tests/test_neurots_version.py)."""

from types import SimpleNamespace

import pytest

from region_grower_flow.calibration import pool
from region_grower_flow.checks import machine
from region_grower_flow.checks.machine import check_launcher
from region_grower_flow.runtime import choice


def test_a_launcher_that_is_no_command_line():
    (problem,) = check_launcher(SimpleNamespace(nb_processes=2, launcher="run 'x {command}"))
    assert "is no command line (No closing quotation)" in str(problem)
    assert check_launcher(SimpleNamespace(nb_processes=0, launcher="run 'x")) == []


@pytest.mark.parametrize("launcher", ["auto", "mpiexec"])
def test_more_workers_than_a_machine_can_start(monkeypatch, launcher):
    for name in machine.OTHER_MACHINES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(choice, "check_launcher", lambda _: None)
    monkeypatch.setattr(pool, "available_cpus", lambda: 16)
    (problem,) = check_launcher(SimpleNamespace(nb_processes=100_000, launcher=launcher))
    assert str(problem) == (
        "option nb_processes: 100,000 workers are too many for the 16 cores of this machine. Leave "
        "it out for one a core, or give a launcher that starts them on others."
    )
    for count in (None, 1, 128):
        assert check_launcher(SimpleNamespace(nb_processes=count, launcher=launcher)) == []
    for other in ("srun", "sbatch", "run {n} {command}"):
        assert check_launcher(SimpleNamespace(nb_processes=100_000, launcher=other)) == []
    monkeypatch.setenv("SLURM_JOB_ID", "7")
    assert check_launcher(SimpleNamespace(nb_processes=100_000, launcher=launcher)) == []
