"""The commands that look at cells that are there."""

import json
import re

import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner

from helpers.flow_factory import make_flow
from helpers.report_factory import pyramid
from region_grower_flow.cli import main
from region_grower_flow.io.cell_files import write_cells
from region_grower_flow.io.cells import Cells
from region_grower_flow.io.morphologies import write_morphology


@pytest.fixture
def cells(tmp_path):
    folder = tmp_path / "cells"
    folder.mkdir()
    for name in ("a", "b"):
        write_morphology(folder, name, pyramid(), ("swc", "h5"))
    return folder


@pytest.mark.parametrize(
    ("kind", "begin"), [("png", b"\x89PNG"), ("svg", b"<?xml"), ("html", b"<!D")]
)
def test_plot_draws_cells(cells, tmp_path, kind, begin):
    out = tmp_path / f"cells.{kind}"
    done = CliRunner().invoke(main, ["plot", str(cells), "--out", str(out)])
    assert done.exit_code == 0, done.output
    assert out.read_bytes().startswith(begin)


def plot(*words):
    return CliRunner().invoke(main, ["plot", *map(str, words)])


def test_plot_says_what_is_wrong(cells, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "bad.swc").write_text("junk")
    for words, sentence in {
        (cells, "--out", tmp_path / "cells.pdf"): "'.pdf' is no kind of picture",
        (cells, "--out", tmp_path / "empty"): "'empty' is no kind of picture",
        (tmp_path / "empty",): "there is no morphology",
        (tmp_path / "bad.swc",): "not a readable morphology",
        (tmp_path / "nowhere",): "does not exist",
        (cells, "--limit", 0): "0 is not in the range",
        (cells, "--limit", -3): "-3 is not in the range",
        (cells, "--limit", 1000): "1000 is not in the range",
    }.items():
        done = plot(*words)
        assert done.exit_code == 2, words
        assert sentence in done.output
        assert isinstance(done.exception, SystemExit)


def test_plot_says_how_many_there_are(cells, tmp_path):
    done = plot(cells, "--limit", 1, "--out", tmp_path / "one.png")
    assert "(1 of 2 cells, see --limit)" in done.output


@pytest.fixture
def nodes(tmp_path):
    """Nodes of four cells of two mtypes, with their morphologies beside them."""
    names = [f"c{i}" for i in range(4)]
    for name in names:
        write_morphology(tmp_path / "morphologies", name, pyramid(), ("swc",))
    properties = pd.DataFrame({"mtype": ["A", "A", "A", "B"], "region": ["S1"] * 4})
    positions = 500.0 * np.arange(4)[:, None] * np.ones(3)
    write_cells(tmp_path / "nodes.h5", Cells(positions, None, properties), names)
    return tmp_path / "nodes.h5"


def test_plot_draws_a_population_at_its_places(nodes, tmp_path):
    done = plot(nodes, "--out", tmp_path / "pop.html", "--limit", 2)
    assert done.exit_code == 0, done.output
    text = (tmp_path / "pop.html").read_text(encoding="utf-8")
    scene = json.loads(re.search(r'id="scene">(.*?)</script>', text, re.S).group(1))
    # One of each mtype, where it lies in the atlas.
    assert [(cell["mtype"], cell["at"]) for cell in scene["cells"]] == [
        ("A", [0.0] * 3),
        ("B", [1500.0] * 3),
    ]
    # Nothing but the cells: no tab that would be empty.
    assert re.findall(r'<section id="(\w+)"', text) == ["space"]
    assert "<nav" not in text
    assert plot(nodes, "--out", tmp_path / "pop.svg").exit_code == 0
    # The folder of a result is that of its morphologies.
    assert plot(tmp_path, "--out", tmp_path / "all.png", "--limit", 4).exit_code == 0


def test_plot_of_nodes_without_morphologies_is_a_sentence(nodes, tmp_path):
    (tmp_path / "morphologies" / "c3.swc").unlink()
    done = plot(nodes, "--out", tmp_path / "pop.png")
    assert done.exit_code == 2
    assert "c3.h5" in done.output
    (tmp_path / "morphologies").rename(tmp_path / "elsewhere")
    done = plot(nodes, "--out", tmp_path / "pop.png")
    assert done.exit_code == 2
    assert "no folder of morphologies beside the nodes" in done.output


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "cannot be read"),
        ("[]", "no summary of a synthesis"),
        ('{"provenance": 3}', "no summary of a synthesis"),
        ('{"provenance": {}}', "does not record"),
        ('{"provenance": {"options": [], "inputs": {}, "folder": "/"}}', "does not record options"),
        (
            '{"provenance": {"options": {}, "inputs": {}, "folder": "/"}, "cells": {}}',
            "does not record out_cells",
        ),
        (
            '{"provenance": {"options": {"out_cells": "o", "out_morph_dir": "m"}, "inputs": '
            '{"atlas": "a"}, "folder": "/"}, "cells": {"asked": "many"}}',
            "does not record cells, inputs",
        ),
        (
            '{"provenance": {"options": {"out_cells": "o", "out_morph_dir": "m"}, "inputs": {}, '
            '"folder": "/no/where"}, "cells": {"asked": 1, "made": 1}}',
            "folder that the run was started in is not there",
        ),
    ],
)
def test_a_summary_that_is_none_is_a_sentence(tmp_path, content, sentence):
    (tmp_path / "x_summary.json").write_text(content)
    done = CliRunner().invoke(main, ["reproduce", str(tmp_path)])
    assert done.exit_code == 2, done.output
    assert sentence in done.output
    assert isinstance(done.exception, SystemExit)


def test_a_result_is_not_made_again_into_itself(tmp_path):
    options = {"out_cells": "nodes.h5", "out_morph_dir": "m"}
    provenance = {"options": options, "inputs": {}, "folder": str(tmp_path)}
    (tmp_path / "out").mkdir()
    summary = {"provenance": provenance, "cells": {"asked": 1, "made": 1}}
    (tmp_path / "out" / "x_summary.json").write_text(json.dumps(summary))
    for into in ("out", "out/again"):
        words = ["reproduce", str(tmp_path / "out"), "--into", str(tmp_path / into)]
        done = CliRunner().invoke(main, words)
        assert done.exit_code == 2
        assert "would be in the folder of the old one" in done.output


@pytest.mark.slow
def test_a_result_is_made_again_and_compared(kernels, tmp_path):
    flow = make_flow(tmp_path / "flow", 4)
    process = flow.luigi()
    assert process.returncode == 0, process.stdout + process.stderr
    done = CliRunner().invoke(main, ["reproduce", str(flow.path("out"))])
    assert done.exit_code == 0, done.output
    assert "morphology files are the same, byte by byte" in done.output
    # A cell that was edited since: the new result differs from it.
    name = next(iter(flow.morphologies()))
    flow.path("out", "morphologies", name).write_bytes(b"edited")
    done = CliRunner().invoke(main, ["reproduce", str(flow.path("out"))])
    assert done.exit_code == 1
    assert "1 of " in done.output
    assert "the machine or the old result has changed" in done.output
    done = CliRunner().invoke(main, ["reproduce", str(tmp_path)])
    assert done.exit_code == 2
    assert "one summary is expected" in done.output
