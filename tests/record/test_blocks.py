"""Block files: what is not whole is not believed."""

import time

import pytest

from region_grower_flow.errors import InvalidInput, OutputFailed
from region_grower_flow.record.blocks import (
    block_files,
    block_name,
    finished_records,
    read_block,
    write_block,
)


def record(row, digest="d", status="made", **more):
    return {"row": row, "digest": digest, "status": status, "reason": "two\nlines \u2028 é", **more}


@pytest.fixture
def block(tmp_path):
    return write_block(tmp_path, block_name("job", 0, 5), [record(5), record(6)])


def test_records_come_back(block, tmp_path):
    assert finished_records(tmp_path) == {(5, "d"): record(5), (6, "d"): record(6)}


def test_odd_numbers_come_back(tmp_path):
    odd = record(5, debug={"scale": float("inf"), "small": 1e-300, "large": 2**70})
    assert read_block(write_block(tmp_path, block_name("job", 0, 5), [odd])) == [odd]


def test_missing_folder_has_no_records(tmp_path):
    assert finished_records(tmp_path / "absent") == {}


@pytest.mark.parametrize("share", [0.0, 0.1, 0.4, 0.6, 0.9, 0.999])
def test_whole_lines_of_a_truncated_block_count(block, share):
    data = block.read_bytes()
    block.write_bytes(data[: int(len(data) * share)])
    assert read_block(block) == ([record(5)] if share > 0.5 else [])
    assert block.exists()


def test_any_changed_byte_is_found(block):
    data, whole = block.read_bytes(), read_block(block)
    for place in range(len(data)):
        block.write_bytes(data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :])
        left = read_block(block)
        assert len(left) < 2
        assert all(each in whole for each in left)


def test_a_block_that_cannot_be_read_is_an_error(block):
    block.unlink()
    block.symlink_to(block)
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_block(block)


@pytest.mark.parametrize(
    "content",
    [b"", b"\n", b"[]\n", b"null\n", b'{"format": 1}\n', b"\xff\xfe\n", b"[" * 100_000],
)
def test_odd_files_are_no_blocks(tmp_path, content):
    (tmp_path / "odd.jsonl").write_bytes(content)
    assert finished_records(tmp_path) == {}


@pytest.mark.parametrize("odd", [{}, {"row": 1}, [], record(True, 3), record(1, status="maybe")])
def test_odd_records_are_no_blocks(tmp_path, odd):
    write_block(tmp_path, "a.jsonl", [odd])
    assert finished_records(tmp_path) == {}


def test_temporary_files_are_no_blocks(block, tmp_path):
    temporary = tmp_path / ".tmp-1-2.jsonl"
    temporary.write_bytes(block.read_bytes())
    assert block_files(tmp_path) == [block]


def test_made_record_wins(tmp_path):
    write_block(tmp_path, block_name("a", 0, 1), [record(1, extra="made")])
    write_block(tmp_path, block_name("b", 0, 1), [record(1, status="dropped")])
    assert finished_records(tmp_path)[1, "d"]["extra"] == "made"


def test_records_of_one_job(tmp_path):
    write_block(tmp_path, block_name("a", 0, 1), [record(1)])
    write_block(tmp_path, block_name("b", 0, 2), [record(2)])
    assert set(finished_records(tmp_path, job="b")) == {(2, "d")}


def test_missing_folder_is_one_sentence(tmp_path):
    with pytest.raises(OutputFailed, match="cannot be written"):
        write_block(tmp_path / "absent", "a.jsonl", [record(1)])


def test_many_records_are_read_quickly(tmp_path):
    # No limit of time here, but a quadratic reader would not end.
    for block in range(40):
        rows = range(block * 500, block * 500 + 500)
        write_block(tmp_path, block_name("a", block, rows[0]), [record(row) for row in rows])
    start = time.monotonic()
    assert len(finished_records(tmp_path)) == 20_000
    print(f"{20_000 / (time.monotonic() - start):.0f} records/s")
