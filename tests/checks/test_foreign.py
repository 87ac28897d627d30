"""Files that the flow has not written are found, also when they come after the first look."""

import os
import time

import pytest

from region_grower_flow.checks import foreign
from region_grower_flow.checks.foreign import look_for_foreign
from region_grower_flow.record.listing import write_listing


@pytest.fixture
def placed(tmp_path):
    """A folder with two files of ours, one of them in a folder below, all of an hour ago."""
    folder = tmp_path / "out"
    (folder / "below").mkdir(parents=True)
    for name in ("a.h5", "below/b.h5"):
        (folder / name).write_bytes(b"1")
    write_listing(tmp_path / "listing", folder, {"a.h5": (1, 0), "below/b.h5": (1, 0)})
    for path in (folder, folder / "below"):
        os.utime(path, (1, 1))
    return folder, tmp_path / "listing", tmp_path / "staged"


def test_a_folder_is_looked_through_once(placed, monkeypatch):
    assert look_for_foreign(*placed).foreign == ()
    assert look_for_foreign(*placed).has_ours
    monkeypatch.setattr(foreign, "_look", lambda *_: pytest.fail("looked through again"))
    assert look_for_foreign(*placed).foreign == ()


@pytest.mark.parametrize("name", ["mine", "below/mine", "new/mine", ".tmp-mine"])
def test_what_comes_later_is_found(placed, name):
    look_for_foreign(*placed)
    (placed[0] / name).parent.mkdir(exist_ok=True)
    (placed[0] / name).write_text("a user's")
    assert look_for_foreign(*placed).foreign == (() if name.startswith(".tmp-") else (name,))


def test_another_listing_is_another_look(placed):
    look_for_foreign(*placed)
    write_listing(placed[1], placed[0], {"below/b.h5": (1, 0)})
    assert look_for_foreign(*placed).foreign == ("a.h5",)


def test_what_has_just_changed_is_looked_at_again(placed, monkeypatch):
    looks, look = [], foreign._look
    monkeypatch.setattr(foreign, "_look", lambda *where: looks.append(where) or look(*where))
    soon = time.time() + 60
    os.utime(placed[0] / "below", (soon, soon))
    for _ in range(2):
        look_for_foreign(*placed)
    assert looks == [placed, placed]
