"""Kept results are used for the same inputs, and only when whole."""

import json

import pytest

from region_grower_flow.record.kept import Kept

RESULT = {"bars": [[0.1, float("nan")], [1e-9, 2]], "name": "Zelle é", "why": None}


def test_a_result_comes_back_as_it_was(tmp_path):
    path = tmp_path / "a.json"
    Kept(None, path, "f1").write(RESULT)
    assert json.dumps(Kept(None, path, "f1").read()) == json.dumps(RESULT)
    assert Kept(None, path, "f2").read() is None
    assert Kept(None, tmp_path / "absent.json", "f1").read() is None


@pytest.mark.parametrize(
    ("old", "new"),
    [("0.1", "0.2"), ("1e-09", "1e-08"), ("null", "3"), ('"bars"', '"bar"'), ("Zelle", "Zella")],
)
def test_what_was_edited_is_not_used(tmp_path, old, new):
    path = tmp_path / "a.json"
    Kept(None, path, "f1").write(RESULT)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    assert Kept(None, path, "f1").read() is None


@pytest.mark.parametrize("content", ["", "{", "[]", "null", "[" * 100_000, '{"fingerprint": "f1"}'])
def test_what_is_no_kept_result_is_not_used(tmp_path, content):
    path = tmp_path / "a.json"
    path.write_text(content)
    assert Kept(None, path, "f1").read() is None
