"""Claims: the container that a work folder writes."""

from region_grower_flow import layout
from region_grower_flow.record.claims import claim, is_claimed


def test_a_claim_is_of_one_work_folder_and_of_the_latest_container(tmp_path):
    work, other = tmp_path / "work", tmp_path / "other"
    assert not is_claimed(work, tmp_path / "a.h5")
    claim(work, tmp_path / "a.h5")
    assert is_claimed(work, tmp_path / "a.h5")
    assert not is_claimed(other, tmp_path / "a.h5")
    claim(work, tmp_path / "b.h5")
    assert is_claimed(work, tmp_path / "b.h5")
    assert not is_claimed(work, tmp_path / "a.h5")


def test_a_claim_moves_with_its_folder_and_one_of_other_bytes_is_none(tmp_path):
    claim(tmp_path / "flow" / "work", tmp_path / "flow" / "a.h5")
    (tmp_path / "flow").rename(tmp_path / "moved")
    work = tmp_path / "moved" / "work"
    assert is_claimed(work, tmp_path / "moved" / "a.h5")
    (work / layout.MANIFESTS / layout.CLAIM).write_bytes(b"\xff\xfe")
    assert not is_claimed(work, tmp_path / "moved" / "a.h5")


def test_claims_have_a_name_that_cleaning_knows():
    assert layout.WORK_FILES[layout.MANIFESTS].fullmatch(layout.CLAIM)
