"""A failing disk under HDF5 ends in a sentence, not in a crash of the process."""

import contextlib
import io
import os
import resource

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from region_grower_flow.errors import InvalidInput, OutputFailed
from region_grower_flow.io.hdf5 import GuardedFile, hdf5_file, require_held, require_own_content


@contextlib.contextmanager
def limited_size(size):
    """Limit the size of files (bytes) only inside: pytest's own output may go to a long file."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def fill(file, n_groups=30):
    for i in range(n_groups):
        group = file.create_group(f"group{i}")
        group.create_dataset("values", data=np.arange(200 * i) % 251, chunks=None)
        group.attrs["number"] = i


def write_all(path, error=None):
    with hdf5_file(path) as (file, _):
        fill(file)
        if error is not None:
            raise error


def write_with_checks(path, steps):
    with hdf5_file(path) as (file, check):
        for i in range(100):
            file.create_dataset(str(i), data=np.zeros(1000))
            check()
            steps.append(i)


def test_files_are_whole(tmp_path):
    with hdf5_file(tmp_path / "a.h5") as (file, check):
        fill(file)
        check()
    with h5py.File(tmp_path / "a.h5", "r") as file:
        for i in range(30):
            np.testing.assert_array_equal(file[f"group{i}/values"], np.arange(200 * i) % 251)
            assert file[f"group{i}"].attrs["number"] == i
    assert os.listdir(tmp_path) == ["a.h5"]


@pytest.mark.parametrize("size", [0, 1, 96, 1000, 5000, 50_000, 500_000])
def test_files_that_cannot_grow(tmp_path, size):
    path = tmp_path / "a.h5"
    path.write_bytes(b"before")
    expected = pytest.raises(OutputFailed, match=r"a\.h5 cannot be written: the file-size limit")
    with expected, limited_size(size):
        write_all(path)
    assert path.read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["a.h5"]


def test_writers_can_stop_early(tmp_path):
    steps = []
    with pytest.raises(OutputFailed), limited_size(5000):
        write_with_checks(tmp_path / "a.h5", steps)
    assert len(steps) < 3


def test_other_errors_pass_through(tmp_path):
    with pytest.raises(KeyError):
        write_all(tmp_path / "a.h5", KeyError("x"))
    assert os.listdir(tmp_path) == []


PIECES = st.lists(st.tuples(st.integers(0, 300), st.binary(max_size=80)), max_size=12)


@settings(deadline=None, derandomize=True, max_examples=60)
@given(PIECES, st.integers(0, 200), st.tuples(st.integers(0, 300), st.integers(0, 300)))
def test_what_was_written_is_read_back_even_after_a_failure(tmp_path_factory, pieces, size, window):
    path = tmp_path_factory.mktemp("guarded") / "a"
    expected = io.BytesIO()
    with open(path, "x+b", buffering=0) as raw:
        guarded = GuardedFile(raw)
        with limited_size(size):
            for place, content in pieces:
                expected.seek(place)
                guarded.seek(place)
                assert guarded.write(content) == expected.write(content) == len(content)
        place, length = window
        guarded.seek(place)
        found = guarded.read(length)
        assert found == expected.getvalue()[place : place + length].ljust(length, b"\0")
        assert guarded.tell() == place + length
        too_long = any(place + len(content) > size for place, content in pieces if content)
        assert (guarded.failure is not None) == too_long


def external_link(file, other):
    file["x"] = h5py.ExternalLink(other, "/x")


def link_below_a_link(file, other):
    file.create_group("a/b")["x"] = h5py.ExternalLink(other, "/x")


def virtual(file, other):
    layout = h5py.VirtualLayout((8,), dtype="f8")
    layout[:] = h5py.VirtualSource(other, "/x", (8,))
    file.create_virtual_dataset("x", layout)


def stored_outside(file, other):
    file.create_dataset("x", (8,), "f8", external=[(other, 0, 64)])


@pytest.mark.parametrize("make", [external_link, link_below_a_link, virtual, stored_outside])
@pytest.mark.parametrize("there", [True, False])
def test_content_of_other_files_is_refused(tmp_path, make, there, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if there:
        with h5py.File("other.h5", "w") as file:
            file["x"] = np.ones(8)
    with h5py.File("file.h5", "w") as file:
        make(file, "other.h5")
    with (
        h5py.File("file.h5", "r") as file,
        pytest.raises(InvalidInput, match=r"file\.h5: '.*x' is .*other\.h5"),
    ):
        require_own_content(file, "file.h5")


def test_links_and_virtual_datasets_within_a_file_are_its_own(tmp_path):
    with h5py.File(tmp_path / "file.h5", "w") as file:
        file["y"] = np.ones(8)
        file["soft"] = h5py.SoftLink("/y")
        file["circle"] = h5py.SoftLink("/circle")
        layout = h5py.VirtualLayout((8,), dtype="f8")
        layout[:] = h5py.VirtualSource(".", "/y", (8,))
        file.create_virtual_dataset("x", layout)
    with h5py.File(tmp_path / "file.h5", "r") as file:
        require_own_content(file, "file.h5")


@pytest.mark.parametrize("how", [{}, {"chunks": (2,)}, {"chunks": (2,), "partly": True}])
def test_values_that_were_never_written_are_refused(tmp_path, how):
    partly = how.pop("partly", False)
    with h5py.File(tmp_path / "file.h5", "w") as file:
        dataset = file.create_dataset("x", (8,), "f8", **how)
        if partly:
            dataset[:2] = 1
        with pytest.raises(InvalidInput, match="the values of 'x' were never written"):
            require_held(dataset, "file.h5")
        dataset[...] = 0
        require_held(dataset, "file.h5")
