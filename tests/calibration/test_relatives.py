import pytest
import yaml

from region_grower_flow.calibration.relatives import (
    as_substitutions,
    nearest_mtype,
    nearest_mtypes,
    substitution_lines,
)

RAT = dict.fromkeys(
    [
        *("L1_SLAC", "L23_PC", "L23_SBC", "L4_PC", "L4_SS", "L4_SP", "L4_ChC", "L4_SBC"),
        *("L5_TTPC1", "L5_TTPC2", "L5_STPC", "L5_UTPC", "L5_MC", "L6_TPC_L1", "L6_TPC_L4"),
        *("L6_UTPC", "L6_IPC", "L6_BPC", "L6_ChC"),
    ],
    5,
)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("L3_TPC:A", "L23_PC"),
        ("L2_IPC", "L23_PC"),
        ("L4_TPC", "L4_PC"),
        ("L4_SSC", "L4_SS"),
        ("L4_CHC", "L4_ChC"),
        ("L5_TPC:A", "L5_TTPC1"),
        ("L5_TPC:B", "L5_TTPC2"),
        ("L5_TPC:C", "L5_STPC"),
        ("L6_TPC:A", "L6_TPC_L1"),
        ("L6_TPC:C", "L6_TPC_L4"),
        ("L6_UPC", "L6_UTPC"),
        ("L2_SBC", "L23_SBC"),
        ("L6_MC", "L5_MC"),
        ("L1_SAC", "L1_SLAC"),
        ("L1_HAC", None),  # of another class
        ("L23_MC", None),  # two layers apart
        ("L4_MC", "L5_MC"),
        ("nonsense", None),
    ],
)
def test_the_nearest_is_of_the_same_layer_and_class(name, expected):
    assert nearest_mtype(name, RAT) == expected


def test_layers_with_names_are_compared_by_name():
    hippocampus = {"SP_PC": 9, "SO_OLM": 4, "SP_PVBC": 3}
    assert nearest_mtype("SP_PC:a", hippocampus) == "SP_PC"
    assert nearest_mtype("SR_PVBC", hippocampus) is None
    assert nearest_mtype("SP_PVBC_1", hippocampus) == "SP_PVBC"


def test_lines_can_be_pasted():
    near = nearest_mtypes(["L3_TPC:A", "L2_IPC", "L1_HAC"], RAT)
    rules = as_substitutions(near)
    assert rules == {"L23_PC": ["L3_TPC:A", "L2_IPC"]}
    assert yaml.safe_load("\n".join(substitution_lines(rules))) == rules
    assert yaml.safe_load("\n".join(substitution_lines({"no": ["1"]}))) == {"no": ["1"]}
