"""Options: what they accept, and what they make of it."""

import ast
from collections import Counter
from pathlib import Path

import pytest

import region_grower_flow
from region_grower_flow import options
from region_grower_flow.errors import InvalidInput
from region_grower_flow.options import GROUPS, Execution, Growth, Outputs, Space, kinds
from region_grower_flow.options.flows import InAtlas
from region_grower_flow.options.group import declared, where_optional
from region_grower_flow.options.kinds import (
    Choice,
    Extensions,
    Names,
    Number,
    Numbers,
    Place,
    Processes,
    Ratio,
    Text,
    Whole,
)
from region_grower_flow.options.validation import VerdictWords

PACKAGE = Path(region_grower_flow.__file__).parent


def test_an_option_is_declared_once():
    declarations = Counter()
    for path in [*(PACKAGE / "options").glob("*.py"), *(PACKAGE / "tasks").glob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
                kind = node.value.func
                kind = kind.value if isinstance(kind, ast.Subscript) else kind
                found = getattr(kinds, getattr(kind, "id", ""), None)
                if isinstance(found, type) and issubclass(found, kinds.Option):
                    declarations[node.targets[0].id] += 1
    names = {name for group in GROUPS for name in group.DECLARED} - {"fail_on"}
    assert names <= declarations.keys()  # others are those of single tasks
    assert max(declarations.values()) == 1


def test_what_a_synthesis_requires_may_be_left_out_where_it_is_optional():
    found = {option.name: option.check(None) for option in where_optional((Space, Outputs))}
    assert found == {"input_cells": None, "atlas": None, "out_cells": None}
    assert Space.atlas.required


def test_seeds_below_zero_are_seeds():
    # As region-grower: the cell of row 1 has the seed (-3 + 1) modulo 2^32.
    assert Growth(seed=-3).seed == -3


@pytest.mark.parametrize(
    ("option", "given", "value"),
    [
        (Place("x"), "", None),
        (Place("x", default="out"), "a", "a"),
        (Place("x"), Path("a") / "b", "a/b"),
        (Text("x", optional=True), "None", None),
        (Names("x"), " L1_DAC, L5 TPC ,L1_DAC,", ("L1_DAC", "L5 TPC")),
        (Names("x"), ["a", "b", "a"], ("a", "b")),
        (Names("x"), None, ()),
        (Extensions("x"), ".SWC, h5 asc", ("swc", "h5", "asc")),
        (Numbers("x", count=3), "1, 2.5  -3", (1.0, 2.5, -3.0)),
        (Numbers("x"), "", None),
        (Whole("x"), 3.0, 3),
        (Processes("work"), "", None),
        (Choice("x", ("a", "b")), "b", "b"),
        (VerdictWords("x"), "no-power, trunks", ("no_power", "trunks")),
    ],
)
def test_values_are_understood(option, given, value):
    parsed = option.parse(given) if isinstance(given, str) else given
    assert option.check(parsed) == value
    # Luigi writes values as texts, in guards and for its scheduler, and reads them again.
    assert option.parse(option.text(value)) == value


@pytest.mark.parametrize(
    ("option", "given", "words"),
    [
        (Place("x"), "a\0b", "holds a NUL"),
        (Place("x", default="out"), "", "a path is expected"),
        (Place("x", optional=False), " ", "a path is expected"),
        (Names("x"), [1], "names separated by commas are expected"),
        (Extensions("x"), "h5,obj", "expected one or more of h5, swc, asc"),
        (Extensions("x"), "", "expected one or more of"),
        (Numbers("x", count=3), "1 2", "3 numbers are expected"),
        (Numbers("x", least=0.5), "1 0.1", "at least 0.5"),
        (Numbers("x"), "1 nan", "finite numbers"),
        (Numbers("x"), "1 x", "numbers are expected"),
        (Number("x"), "inf", "a finite number"),
        (Ratio("x"), 1.5, "at most 1.0"),
        (Whole("x"), 1.5, "a whole number"),
        (Choice("x", ("a", "b")), "c", "not one of the choices"),
        (VerdictWords("x"), "often", "'often' is none of none, fail, "),
        (VerdictWords("x"), "none,fail", "'none' stands alone"),
    ],
)
def test_other_values_are_refused(option, given, words):
    with pytest.raises(InvalidInput, match=words):
        option.check(given)


def test_defaults_say_whether_a_value_is_needed():
    assert Place("x").default is None
    assert Choice("x", ("a", "b")).default == "a"
    assert Place("x", optional=False).required


def test_paths_and_what_is_only_about_speed_enter_no_fingerprint():
    options = declared((Space, Execution, Outputs, Growth))
    for name in ("base_morph_dir", "out_cells", "chunksize", "out_debug_data"):
        assert not options[name].result
    assert options["min_hard_scale"].result


def test_a_group_is_a_frozen_value():
    group = Growth(seed=3)
    assert group == Growth().replace(seed=3) == Growth.from_json(group.to_json())
    assert hash(group) == hash(Growth(seed=3))
    assert group != Growth(seed=4)
    with pytest.raises(AttributeError, match="frozen"):
        group.seed = 4


def test_all_that_is_wrong_with_a_group_is_said_at_once():
    with pytest.raises(InvalidInput) as error:
        Space(min_depth="deep", atlass="x")
    words = str(error.value)
    for part in ("input_cells", "option atlas: must", "min_depth", "did you mean 'atlas'"):
        assert part.lower() in words.lower()


def test_a_group_of_groups_has_the_options_of_all():
    names = [*options.Work.DECLARED, *options.Space.DECLARED, *options.Growth.DECLARED]
    assert list(InAtlas.DECLARED) == names
    made = InAtlas(input_cells="cells.h5", atlas="atlas", seed="3")
    assert (made.atlas, made.seed, made.min_depth) == ("atlas", 3, 25.0)
