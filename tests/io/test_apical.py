"""The YAML files of apical points are byte for byte those of yaml.dump."""

import numpy as np
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from region_grower_flow.io.apical import write_apical_nrn_sections, write_apical_points
from region_grower_flow.io.morphologies import morphology_name, relative_stem

PROPERTY = settings(deadline=None, derandomize=True, max_examples=50)

NAMES = st.one_of(
    st.builds(
        lambda seed, depth: relative_stem(morphology_name(seed), depth),
        st.integers(0, 2**32),
        st.sampled_from([None, 0, 1, 2]),
    ),
    # Names of 32 digits, and others that YAML would read as numbers, dates or nothing.
    st.from_regex(r"[0-9]{32}|[0-9]{31}e|0b[01]{30}|0x[0-9a-f]{30}", fullmatch=True),
    st.sampled_from(["null", "true", "2001-01-01", "1e5", "~", "a: b", "- a", "é", "", "no", "#x"]),
)
COORDINATES = st.floats(width=32, allow_nan=False, allow_infinity=False)


def as_yaml(values):
    return yaml.safe_dump(values, allow_unicode=True)


def columns(points):
    """(names, points) of {name: point or None}."""
    names = sorted(points)
    rows = [points[name] or [np.nan] * 3 for name in names]
    packed = np.array([name.encode() for name in names], dtype=np.bytes_)
    return packed, np.array(rows, dtype=float).reshape(-1, 3)


# What YAML writes with an exponent, and JSON without, or the other way round, among them.
MANY_COORDINATES = COORDINATES | st.sampled_from([0.0, -0.0, 1e-4, 9.99e-5, 1e-5, 1e15, 1e16, 1e17])


@PROPERTY
@given(
    st.dictionaries(NAMES, st.none() | st.tuples(*[MANY_COORDINATES] * 3).map(list), max_size=6),
    st.integers(1, 6),
)
def test_points(tmp_path_factory, points, size):
    path = tmp_path_factory.mktemp("apical") / "apical.yaml"
    batches = [slice(start, start + size) for start in range(0, len(points), size)]
    write_apical_points(path, ([column[batch] for column in columns(points)] for batch in batches))
    assert path.read_text(encoding="utf-8") == as_yaml(points)
    assert yaml.safe_load(path.read_text(encoding="utf-8")) == points


@PROPERTY
@given(st.dictionaries(NAMES, st.lists(st.none() | st.integers(0, 300), max_size=3), max_size=6))
def test_sections(tmp_path_factory, sections):
    path = tmp_path_factory.mktemp("apical") / "sections.yaml"
    write_apical_nrn_sections(path, sorted(sections.items()))
    assert path.read_text(encoding="utf-8") == as_yaml(sections)


def test_numbers_that_are_not_finite_stay_readable(tmp_path):
    point = [float("inf"), float("-inf"), float("nan")]
    write_apical_points(tmp_path / "a.yaml", [columns({"ab": point})])
    read = yaml.safe_load((tmp_path / "a.yaml").read_text())["ab"]
    assert read[:2] == [float("inf"), float("-inf")]
    assert read[2] != read[2]


@pytest.mark.golden
def test_files_of_the_reference(shared, tmp_path):
    for name, write in (
        ("apical.yaml", lambda path, points: write_apical_points(path, [columns(points)])),
        (
            "apical_nrn_sections.yaml",
            lambda path, sections: write_apical_nrn_sections(path, sorted(sections.items())),
        ),
    ):
        for path in (shared / "golden").glob(f"*/golden/{name}"):
            write(tmp_path / name, yaml.safe_load(path.read_text()))
            assert (tmp_path / name).read_text() == path.read_text()
