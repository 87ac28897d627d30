"""Bad inputs through the commands, and how the commands end."""

import pytest

from helpers.bad.bases import options
from helpers.bad.cases import BY_NAME
from helpers.bad.harness import TRACEBACK, arguments_of, changes, copied, snapshot, synthesize
from helpers.flow_factory import run_alone
from helpers.forked import run_forked
from helpers.sentences import says

pytestmark = pytest.mark.slow

QUICK = ("parameters-truncated", "cells-outside", "axons-name-outside", "all-at-once")
SLOW = (
    "distributions-deep", "structure-python-tag", "structure-laughs", "dat-columns",
    "overrides-out-of-range", "cells-cut-0.5", "unicode-mtype", "donor-cut-0.3", "orientation-nan",
    "mesh-empty", "trees-billion", "soma-mean-nan", "over-parameters.json", "two-outputs-in-one",
)  # fmt: skip
SAMPLE = [*QUICK, *(pytest.param(name, marks=pytest.mark.slow) for name in SLOW)]
TASK_FAILED, UNHANDLED = 30, 40
"""Exit codes of the [retcode] section of the tests' configuration, as in the shipped one."""


@pytest.fixture
def plain(bases, tmp_path):
    return copied(bases["plain"], tmp_path / "flow")


def spoilt(bases, tmp_path, name):
    case = BY_NAME[name]
    flow = copied(bases[case.base], tmp_path / "flow")
    case.spoil(flow)
    flow.write_cfg()
    return flow, case.words


def check(process, code, words):
    text = process.stdout + process.stderr
    assert process.returncode == code, text
    assert TRACEBACK not in text, text
    for word in words:
        choices = word if isinstance(word, tuple) else (word,)
        assert any(says(text, choice) for choice in choices), word
    return text


@pytest.mark.parametrize("name", SAMPLE)
def test_both_commands(bases, tmp_path, name):
    check_both_commands(bases, tmp_path, name, run_forked)


def test_both_commands_in_processes_of_their_own(bases, tmp_path):
    check_both_commands(bases, tmp_path, "all-at-once", run_alone)


def check_both_commands(bases, tmp_path, name, run):
    flow, words = spoilt(bases, tmp_path, name)
    before = snapshot(tmp_path)
    process = flow.command("synthesize-morphologies", *arguments_of(flow.options), run=run)
    check(process, 2, words)
    assert process.stdout == ""
    check(flow.luigi(run=run), TASK_FAILED, words)
    assert changes(before, snapshot(tmp_path)) == []


@pytest.mark.parametrize(
    ("spoil", "arguments", "words"),
    [
        (options(), ["--chunksize", "0"],
         ["option chunksize: | 0 | at least 1"]),
        (options(), ["--min-depth", "foo"], ["option min_depth: 'foo' is not valid"]),
        (options(seed="one", chunksize=0, engine="x"), [],
         ["option seed: 'one'", "option chunksize: 0", "option engine: 'x'"]),
        (options(sead=1, out_cell="x.h5"), [],
         ["[region_grower_flow]: | 'sead' | Did you mean 'seed'?",
          "[region_grower_flow]: | 'out_cell' | Did you mean 'out_cells'"]),
        (options(report_processes=0), [], ["option report_processes: 0 is not valid"]),
    ],
    ids=["range", "text", "all-at-once", "unknown-keys", "former-key"],
)  # fmt: skip
def test_options_of_the_luigi_command(plain, spoil, arguments, words):
    spoil(plain)
    text = check(plain.luigi(*arguments), UNHANDLED, words)
    assert len(text.splitlines()) < 10, text


def test_a_missing_option_of_the_luigi_command(plain):
    for name in ("input_cells", "atlas", "out_cells"):
        del plain.options[name]
    words = [f"option {name}: | SynthesizeMorphologies | needs a value"
             for name in ("input_cells", "atlas", "out_cells")]  # fmt: skip
    check(plain.luigi(), UNHANDLED, words)


def fail_with(monkeypatch, error):
    from region_grower_flow import LoadAtlas

    def fail(self):
        raise error

    monkeypatch.setattr(LoadAtlas, "make", fail)


def test_an_interrupt_is_one_line(plain, monkeypatch):
    fail_with(monkeypatch, KeyboardInterrupt())
    outcome = synthesize(plain)
    assert outcome.code == 130
    assert TRACEBACK not in outcome.text
    assert "Interrupted. What is finished is kept" in outcome.text


def test_a_defect_of_the_package_keeps_its_traceback(plain, monkeypatch):
    fail_with(monkeypatch, ZeroDivisionError("a defect"))
    outcome = synthesize(plain)
    assert outcome.code == 1
    assert outcome.text.count(TRACEBACK) == 1
    assert "ZeroDivisionError: a defect" in outcome.text


def test_an_error_of_ours_is_told_once(plain, monkeypatch):
    from region_grower_flow.errors import OutputFailed

    fail_with(monkeypatch, OutputFailed("the disk is full."))
    outcome = synthesize(plain)
    assert (outcome.code, TRACEBACK in outcome.text) == (1, False)
    assert outcome.text.count("the disk is full.") == 1


def test_an_empty_option_does_not_fall_to_a_configuration_beside(plain):
    plain.write_cfg()
    arguments = arguments_of({**plain.options, "out_cells": ""})
    process = plain.command("synthesize-morphologies", *arguments)
    check(process, 2, ["option out_cells: | '' | a path is expected"])


def test_a_configuration_beside_is_not_for_the_command(plain):
    plain.options["seed"] = 5
    plain.write_cfg()
    process = plain.command("synthesize-morphologies")
    check(process, 2, ["--input-cells"])
    del plain.options["seed"]
    process = plain.command("synthesize-morphologies", *arguments_of(plain.options))
    assert process.returncode == 0, process.stderr
    assert plain.summary["provenance"]["options"]["seed"] == 0
