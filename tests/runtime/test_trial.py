"""A trial of mpiexec that worked is remembered, by all that it depends on."""

import os

import pytest

from region_grower_flow.engine import cache
from region_grower_flow.runtime import commands, trial


@pytest.fixture
def tried(tmp_path, monkeypatch):
    """The answers that trials give, of which each takes one."""
    program = tmp_path / "mpiexec"
    program.write_text("")
    answers = []
    monkeypatch.setenv(cache.BASE_VARIABLE, str(tmp_path / "cache"))
    monkeypatch.setattr(commands, "find_mpiexec", lambda: str(program))
    monkeypatch.setattr(trial, "_try_once", lambda launcher: answers.pop())
    return program, answers


def works():
    return trial.launcher_works.__wrapped__("mpiexec")[0]


def test_what_worked_is_not_tried_again(tried):
    _, answers = tried
    answers.append((True, "it works"))
    assert works()
    assert works()
    assert answers == []


def test_another_state_of_the_program_is_tried(tried):
    program, answers = tried
    answers.append((True, "it works"))
    assert works()
    os.utime(program, (1, 1))
    answers.append((False, "it fails"))
    assert not works()
    assert answers == []


@pytest.mark.parametrize("answer", [(False, "it fails"), (None, "no answer")])
def test_what_did_not_work_is_tried_each_time(tried, answer):
    _, answers = tried
    answers += [answer, answer]
    assert not works()
    assert not works()
    assert answers == []


def test_an_odd_memory_is_none(tried, tmp_path):
    _, answers = tried
    (tmp_path / "cache").mkdir()
    for text in ("[]", "{", "3"):
        (tmp_path / "cache" / trial.REMEMBERED).write_text(text)
        answers.append((True, "it works"))
        assert works()
        assert answers == []


def test_a_memory_that_cannot_be_kept_is_none(tried, tmp_path):
    _, answers = tried
    (tmp_path / "cache").write_text("a file")
    answers += [(True, "it works")] * 2
    assert works()
    assert works()
    assert answers == []
