"""Inner stages that somebody names in the terminal: made, or refused in a sentence."""

import pytest

from helpers.flow_factory import make_flow
from helpers.sentences import says

pytestmark = pytest.mark.slow

CHUNK = ("SynthesizeChunk", "--first", "0", "--last")


@pytest.fixture(scope="module")
def flow(tmp_path_factory, kernels):
    return make_flow(tmp_path_factory.mktemp("inner") / "flow", 8)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ((*CHUNK, "4", "--growth-options", '{"seed": "x"}'), "option seed | whole number"),
        ((*CHUNK, "4", "--growth-options", '{"sed": 1}'), "option sed | 'seed'"),
        ((*CHUNK, "4", "--growth-options", "{"), "option growth_options | no JSON object"),
        ((*CHUNK, "4", "--growth-options", "[" * 100_000), "option growth_options | no JSON"),
        ((*CHUNK, "9"), "nodes.h5 | no cells 0 to 9 among its 8 | last <= 8"),
        (("SynthesizeChunk", "--first", "4", "--last", "2"), "nodes.h5 | no cells 4 to 2"),
        (("CheckInputs", "--checked", "synthesi"), "option checked | 'synthesis'"),
        (("CheckInputs", "--checked", "report", "--report", "x"), "option report | PlotScales"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_sentence(flow, words, sentence):
    process = flow.luigi(*words[1:], task=words[0])
    text = process.stdout + process.stderr
    assert process.returncode != 0
    assert "Traceback" not in text
    (line,) = {line for line in text.splitlines() if line.startswith("ERROR")}
    assert says(line, sentence), line
    assert not list(flow.path("work", "chunks").glob("*"))


def test_a_chunk_by_itself(flow):
    process = flow.luigi("--first", "0", "--last", "4", task=CHUNK[0])
    assert process.returncode == 0, process.stdout + process.stderr
    assert [p.name for p in flow.path("work", "chunks").glob("*")] == [
        "cells_000000000-000000004.jsonl"
    ]
