"""Findings of the doctor: one sentence each, with what to do where something is wrong."""

import os

import pytest

from helpers.sentences import says
from region_grower_flow.checks import doctor
from region_grower_flow.checks.doctor import BAD, GOOD, NOTE
from region_grower_flow.engine import cache
from region_grower_flow.runtime import slurm, trial


def found(findings, what, state):
    return [str(finding) for finding in findings if (finding.what, finding.state) == (what, state)]


def test_a_good_folder(tmp_path):
    findings = list(doctor.look_at_folder(tmp_path / "work"))
    assert {finding.state for finding in findings} <= {GOOD, NOTE}
    assert os.listdir(tmp_path / "work") == []


def test_a_folder_without_locks_or_links(tmp_path, monkeypatch):
    monkeypatch.setattr(doctor.fcntl, "flock", lambda *_: None)  # as some network mounts do

    def refuse(*_):
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(doctor.os, "link", refuse)
    monkeypatch.setattr(doctor, "SLOW_SECONDS", 0.0)
    findings = list(doctor.look_at_folder(tmp_path))
    (locks, slow) = found(findings, "folder", BAD)
    assert says(locks, "no locks | same one | To mend it: mount it")
    assert "takes" in slow
    assert "container-only" in slow
    assert "are copied" in found(findings, "folder", NOTE)[0]


def test_a_folder_that_cannot_be_made(tmp_path):
    (tmp_path / "file").touch()
    (finding,) = doctor.look_at_folder(tmp_path / "file" / "work")
    assert finding.state == BAD
    assert "Not a directory" in str(finding)


@pytest.mark.parametrize(("works", "state"), [(True, GOOD), (False, BAD), (None, BAD)])
def test_mpi_is_tried_anew(monkeypatch, works, state):
    monkeypatch.setattr(trial, "try_launcher", lambda launcher: (works, "It was tried."))
    finding = next(iter(doctor._mpi()))
    assert (finding.state, finding.sentence) == (state, "It was tried")
    assert bool(finding.hint) == (state == BAD)


def test_kernels_that_cannot_be_kept(tmp_path, monkeypatch):
    monkeypatch.setenv(cache.BASE_VARIABLE, str(tmp_path / "cache"))
    assert "none is compiled yet" in str(*doctor._kernels())
    (tmp_path / "file").touch()
    monkeypatch.setenv(cache.BASE_VARIABLE, str(tmp_path / "file" / "cache"))
    (finding,) = doctor._kernels()
    assert finding.state == BAD
    assert cache.BASE_VARIABLE in finding.hint
    monkeypatch.setenv("NUMBA_DISABLE_JIT", "1")
    assert "NUMBA_DISABLE_JIT" in next(iter(doctor._kernels())).hint


def test_versions_that_lack(monkeypatch):
    assert [finding.state for finding in doctor._packages()] == [GOOD]
    monkeypatch.setattr(doctor, "NEEDED", ("numpy", "no-such-package"))
    assert "no-such-package missing" in str(*doctor._packages())


def test_without_slurm(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [finding.state for finding in doctor._slurm()] == [NOTE]


def test_a_controller_that_does_not_answer(monkeypatch, tmp_path):
    for name in ("sbatch", "scancel", "srun", "squeue"):
        text = "echo pmi2 pmix" if name == "srun" else "echo no controller >&2; exit 1"
        (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    (finding,) = doctor._slurm()
    assert finding.state == BAD
    assert "no controller" in finding.sentence
    monkeypatch.setattr(slurm, "states", lambda job: {})
    assert [finding.state for finding in doctor._slurm()] == [GOOD]
