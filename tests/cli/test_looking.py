"""The commands that look at cells that are there."""

import pytest
from click.testing import CliRunner

from helpers.flow_factory import make_flow
from helpers.report_factory import pyramid
from region_grower_flow.cli import main
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


def test_plot_says_what_is_wrong(cells, tmp_path):
    done = CliRunner().invoke(main, ["plot", str(cells), "--out", str(tmp_path / "cells.pdf")])
    assert done.exit_code == 2
    assert "is no kind of picture" in done.output
    (tmp_path / "empty").mkdir()
    done = CliRunner().invoke(main, ["plot", str(tmp_path / "empty")])
    assert done.exit_code == 2
    assert "there is no morphology" in done.output


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
    done = CliRunner().invoke(main, ["reproduce", str(tmp_path)])
    assert done.exit_code == 2
    assert "one summary is expected" in done.output
