"""Launchers that are absent, broken, or start single processes; no secret in what they say."""

import os
import sys
from pathlib import Path

import pytest

from helpers.bad.harness import TRACEBACK, copied, synthesize
from helpers.sentences import says

pytestmark = pytest.mark.slow

SECRET = "hunter2-5f8a91c0"
SINGLES = """
shift; count=$1; shift
for i in $(seq "$count"); do "$@" & done
wait
"""


@pytest.fixture
def flow(bases, tmp_path):
    return copied(bases["plain"], tmp_path / "flow")


@pytest.fixture
def programs(tmp_path, monkeypatch):
    """A folder that stands for the one of Python and mpiexec; a function that adds a script."""
    from region_grower_flow.runtime import commands, trial

    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("MY_SECRET_TOKEN", SECRET)
    monkeypatch.setattr(trial, "CHECK_SECONDS", 20)

    def add(name, script):
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    python = add("python", f'exec "{sys.executable}" "$@"')
    monkeypatch.setattr(commands.sys, "executable", str(python))
    trial.launcher_works.cache_clear()
    commands.vendor.cache_clear()
    yield add
    trial.launcher_works.cache_clear()
    commands.vendor.cache_clear()


def refused(flow, *words, launcher="mpiexec"):
    flow.options.update(launcher=launcher, nb_processes=2)
    outcome = synthesize(flow)
    outcome.assert_refused(words)
    assert SECRET not in outcome.text


def test_mpiexec_is_absent(flow, programs, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    refused(flow, "there is no mpiexec", "--launcher inprocess")


def test_without_mpiexec_auto_grows_in_process_and_says_so(flow, programs, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    flow.options.update(launcher="auto", nb_processes=2)
    outcome = synthesize(flow)
    assert outcome.code == 0
    assert says(outcome.text, "in this process | one core | launcher: | no mpiexec")


def test_mpiexec_starts_single_processes(flow, programs):
    programs("mpiexec", SINGLES)
    refused(flow, "option launcher: ", "2 single processes")


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("exit 3", "could not start two ranks of mpi4py"),
        ("echo no such host >&2; exit 1", "no such host"),
        ("echo '{}'; echo 5; echo '[1]'; echo '{\"event\": 3}'", "could not start two ranks"),
        ("kill -SEGV $$", "could not start two ranks"),
        ("head -c 3000000 /dev/zero | tr '\\0' 'x'; exit 1", "could not start two ranks"),
    ],
)
def test_mpiexec_is_broken(flow, programs, script, words):
    programs("mpiexec", script)
    refused(flow, "option launcher: ", words)


def test_a_trial_that_is_killed_is_made_again(flow, programs, tmp_path):
    real = f'exec "{Path(sys.prefix, "bin", "mpiexec")}" "$@"'
    once = f"test -e {tmp_path}/late || {{ touch {tmp_path}/late; kill -9 $$; }}"
    programs("mpiexec", f'case "$1" in --version) {real};; esac; {once}; {real}')
    flow.options.update(launcher="mpiexec", nb_processes=1)
    assert synthesize(flow).code == 0
    assert (tmp_path / "late").exists()


def test_mpiexec_hangs(flow, programs, monkeypatch):
    from region_grower_flow.runtime import trial

    programs("mpiexec", 'case "$1" in --version) exit 0;; esac; sleep 60')
    monkeypatch.setattr(trial, "CHECK_SECONDS", 1)
    refused(flow, "did not start two ranks within 1 s")


def test_mpiexec_is_no_program(flow, programs):
    path = programs("mpiexec", "")
    path.write_bytes(bytes(range(256)))
    refused(flow, "option launcher: ", "mpiexec")


def test_a_template_starts_single_processes(flow, programs, tmp_path):
    script = programs("singles", SINGLES)
    launcher = f"{script} -n {{n}} {{command}}"
    refused(flow, "option launcher: ", "2 single processes", launcher=launcher)


def test_a_template_fails(flow, programs):
    script = programs("fails", "echo the cluster is closed >&2; exit 7")
    refused(flow, "the cluster is closed", launcher=f"{script} {{n}} {{command}}")


def test_a_template_that_shows_its_environment(flow, programs):
    script = programs("shows", "echo closed >&2; env >&2; export -p >&2; exit 7")
    refused(flow, "could not start two ranks", launcher=f"{script} {{n}} {{command}}")


def test_a_template_that_waits_in_a_queue_is_trusted_and_its_failure_hides_secrets(
    flow, programs, tmp_path, monkeypatch
):
    from region_grower_flow.runtime import trial

    monkeypatch.setattr(trial, "CHECK_SECONDS", 1)
    script = programs(
        "queue",
        f"test -e {tmp_path}/late || {{ touch {tmp_path}/late; sleep 60; }}; "
        "env; echo the cluster is closed >&2; exit 7",
    )
    flow.options.update(launcher=f"{script} {{n}} {{command}}", nb_processes=2)
    outcome = synthesize(flow)
    assert outcome.code == 1
    assert TRACEBACK not in outcome.text
    assert "the cluster is closed" in outcome.text
    assert_nothing_made(flow)
    assert_no_secret(outcome, flow)


def assert_nothing_made(flow):
    """The folder of the outputs holds at most the lock of the run that failed."""
    assert all(path.name.startswith(".") for path in flow.path("out").rglob("*"))


def assert_no_secret(outcome, flow):
    assert SECRET in os.environ.values()
    assert SECRET not in outcome.text
    for path in Path(flow.folder).rglob("*"):
        if path.is_file():
            assert SECRET.encode() not in path.read_bytes(), path
