import contextlib
import json
import math
import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from region_grower_flow.errors import InvalidInput
from region_grower_flow.io import documents
from region_grower_flow.io.documents import load_json, load_yaml


@pytest.fixture
def file(tmp_path):
    def write(content, name="parameters.json"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def problem(load, path, **options):
    with pytest.raises(InvalidInput) as caught:
        load(path, **options)
    assert str(path) in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("load", [load_json, load_yaml])
def test_files_that_cannot_be_read(load, tmp_path, file):
    assert "does not exist" in problem(load, tmp_path / "absent")
    assert "is a folder" in problem(load, tmp_path)
    assert "is empty" in problem(load, file(b""))
    assert "is empty" in problem(load, file(b" \n\t"))
    assert "not UTF-8 text (byte 9, line 2)" in problem(load, file(b'{"a": 1\n\xff}'))
    assert "not UTF-8" in problem(load, file('{"a": 1}'.encode("utf-16")))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
def test_a_file_without_permission(file):
    path = file("{}")
    path.chmod(0)
    assert "Permission denied" in problem(load_json, path)


def test_a_pipe_is_not_waited_for(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    assert "not a regular file" in problem(load_json, path)


def test_a_huge_file_is_not_read(file, monkeypatch):
    monkeypatch.setattr(documents, "MAX_BYTES", 10)
    assert "are read" in problem(load_json, file('{"a": 12345678}'))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"a": 1,\n "b": }', "not JSON at line 2, column 7"),
        ("{'a': 1}", "line 1, column 2"),
        ('{"a": 1} {"b": 2}', "line 1, column 10: Extra data"),
        ('{"a": [1, 2}', "line 1, column 12"),
        ('{"a": {"k": 1, "b": 2, "k": 3}}', "the key 'k' is there twice"),
        ('{"a": 1,\n "NaN": [0, NaN]}', "NaN at line 2, column 13"),
        ('{"a": -Infinity}', "-Infinity at line 1, column 7"),
        ('{"a": "Infinity", "b": Infinity}', "Infinity at line 1, column 24"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a": ' + "9" * 5000 + "}", "not JSON that can be read"),
    ],
)
def test_text_that_is_no_json(file, text, words):
    assert words in problem(load_json, file(text))


def test_nan_is_read_where_it_is_allowed(file):
    path = file('{"a": [1, NaN]}')
    assert math.isnan(load_json(path, allow_nan=True)["a"][1])
    assert "Infinity" in problem(load_json, file('{"a": [NaN, Infinity]}'), allow_nan=True)


def test_a_byte_order_mark_is_no_matter(file):
    assert load_json(file(b'\xef\xbb\xbf{"a": 1}')) == {"a": 1}
    assert load_yaml(file(b"\xef\xbb\xbfa: 1\n")) == {"a": 1}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [1,\nb: 2", "not YAML at line 2"),
        ("a: 1\na: 2", "line 2, column 1: the key 'a' is there twice"),
        ("a:\n  b: 1\n  b: 2", "line 3, column 3"),
        ("a: !!python/name:os.system", "line 1, column 4"),
        ("a: 1\n---\nb: 2", "line 2, column 1: but found another document"),
        ("a: 2001-99-99", "not YAML that can be read"),
        ("? [1, 2]\n: 3", "line 1, column 3"),
        ("a: &a [*a]", "nested too deeply"),
        ("[" * 5000, "nested too deeply"),
        ("a: \x01", "not YAML that can be read"),
    ],
)
def test_text_that_is_no_yaml(file, text, words):
    assert words in problem(load_yaml, file(text))


def test_yaml_merges_are_read(file):
    text = "base: &base {a: 1, b: 2}\nc:\n  <<: *base\n  b: 3\n"
    assert load_yaml(file(text))["c"] == {"a": 1, "b": 3}


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner),
    max_leaves=12,
)  # fmt: skip


@settings(deadline=None, derandomize=True, max_examples=60)
@given(st.dictionaries(st.text(max_size=6), VALUES))
def test_what_json_writes_is_read(tmp_path_factory, value):
    path = tmp_path_factory.mktemp("json") / "a.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    assert load_json(path) == value


@settings(deadline=None, derandomize=True, max_examples=150)
@given(st.text(alphabet='{}[]",:0aN-\n &*!|?\x00é', max_size=30), st.sampled_from([0, 1]))
def test_no_text_brings_another_error(tmp_path_factory, text, which):
    path = tmp_path_factory.mktemp("any") / "file"
    path.write_text(text, encoding="utf-8")
    # Any other error than InvalidInput fails the test.
    with contextlib.suppress(InvalidInput):
        (load_json, load_yaml)[which](path)
