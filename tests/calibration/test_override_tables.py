"""Overrides from synthesis-workflow's custom_parameters.csv."""

import copy

import pytest

from helpers.sentences import says
from region_grower_flow.calibration.overrides import Table, apply_overrides, parse_table
from region_grower_flow.errors import InvalidInput

BASAL, APICAL = "basal_dendrite", "apical_dendrite"
TEXT = """mtype,entry,value
PC,apical_dendrite.has_apical_tuft,True
PC,apical_dendrite.bias,0.5
PC,apical_dendrite.growth_method,tmd_gradient

PC,apical_dendrite.orientation.mode,pia_constraint
PC,apical_dendrite.orientation.mode,normal_pia_constraint
PC,apical_dendrite.orientation.values.direction.mean[0],0.0
PC,apical_dendrite.orientation.values.direction.mean[1],2.5
PC,grow_types[0],apical_dendrite
PC,grow_types[1],basal_dendrite
PC,basal_dendrite.orientation,"[[0, 1, 0], [1, 0, 0]]"
PC,basal_dendrite.modify,null
"""


def parameters():
    basal = {"randomness": 0.2, "orientation": None, "modify": {"kwargs": {}, "funct": "f"}}
    apical = {"randomness": 0.2, "orientation": [[0.0, 1.0, 0.0]]}
    return {
        "PC": {"grow_types": [BASAL, APICAL], BASAL: dict(basal), APICAL: dict(apical), "axon": {}},
        "IN": {"grow_types": [BASAL], BASAL: dict(basal), APICAL: {}, "axon": {}},
    }


def test_values_and_paths():
    found = parameters()
    changes = apply_overrides(found, parse_table(TEXT, "custom.csv"))
    assert found["PC"][APICAL] == {
        "randomness": 0.2,
        "has_apical_tuft": True,
        "bias": 0.5,
        "growth_method": "tmd_gradient",
        "orientation": {
            "mode": "normal_pia_constraint",
            "values": {"direction": {"mean": [0.0, 2.5]}},
        },
    }
    assert found["PC"]["grow_types"] == [APICAL, BASAL]
    assert found["PC"][BASAL] == {
        "randomness": 0.2,
        "orientation": [[0, 1, 0], [1, 0, 0]],
        "modify": None,
    }
    assert found["IN"] == parameters()["IN"]
    swapped = [c for c in changes if c["path"] == "grow_types[0]"]
    assert swapped == [{"mtype": "PC", "path": "grow_types[0]", "old": BASAL, "new": APICAL}]


def test_rows_in_vain_are_told_and_left_out():
    text = (
        "mtype,entry,value\nPD,basal_dendrite.randomness,0.3\n"
        "IN,axon.randomness,0.3\nPC,axon.targeting,0.2\nIN,basal_dendrite.randomness,0.4\n"
    )
    found, notes = parameters(), []
    changes = apply_overrides(found, parse_table(text, "custom.csv"), notes)
    assert [c["mtype"] for c in changes] == ["IN"]
    assert says(notes[0], "PD | did you mean 'PC'? | not used")
    assert says(notes[1], "axon | not used | IN, PC")
    # The same as a mapping is refused.
    with pytest.raises(InvalidInput, match="unknown mtype 'PD'"):
        apply_overrides(parameters(), {"PD": {"basal_dendrite.randomness": 0.3}})


def test_wrong_keys_are_refused():
    table = Table({"PC": {"apical_dendrite.randomnes": 0.3, "grow_types[100]": "axon"}})
    before = parameters()
    found = copy.deepcopy(before)
    with pytest.raises(InvalidInput) as caught:
        apply_overrides(found, table)
    first, second = caught.value.problems
    assert "did you mean 'randomness'" in str(first).lower()
    assert "no list of parameters has 100 items" in str(second)
    assert found == before


def test_another_mode_forgets_the_values_of_the_former():
    found = parameters()
    step = {"form": "step", "params": [1.0, 0.2]}
    found["PC"][BASAL]["orientation"] = {"mode": "pia_constraint", "values": step}
    apply_overrides(found, {"PC": {"basal_dendrite.orientation.mode": "apical_constraint"}})
    assert found["PC"][BASAL]["orientation"] == {"mode": "apical_constraint"}
    found["PC"][BASAL]["orientation"] = {"mode": "pia_constraint", "values": dict(step)}
    apply_overrides(found, {"PC": {"basal_dendrite.orientation.mode": "pia_constraint"}})
    assert found["PC"][BASAL]["orientation"]["values"] == step


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "there is no column mtype, entry, value"),
        ("mtype,path,value\n", "there is no column entry"),
        ("mtype,entry,value,value\n", "the column 'value' more than once"),
        ("mtype,entry,value\nPC,,3\n", "line 2: the entry is missing"),
        ("mtype,entry,value\n\nPC,apical_dendrite.bias\n", "line 3: the value is missing"),
        ('mtype,entry,value\nPC,a,"b\n', "line 2: the table cannot be read"),
        ('"mtype"s,entry,value\n', "line 1: the table cannot be read"),
        ("mtype,entry,value\nPC,grow_types,[1,2]\n", "line 2: .* more values than the 3 columns"),
    ],
)
def test_bad_tables(text, message):
    with pytest.raises(InvalidInput, match=message):
        parse_table(text, "custom.csv")


def test_numbers_that_are_none_stay_texts():
    table = parse_table("mtype,entry,value\nPC,a,NaN\nPC,b,-Infinity\n", "custom.csv")
    assert table.entries["PC"] == {"a": "NaN", "b": "-Infinity"}
