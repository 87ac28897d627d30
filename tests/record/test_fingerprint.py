"""Fingerprints: equal for equal content, different for any change that matters."""

import os

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from region_grower_flow.errors import InvalidInput
from region_grower_flow.record.fingerprint import (
    FileDigests,
    Recipe,
    canonical_json,
    differences,
    package_versions,
)

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@settings(deadline=None, derandomize=True, max_examples=50)
@given(st.dictionaries(st.text(), values))
def test_canonical_json_ignores_the_order_of_keys(content):
    backwards = dict(reversed(list(content.items())))
    assert canonical_json(content) == canonical_json(backwards)


def test_numpy_and_tuples_are_as_lists():
    assert canonical_json({"a": np.array([1.5, 2])}) == canonical_json({"a": (1.5, 2.0)})


def test_nan_and_infinity_are_told_apart():
    texts = {canonical_json(x) for x in (float("nan"), float("inf"), float("-inf"), None, "nan")}
    assert len(texts) == 5


def test_what_json_cannot_hold_is_refused():
    with pytest.raises(TypeError):
        canonical_json({1, 2})


def test_a_touched_file_keeps_its_digest_and_an_edited_one_does_not(tmp_path):
    path = tmp_path / "file"
    path.write_text("one")
    digests = FileDigests()
    before = digests.digest(path)
    os.utime(path, (1, 1))
    assert digests.digest(path) == before
    path.write_text("two")
    assert digests.digest(path) != before


def test_a_folder_has_the_digest_of_its_files_and_their_names(tmp_path):
    (tmp_path / "a").write_text("x")
    before = FileDigests().digest(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    assert FileDigests().digest(tmp_path) != before


def test_digests_are_remembered_by_stamp(tmp_path):
    path = tmp_path / "file"
    path.write_text("content")
    first = FileDigests(tmp_path / "memory.json")
    digest = first.digest(path)
    stat = path.stat()
    (tmp_path / "memory.json").write_bytes(canonical_json(first.news()))
    second = FileDigests(tmp_path / "memory.json")
    assert second.digest(path) == digest
    assert second.news() is None
    # Another content of the same size and time of change, as cp -p makes it.
    path.write_text("CONTENT")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert FileDigests(tmp_path / "memory.json").digest(path) != digest


def test_a_memory_that_was_edited_counts_for_nothing(tmp_path):
    path = tmp_path / "file"
    path.write_text("content")
    first = FileDigests(tmp_path / "memory.json")
    digest = first.digest(path)
    text = canonical_json(first.news()).decode().replace(digest, digest[::-1])
    (tmp_path / "memory.json").write_text(text)
    assert FileDigests(tmp_path / "memory.json").digest(path) == digest


@pytest.mark.parametrize("content", ["", "[]", "{", '{"a": 1}', "\x00"])
def test_a_damaged_memory_is_no_memory(tmp_path, content):
    (tmp_path / "memory.json").write_text(content)
    (tmp_path / "file").write_text("x")
    digest = FileDigests(tmp_path / "memory.json").digest(tmp_path / "file")
    assert digest == FileDigests().digest(tmp_path / "file")


def test_a_missing_file_is_an_invalid_input(tmp_path):
    with pytest.raises(InvalidInput, match="nowhere"):
        FileDigests().digest(tmp_path / "nowhere")


@pytest.mark.parametrize(
    "change",
    [
        {"stage": "other"},
        {"version": 2},
        {"parameters": {"seed": 1}},
        {"upstream": {"above": "y"}},
        {"files": {"cells": "f"}},
        {"packages": {"numpy": "2"}},
    ],
)
def test_every_part_of_a_recipe_counts(change):
    parts = {
        "stage": "s",
        "version": 1,
        "parameters": {"seed": 0},
        "upstream": {"above": "x"},
        "files": {"cells": "e"},
        "packages": {"numpy": "1"},
    }
    old, new = Recipe(**parts), Recipe(**{**parts, **change})
    assert old.fingerprint() != new.fingerprint()
    assert old.fingerprint() == Recipe(**parts).fingerprint()
    if "stage" not in change:
        assert len(differences(old.as_dict(), new.as_dict())) == 1


def test_differences_name_old_and_new():
    old = Recipe("s", 1, parameters={"seed": 0}).as_dict()
    new = Recipe("s", 1, parameters={"seed": 7}).as_dict()
    assert differences(old, new) == ["parameter seed: 0 -> 7"]


def test_package_versions_say_what_is_missing():
    versions = package_versions(["numpy", "surely-not-installed"])
    assert versions["numpy"] == np.__version__
    assert versions["surely-not-installed"] is None
