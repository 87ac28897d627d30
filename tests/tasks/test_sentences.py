"""Luigi's logs: known errors are sentences, those that repeat once; nothing steers a terminal."""

import logging
import sys

import pytest
from luigi.rpc import RPCError

from region_grower_flow.errors import FlowError, InputChanged
from region_grower_flow.io.logs import PlainFormatter
from region_grower_flow.tasks import interrupts
from region_grower_flow.tasks.sentences import OneSentence, sentence_of


def record(error=None, message="failed %s", arguments=("task",)):
    information = None
    if error is not None:
        try:
            raise error
        except type(error):
            information = sys.exc_info()
    return logging.LogRecord("luigi", 40, "", 0, message, arguments, information)


KNOWN = {
    "changed": (InputChanged("mesh.obj"), "mesh.obj: an input changed"),
    "unfulfilled": (RuntimeError("Unfulfilled dependency at run time: X"), "an input changed"),
    "scheduler": (RPCError("no answer"), "The scheduler does not answer"),
}


@pytest.mark.parametrize("name", KNOWN)
def test_what_repeats_is_told_once(name):
    error, words = KNOWN[name]
    told, again, sentences = record(error), record(error), OneSentence()
    assert sentences.filter(told)
    assert words in told.getMessage()
    assert told.exc_info is None
    assert not sentences.filter(again)


def test_other_errors_of_ours_are_told_each_time():
    sentences = OneSentence()
    assert sentences.filter(record(FlowError("full")))
    assert sentences.filter(record(FlowError("full")))


def test_a_defect_keeps_its_traceback():
    told = record(ValueError("\x1b[31m odd"))
    assert OneSentence().filter(told)
    assert "Traceback" in told.exc_text
    assert "\x1b" not in told.exc_text
    assert sentence_of(ValueError("odd")) is None


def test_names_in_lines_are_escaped():
    told = record(message="running %s", arguments=("\x1b]0;title\x07",))
    OneSentence().filter(told)
    assert told.getMessage() == "running \\x1b]0;title\\x07"
    line = PlainFormatter("%(message)s").format(record(message="%s", arguments=("a\x1b[2J",)))
    assert line == "a\\x1b[2J"


@pytest.mark.parametrize(
    ("words", "luigi"),
    [
        (["/usr/bin/luigi"], True),
        (["luigi"], True),
        (["/site-packages/luigi/__main__.py"], True),
        (["/usr/bin/region-grower-flow"], False),
        (["notebook.py"], False),
    ],
)
def test_only_the_luigi_command_is_changed(words, luigi, monkeypatch):
    monkeypatch.setattr(sys, "argv", words)
    assert interrupts.is_luigi_command() is luigi
