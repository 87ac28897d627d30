"""Why a stage is stale, told from recipes (through the command: tests/flow/test_flow_status.py)."""

from types import SimpleNamespace

import pytest

from region_grower_flow.record.fingerprint import Recipe
from region_grower_flow.record.manifest import Manifest
from region_grower_flow.record.status import FRESH, MISSING, STALE, Recipes, Wanted, look_at


def recipe(stage, upstream=(), **parameters):
    prints = {name: above.fingerprint() for name, above in dict(upstream).items()}
    return Recipe(stage, 1, parameters, prints)


def wanted(own, **above):
    return Wanted(own.as_dict, above.__getitem__)


def write(folder, own, outputs=(), **facts):
    path = folder / "manifests" / f"{own.stage}.json"
    Manifest.describe(own, outputs, facts).write(path)
    return path


@pytest.fixture
def folders(tmp_path):
    """The work folders of a run and of its hold-out."""
    return tmp_path, tmp_path / "holdout"


def test_a_change_is_traced_to_the_stage_whose_it_is(folders):
    old_cells = recipe("Grow", half="fit", seed=0), recipe("Grow", half="all", seed=0)
    held_out, whole = old_cells
    old = recipe("Validate", {"Grow": whole, "Grow of the holdout": held_out})
    for folder, own in ((folders[0], whole), (folders[1], held_out), (folders[0], old)):
        write(folder, own)
    new_held_out = recipe("Grow", half="fit", seed=3)
    new = recipe("Validate", {"Grow": whole, "Grow of the holdout": new_held_out})
    today = wanted(new, **{"Grow": wanted(whole), "Grow of the holdout": wanted(new_held_out)})
    # The stages bear one name, so that only their places among those above tell them apart.
    assert Recipes(folders).changes(old.as_dict(), today) == [
        "parameter seed: 0 -> 3 (Grow of the holdout)"
    ]
    assert Recipes(folders[:1]).changes(old.as_dict(), today) == [
        "Grow of the holdout has been made again from other inputs"
    ]


def test_stages_that_come_and_go_are_told(folders):
    above = recipe("Grow")
    with_it, without = recipe("Validate", {"Grow": above}), recipe("Validate")
    recipes = Recipes(folders)
    assert recipes.changes(without.as_dict(), wanted(with_it)) == ["Grow was not needed before"]
    assert recipes.changes(with_it.as_dict(), wanted(without)) == ["Grow is not needed any more"]


@pytest.mark.parametrize(
    ("intact", "unfit", "state", "reasons"),
    [
        (True, None, FRESH, []),
        (True, "fail_on does not accept it", STALE, ["fail_on does not accept it"]),
        (False, "unseen", STALE, ["a morphology is missing, or is not as it was written"]),
    ],
)
def test_what_a_stage_says_of_its_outputs_counts(folders, intact, unfit, state, reasons):
    own = recipe("Validate")
    path = write(folders[0], own, limit=1)
    task = SimpleNamespace(intact=lambda: intact, unfit_for_today=lambda facts: unfit)
    stage = look_at("Validate", path, wanted(own), Recipes(folders), task)
    assert (stage.state, stage.reasons) == (state, reasons)


def test_of_many_reasons_the_first_are_told(folders):
    old = recipe("Grow", **{f"n{i:02}": 0 for i in range(30)})
    new = recipe("Grow", **{f"n{i:02}": 1 for i in range(30)})
    stage = look_at("Grow", write(folders[0], old), wanted(new), Recipes(folders), None)
    first = [f"parameter n{i:02}: 0 -> 1" for i in range(5)]
    assert stage.reasons == [*first, "and 25 more reasons"]


def test_a_damaged_manifest_is_missing(folders):
    path = write(folders[0], recipe("Validate"))
    path.write_text(path.read_text()[:-20])
    stage = look_at("Validate", path, None, Recipes(folders), None)
    assert (stage.state, stage.reasons) == (MISSING, ["its manifest is damaged"])
