"""Whatever is in the files of placement, the answer is a value or a sentence."""

import json

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from region_grower_flow.errors import InvalidInput
from region_grower_flow.placement.densities import load_densities
from region_grower_flow.placement.donors import load_donors, load_home
from region_grower_flow.placement.planes import load_slices
from region_grower_flow.placement.properties import load_taxonomy
from region_grower_flow.placement.rules import load_annotations, load_rules

KEYS = st.sampled_from(
    ["neurons", "version", "density", "region", "traits", "mtype", "slices", "left", "right",
     "point", "normal", "thicknesses", "soma_depths", "1", "PC", "y_min", "y_max", ""]
)  # fmt: skip
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 10**20),
    st.floats(allow_nan=True, allow_infinity=True),
    st.sampled_from(["v2.0", "@(", "{", "{x}", "a.nrrd", "", "PC", "1e5"]),
)
DOCUMENTS = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4)
)
TEXTS = st.text(alphabet='<>/="\n\t, abmtypenraul1_rule', max_size=80)

quick = settings(
    max_examples=60,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


def survives(load, path):
    refused = "read"
    try:
        load(path)
    except InvalidInput as error:
        refused = str(error)
    assert refused.strip()


@pytest.mark.parametrize("load", [load_densities, load_home, load_slices])
@quick
@given(content=DOCUMENTS)
def test_any_yaml_is_read_or_refused(load, content, tmp_path):
    path = tmp_path / "file.yaml"
    path.write_text(yaml.safe_dump(content))
    survives(load, path)


@quick
@given(content=DOCUMENTS)
def test_any_annotations_are_read_or_refused(content, tmp_path):
    path = tmp_path / "annotations.json"
    path.write_text(json.dumps(content))
    survives(load_annotations, path)


@pytest.mark.parametrize("load", [load_rules, load_donors, load_taxonomy, load_annotations])
@quick
@given(text=TEXTS)
def test_any_text_is_read_or_refused(load, text, tmp_path):
    path = tmp_path / "file.csv"
    path.write_text(text)
    survives(load, path)
