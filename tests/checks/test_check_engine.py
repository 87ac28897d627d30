"""Checks of the engine with options of growth and without an atlas (all: tests/helpers/bad)."""

import json

import numpy as np
import pytest

from helpers.mtype_factory import mtype_parameters
from helpers.reference_cells import PYRAMIDAL, write_dataset
from helpers.sentences import says
from region_grower_flow.checks.engine import check_engine
from region_grower_flow.checks.vacuum import _check_models
from region_grower_flow.engine import beyond_neurots
from region_grower_flow.options import Growth
from region_grower_flow.options.flows import WithoutAtlas


def test_an_option_that_only_the_compiled_engine_knows(monkeypatch):
    """Options of growth that the kernels read are those of their records' names."""
    monkeypatch.setattr(beyond_neurots, "RULES", np.dtype([("min_hard_scale", float)]))
    changed = Growth(engine="neurots", min_hard_scale=0.5)
    (problem,) = [p for p in check_engine(changed) if p.where != "option engine"]
    assert says(problem, "option min_hard_scale: | only the compiled engine | leave this out")
    for sound in (Growth(engine="neurots"), Growth(min_hard_scale=0.5)):
        assert [p for p in check_engine(sound) if p.where != "option engine"] == []


@pytest.mark.parametrize("engine", ["compiled", "neurots"])
def test_parameters_without_an_atlas_whose_distributions_are_made(tmp_path, engine):
    cells, table = write_dataset(tmp_path)
    levered = mtype_parameters(growth_levers={"basal_dendrite": {"wander": 0.2}})
    (tmp_path / "p.json").write_text(json.dumps({"default": {PYRAMIDAL: levered}}))
    options = WithoutAtlas(
        morphologies_dir=cells, dat_file=table, tmd_parameters=tmp_path / "p.json", engine=engine
    )
    found = _check_models(options)
    if engine == "compiled":
        assert found == []
    else:
        (problem,) = found
        assert says(problem, f"{PYRAMIDAL} -> growth_levers -> basal_dendrite: | NeuroTS | engine")
