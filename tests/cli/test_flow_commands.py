"""Commands that take a configuration: its options, and those that are given in their place."""

from pathlib import Path

import pytest

from region_grower_flow.cli.growing import _of_flow
from region_grower_flow.cli.runs import _which_run
from region_grower_flow.errors import InvalidInput
from region_grower_flow.tasks.roots import Flow

NOTHING = {
    "input_cells": None, "out_cells": None, "work_dir": None, "validation_dir": None,
    "cells_limit": None, "cells_mtypes": (), "seed": None, "out_morph_ext": (), "skip_write": False,
}  # fmt: skip


@pytest.fixture
def flow(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    text = "[region_grower_flow]\ninput_cells = a.h5\nout_cells = out/nodes.h5\nseed = 3\n"
    (tmp_path / "flow.cfg").write_text(text)
    return "flow.cfg"


def test_the_configuration_counts_where_nothing_is_given(flow):
    values = _of_flow(flow, NOTHING)
    assert values["input_cells"] == "a.h5"
    assert values["seed"] == 3
    assert values["work_dir"] == "work"
    assert values["validation_dir"] == "out/validation"


def test_what_is_given_counts(flow):
    values = _of_flow(flow, {**NOTHING, "seed": 5, "validation_dir": "here", "skip_write": True})
    assert (values["seed"], values["validation_dir"], values["skip_write"]) == (5, "here", True)


def test_a_try_is_validated_in_its_own_places(flow):
    """Those of the run of all cells would be overwritten with some of them."""
    values = _of_flow(flow, {**NOTHING, "cells_limit": 3})
    assert values["cells_limit"] == 3
    assert values["work_dir"] == "work_limit_3"
    assert values["out_cells"] == "out_limit_3/nodes.h5"
    assert values["validation_dir"] == "out_limit_3/validation"
    values = _of_flow(flow, {**NOTHING, "cells_mtypes": ("L5_TPC:A",)})
    assert values["out_cells"] == "out_L5-TPC-A/nodes.h5"


def test_a_missing_configuration_is_one_sentence(tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        _of_flow(str(tmp_path / "none.cfg"), NOTHING)
    assert end.value.code == 2
    assert "there is no such configuration" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("there", "given", "expected"),
    [
        ("flow.cfg", (None, None), (None, Flow(Path("flow.cfg")))),
        ("flow.cfg", (None, "mine.cfg"), (None, "mine.cfg")),
        ("flow.cfg", ("work", None), ("work", None)),
        ("luigi.cfg", (None, None), (None, None)),  # Luigi's own comes first
    ],
)
def test_status_and_clean_look_at_the_flow_cfg_here(flow, monkeypatch, there, given, expected):
    monkeypatch.delenv("LUIGI_CONFIG_PATH", raising=False)
    Path(there).touch()
    assert _which_run(None, *given, limit=None, mtypes=None) == expected


def test_a_try_is_one_of_a_flow(flow):
    Path("luigi.cfg").touch()
    found = _which_run("flow.cfg", None, None, limit=5, mtypes="A, B:C")
    assert found == (None, Flow(Path("flow.cfg"), 5, ("A", "B:C")))
    Path("work").mkdir()
    for named in ("work", None):  # of a work folder, and of Luigi's configuration
        with pytest.raises(InvalidInput, match="choose a try"):
            _which_run(named, None, None, limit=5, mtypes=None)
