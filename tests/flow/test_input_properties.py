"""Random inputs within and outside the schemas: they synthesize, or are refused with a sentence."""

import contextlib
import copy
import json
import math
import os
import tempfile
from pathlib import Path

import pytest
import yaml
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from helpers.bad.harness import TRACEBACK, copied, synthesize
from helpers.nested import LEFT_OUT, set_at

pytestmark = pytest.mark.slow

EXAMPLES = int(os.environ.get("RGF_STRESS", "12"))
bounded = settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize="RGF_STRESS" not in os.environ,
    database=None,
    suppress_health_check=list(HealthCheck),
)

NUMBERS = st.one_of(
    st.sampled_from([0, 1, -1, 2, 3, 1e-12, 1e-3, 0.5, 1e3, 1e7, 1e12, 1e300, -1e-9, 10**30]),
    st.sampled_from([math.nan, math.inf, -math.inf]),
    st.floats(0.0, 2.0),
    st.integers(-5, 20),
)
WORDS = st.sampled_from(
    ["", "tmd", "tmd_apical", "tmd_gradient", "trunk", "axon_trunk", "directional", "symmetric",
     "random", "bio_oriented", "path_distances", "radial_distances", "trunk_length", "default",
     "external", "M1", "M3", "M5", "uniform", "simpler", "basal_dendrite", "apical_dendrite",
     "axon", "parallel", "perpendicular", "layers", "../x", "\u00fc\u03a9", "\x1b[2J", "NaN"]
)  # fmt: skip
VALUES = st.recursive(
    NUMBERS | WORDS | st.none() | st.booleans(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=5,
)


def paths(value, above=()):
    """The keys of every value in a JSON value, but for the insides of long lists."""
    yield above
    items = value.items() if isinstance(value, dict) else enumerate(value[:3])
    for key, inner in items if isinstance(value, dict | list) else ():
        if isinstance(inner, dict | list):
            yield from paths(inner, (*above, key))
        else:
            yield (*above, key)


def changed(content, path, value):
    """A copy of a JSON value with another value at a path; what is not there stays away."""
    content = copy.deepcopy(content)
    with contextlib.suppress(KeyError, IndexError, TypeError):
        set_at(content, path, value)
    return content


def mutations(content):
    """Up to three changes of a JSON value: small ones of numbers, or anything anywhere."""
    places = [path for path in paths(content) if path]
    numbers = [path for path in places if isinstance(at(content, path), int | float)]
    anything = st.tuples(st.sampled_from(places), VALUES | st.just(LEFT_OUT))
    factor = st.floats(0.2, 3.0)
    small = st.tuples(st.sampled_from(numbers), factor).map(
        lambda drawn: (drawn[0], at(content, drawn[0]) * drawn[1])
    )
    return st.lists(small, min_size=1, max_size=3) | st.lists(anything, min_size=1, max_size=3)


def at(content, path):
    for key in path:
        content = content[key]
    return content


def play(base, spoil):
    """Run a spoilt flow; it is refused with a sentence, or every cell is made or has a reason."""
    with tempfile.TemporaryDirectory() as folder:
        flow = copied(base, Path(folder) / "flow")
        flow.options["cell_timeout"] = 20
        spoil(flow)
        outcome = synthesize(flow)
        event(f"exit code {outcome.code}")
        assert TRACEBACK not in outcome.text, outcome.text
        if outcome.code == 2:
            assert outcome.text.strip()
            assert outcome.changed == []
            return
        assert outcome.code == 0, outcome.text
        assert "unexpected" not in outcome.text, outcome.text
        cells = flow.summary["cells"]
        assert cells["made"] + cells["dropped"] == cells["asked"] == 8


def contents():
    from helpers.flow_factory import distributions, parameters

    return {"default": parameters()}, {"default": distributions()}


PARAMETERS, DISTRIBUTIONS = contents()


@bounded
@given(changes=mutations(PARAMETERS))
def test_parameters(bases, changes):
    content = PARAMETERS
    for path, value in changes:
        content = changed(content, path, value)
    play(bases["plain"], lambda flow: flow.path("parameters.json").write_text(json.dumps(content)))


@bounded
@given(changes=mutations(DISTRIBUTIONS))
def test_distributions(bases, changes):
    content = DISTRIBUTIONS
    for path, value in changes:
        content = changed(content, path, value)
    play(
        bases["plain"], lambda flow: flow.path("distributions.json").write_text(json.dumps(content))
    )


STRUCTURE = {
    "COL": {
        "layers": [1, 2, 3],
        "thicknesses": {1: 300.0, 2: 400.0, 3: 500.0},
        "boundaries": [
            {
                "path": "box.obj", "mode": "repulsive", "mesh_type": "spatial",
                "neurite_types": ["basal_dendrite"], "mtypes": ["PC"],
                "params_section": {"d_min": 5, "d_max": 50, "power": 1.5, "max_tries": 5},
                "params_trunk": {"d_min": 5, "d_max": 500, "power": 3.0},
            },
            {"path": "balls", "multimesh_mode": "closest_y", "mesh_type": "spatial",
             "neurite_types": ["apical_dendrite"], "params_section": {"d_max": 50}},
        ],
        "directions": [
            {"neurite_types": ["basal_dendrite"], "mtypes": ["PC"],
             "params": {"direction": [0, 1, 0], "mode": "perpendicular", "power": 2.0,
                        "layers": [1, 2]}},
        ],
    }
}  # fmt: skip


@bounded
@given(changes=mutations(STRUCTURE))
def test_region_structures(bases, changes):
    content = STRUCTURE
    for path, value in changes:
        content = changed(content, path, value)

    def spoil(flow):
        path = flow.path("atlas", "region_structure.yaml")
        path.write_text(yaml.safe_dump(content, sort_keys=False, allow_unicode=True))

    play(bases["meshes"], spoil)


FIELDS = st.sampled_from(
    ["donor0", "donor1", "N/A", "", '""', "../x", "/etc/passwd", "nobody", "1.0", "0.5", "-1",
     "nan", "inf", "1e999", "0", "7", "8", "\u00fc", "\x00", '"a b"', "morphology", "#"]
)  # fmt: skip


@bounded
@given(
    rows=st.lists(st.tuples(st.sampled_from(["donor0", "donor1", "N/A"]),
                            st.sampled_from(["1.0", "0.5", "N/A", ""])),
                  min_size=8, max_size=8),
    odd=st.lists(st.tuples(st.integers(0, 8), FIELDS, FIELDS, FIELDS), max_size=2),
    separator=st.sampled_from([" ", "\t", ",", "  \t "]),
    ratio=st.sampled_from([0.0, 0.5, 1.0]),
)  # fmt: skip
def test_axon_tables(bases, rows, odd, separator, ratio):
    lines = ["morphology scale".replace(" ", separator)]
    lines += [separator.join((str(i), *row)) for i, row in enumerate(rows)]
    for place, *fields in odd:
        lines[place] = separator.join(fields)

    def spoil(flow):
        flow.path("axons.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
        flow.options.update(max_drop_ratio=ratio, max_failure_ratio=1.0)

    play(bases["axons"], spoil)
