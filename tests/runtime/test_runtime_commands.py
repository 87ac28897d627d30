"""Command lines and environments of launchers."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from region_grower_flow.errors import InvalidInput
from region_grower_flow.runtime import commands


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """Makes programs that print a text, in the only folder of the PATH."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "executable", str(tmp_path / "venv" / "python"))

    def make(name, says=""):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/sh\necho '{says}'\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    return make


def test_worker_runs_under_mpi4py():
    command = commands.worker_command("/x/job.json", 3)
    assert command[2:4] == ["mpi4py", "-m"]
    assert command[-2:] == ["--expected-ranks", "3"]


def test_mpiexec_beside_python_comes_first(programs):
    programs("mpiexec")
    assert commands.find_mpiexec() == programs("mpiexec")
    beside = programs("venv/mpiexec", "HYDRA build details")
    assert commands.find_mpiexec() == beside
    assert commands.launch_command("mpiexec", 3, ["w"]) == [beside, "-n", "3", "w"]


def test_open_mpi_gets_its_options(programs, monkeypatch):
    mpiexec = programs("mpiexec", "mpiexec (Open MPI) 5.0.11")
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    command = commands.launch_command("mpiexec", 2, ["w"])
    assert command[0] == mpiexec
    assert "--allow-run-as-root" in command
    assert "--oversubscribe" in command
    assert command[command.index("--bind-to") + 1] == "none"
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert "--allow-run-as-root" not in commands.launch_command("mpiexec", 2, ["w"])


def test_missing_launchers_are_one_sentence(programs):
    for launcher, word in (("mpiexec", "mpiexec"), ("srun", "srun"), ("x {command}", "'x'")):
        with pytest.raises(InvalidInput, match=word):
            commands.launch_command(launcher, 2, ["w"])


def test_srun_ends_all_ranks_with_one(programs, monkeypatch):
    srun = programs("srun")
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    command = commands.launch_command("srun", 4, ["w"], ["--mpi=pmix", "--time=10"])
    assert command[0] == srun
    assert {"--ntasks=4", "--kill-on-bad-exit=1", "--mpi=pmix", "--time=10"} < set(command)
    assert "--overcommit" not in command
    monkeypatch.setenv("SLURM_JOB_ID", "12")
    assert "--overcommit" in commands.launch_command("srun", 4, ["w"])


def test_templates(programs):
    programs("run")
    expected = ["run", "-n", "3", "--x=3", "python", "w"]
    for template in (
        "run -n {n} --x={n} {command}",
        expected[:1] + ["-n", "{n}", "--x={n}", "{command}"],
    ):
        assert commands.launch_command(template, 3, ["python", "w"]) == expected


@pytest.mark.parametrize("template", ["mpiexek", "", "run -n {n}", "run {command}x", []])
def test_odd_templates_are_refused(template):
    with pytest.raises(InvalidInput, match="launcher"):
        commands.launch_command(template, 2, ["w"])


def test_misspelled_launcher_gets_a_hint():
    with pytest.raises(InvalidInput, match="Did you mean 'mpiexec'"):
        commands.launch_command("mpiexek", 2, ["w"])


def test_environment_has_one_thread_and_no_outer_job():
    outer = {"PMI_RANK": "3", "OMPI_X": "1", "PMIX_Y": "1", "PRTE_Z": "1", "HOME": "/h"}
    inner = commands.rank_environment(outer, "mpiexec")
    assert not any(key.startswith(("PMI", "OMPI", "PRTE")) for key in inner)
    assert inner["HOME"] == "/h"
    assert inner["OMP_NUM_THREADS"] == inner["NUMBA_NUM_THREADS"] == "1"
    assert "HYDRA_LAUNCHER" not in inner


@pytest.mark.parametrize("options", [[], ["-P"]])
def test_files_in_the_current_folder_are_no_modules_of_ranks(tmp_path, options):
    """Without any option, as Python 3.10 knows none for it; with it nothing else is left out."""
    if options and sys.version_info < (3, 11):
        pytest.skip("Python 3.10 does not know the option -P")
    for name in ("argparse", "runpy", "pathlib", "json"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('a file of the user')")
    program, *words = commands.module_command("json.tool", "--help")
    command = [program, *options, *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "usage:" in done.stdout


def test_ranks_of_a_checkout_without_installation_find_it(tmp_path):
    code = "import region_grower_flow.errors as e; print(e.__file__)"
    (tmp_path / "own.py").write_text(code)
    environment = {"PYTHONPATH": str(tmp_path)}
    program, *words = commands.module_command("own")
    done = subprocess.run(
        [program, "-S", *words],
        cwd="/",
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    checkout = Path(commands.__file__).resolve().parents[1]
    assert done.stdout.strip() == str(checkout / "errors.py"), done.stderr


def test_mpiexec_within_a_slurm_step_forks():
    step = {"SLURM_STEP_ID": "0", "SLURM_JOB_ID": "1"}
    assert commands.rank_environment(step, "mpiexec")["HYDRA_LAUNCHER"] == "fork"
    assert commands.rank_environment(step, "mpiexec")["PRTE_MCA_plm"] == "^slurm"
    assert "HYDRA_LAUNCHER" not in commands.rank_environment(step, "srun")


def test_what_containers_say_of_root_reaches_launchers():
    said = {"OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_COMM_WORLD_RANK": "3"}
    assert commands.clean_environment(said) == {"OMPI_ALLOW_RUN_AS_ROOT": "1"}
