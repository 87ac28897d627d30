"""NRRD files: the arrays of pynrrd, within the bounds of the header."""

import bz2
import gzip
import os
import re

import nrrd
import numpy as np
import pytest

from region_grower_flow.errors import InvalidInput
from region_grower_flow.io import nrrd_data
from region_grower_flow.io.nrrd_data import (
    read_nrrd,
    read_nrrd_header,
    unpack_nrrd,
    unpacked_bytes,
)
from region_grower_flow.io.nrrd_volumes import read_volume

VALUES = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)


@pytest.fixture
def write(tmp_path):
    """Writes a header with some lines more, and what follows it; returns the path."""

    def write_file(content, encoding="raw", *lines, **changed):
        fields = {"type": "float", "dimension": 4, "sizes": "2 3 4 5", "endian": "little"}
        head = [f"{name}: {value}" for name, value in {**fields, **changed}.items()]
        text = "\n".join(["NRRD0005", *head, f"encoding: {encoding}", *lines, "", ""])
        path = tmp_path / "volume.nrrd"
        path.write_bytes(text.encode() + content)
        return path

    return write_file


def raw(values=VALUES):
    return values.tobytes(order="F")


@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2", "ascii"])
@pytest.mark.parametrize("kind", [np.float32, np.int8, np.uint32, np.float64])
def test_arrays_are_those_of_pynrrd(tmp_path, encoding, kind):
    path = tmp_path / "volume.nrrd"
    nrrd.write(str(path), VALUES.astype(kind), {"encoding": encoding})
    found, header = read_nrrd(path)
    expected, expected_header = nrrd.read(str(path))
    assert found.dtype == expected.dtype
    np.testing.assert_array_equal(found, expected)
    assert repr(header) == repr(expected_header) == repr(read_nrrd_header(path))


PACKED = {
    "raw": (raw, {}),
    "big": (lambda: raw(VALUES.astype(">f4")), {"endian": "big"}),
    "skips": (lambda: b"one\ntwo\nxyz" + raw(), {"line skip": 2, "byte skip": 3}),
    "gzip": (lambda: gzip.compress(raw()), {}),
    "bz2": (lambda: bz2.compress(raw()), {}),
    "ascii": (lambda: " ".join(map(str, VALUES.ravel(order="F"))).encode(), {}),
}


@pytest.mark.parametrize("packing", PACKED)
def test_unpacked_files_have_the_same_array_to_be_mapped(write, tmp_path, packing):
    content, fields = PACKED[packing]
    encoding = "raw" if packing in ("big", "skips") else packing
    spacing = {"space origin": "(1.5,-2,0.1)", "space dimension": 3}
    directions = {"space directions": "none (38.7,0,0) (0,25,0) (0,0,-0.1)"}
    path = write(content(), encoding, **fields, **spacing, **directions)
    target = tmp_path / "unpacked.nrrd"
    unpack_nrrd(path, target)
    found, _ = read_nrrd(target, mapped=True)
    np.testing.assert_array_equal(found, VALUES)
    assert unpacked_bytes(path) == unpacked_bytes(target) == VALUES.nbytes
    # Compiled code wants values of this machine, aligned; nobody may change them.
    assert found.dtype.isnative
    assert found.flags.aligned
    assert not found.flags.writeable
    packed, unpacked = read_volume(path), read_volume(target, mapped=True)
    np.testing.assert_array_equal(packed.raw, unpacked.raw)
    np.testing.assert_array_equal(packed.bbox, unpacked.bbox)
    np.testing.assert_array_equal(nrrd.read(str(target))[0], VALUES)


def test_what_is_packed_or_cut_is_not_mapped(write):
    for path in (write(gzip.compress(raw()), "gzip"), write(raw()[:-4])):
        with pytest.raises(InvalidInput, match="does not hold the 120 values"):
            read_nrrd(path, mapped=True)


def test_skips_within_the_file(write):
    lines = "line skip: 2", "byte skip: 3"
    path = write(b"one\ntwo\nxyz" + raw(), "raw", *lines)
    np.testing.assert_array_equal(read_nrrd(path)[0], VALUES)
    path = write(b"anything" + raw(), "raw", "byte skip: -1")
    np.testing.assert_array_equal(read_nrrd(path)[0], VALUES)


@pytest.mark.parametrize("line", ["line skip: 1000000000", "byte skip: 1000000000", "lineskip: -1"])
@pytest.mark.parametrize("encoding", ["raw", "gzip"])
def test_skips_beyond_the_file_are_refused_at_once(write, line, encoding):
    with pytest.raises(InvalidInput, match=r"volume\.nrrd: .*skips"):
        read_nrrd(write(raw() if encoding == "raw" else gzip.compress(raw()), encoding, line))


@pytest.mark.parametrize("line", ["data file: other.raw", "datafile: other.raw", "data file: LIST"])
def test_detached_headers_are_refused(write, line):
    path = write(b"", "raw", line)
    os.mkfifo(path.with_name("other.raw"))
    for read in (read_nrrd, read_nrrd_header):
        with pytest.raises(InvalidInput, match="its values are in another file"):
            read(path)


@pytest.mark.parametrize("encoding", ["raw", "gzip", "bzip2", "ascii"])
@pytest.mark.parametrize("count", [-1, 1])
def test_other_numbers_of_values_are_refused(write, encoding, count):
    values = np.resize(VALUES.ravel(order="F"), VALUES.size + count)
    content = {
        "raw": values.tobytes(),
        "gzip": gzip.compress(values.tobytes()),
        "bzip2": bz2.compress(values.tobytes()),
        "ascii": " ".join(map(str, values)).encode(),
    }
    with pytest.raises(InvalidInput, match="does not hold the 120 values"):
        read_nrrd(write(content[encoding], encoding))


@pytest.mark.parametrize("encoding", ["gzip", "bzip2"])
def test_what_is_compressed_gives_no_more_than_the_header_says(write, encoding, monkeypatch):
    """A few kilobytes can give gigabytes: no more than one part of them is read."""
    monkeypatch.setattr(nrrd_data, "_READ_BYTES", 1000)
    bomb = raw() + bytes(50 << 20)
    path = write((gzip if encoding == "gzip" else bz2).compress(bomb), encoding)
    with pytest.raises(InvalidInput, match="does not hold"):
        read_nrrd(path)


def test_claims_beyond_any_compression_are_refused(write):
    path = write(gzip.compress(raw()), "gzip", sizes="2000 3000 4000 5000")
    with pytest.raises(InvalidInput, match=re.escape("does not hold the 120000000000000 values")):
        read_nrrd(path)


def test_a_header_without_end_is_refused(tmp_path):
    path = tmp_path / "volume.nrrd"
    path.write_bytes(b"NRRD0005\n" + b"# comment\n" * 200_000)
    with pytest.raises(InvalidInput, match="its header has no end"):
        read_nrrd_header(path)


def test_a_pipe_is_refused(tmp_path):
    os.mkfifo(tmp_path / "volume.nrrd")
    with pytest.raises(InvalidInput, match="is not a regular file"):
        read_nrrd(tmp_path / "volume.nrrd")
