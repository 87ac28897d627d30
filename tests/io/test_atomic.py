"""Writing files whole or not at all, and names that stay in their folder."""

import errno
import json
import os
import resource
import stat

import pytest

from helpers.sentences import saying
from region_grower_flow.errors import InvalidInput, OutputFailed
from region_grower_flow.io.atomic import (
    atomic_write,
    make_folder,
    make_own_folder,
    open_own,
    output_failed,
    remove_own,
    safe_child,
    write_bytes_atomic,
    write_json_atomic,
    write_text_atomic,
    writing,
)


def test_content_is_written_and_nothing_else_is_left(tmp_path):
    write_bytes_atomic(tmp_path / "a", b"abc", durable=True)
    write_text_atomic(tmp_path / "b", "µm")
    write_json_atomic(tmp_path / "c", {"z": 1, "a": [None, "µ"]})
    assert (tmp_path / "a").read_bytes() == b"abc"
    assert (tmp_path / "b").read_text(encoding="utf-8") == "µm"
    assert json.loads((tmp_path / "c").read_text(encoding="utf-8")) == {"z": 1, "a": [None, "µ"]}
    assert sorted(os.listdir(tmp_path)) == ["a", "b", "c"]


def test_files_have_the_usual_permissions(tmp_path):
    umask = os.umask(0o027)
    try:
        write_bytes_atomic(tmp_path / "a", b"abc")
    finally:
        os.umask(umask)
    assert stat.S_IMODE(os.stat(tmp_path / "a").st_mode) == 0o640


def test_json_has_no_nan(tmp_path):
    with pytest.raises(ValueError, match="Out of range"):
        write_json_atomic(tmp_path / "c", {"a": float("nan")})
    assert os.listdir(tmp_path) == []


def write_half(path):
    with atomic_write(path) as temporary:
        temporary.write_text("half")
        raise OSError(errno.ENOSPC, "x")


def test_a_failure_leaves_the_earlier_file_and_no_temporary_one(tmp_path):
    path = tmp_path / "a"
    path.write_text("before")
    with pytest.raises(OutputFailed, match="disk is full"):
        write_half(path)
    assert path.read_text() == "before"
    assert os.listdir(tmp_path) == ["a"]


def test_the_longest_possible_name_can_be_written(tmp_path):
    name = "n" * 255
    write_bytes_atomic(tmp_path / name, b"abc")
    assert os.listdir(tmp_path) == [name]


def test_a_name_that_is_too_long_is_a_sentence(tmp_path):
    with pytest.raises(OutputFailed, match="the name is too long"):
        write_bytes_atomic(tmp_path / ("n" * 256), b"abc")
    assert os.listdir(tmp_path) == []


def test_a_missing_folder_is_a_sentence(tmp_path):
    with pytest.raises(OutputFailed, match=saying("/no/a | folder does not exist")):
        write_bytes_atomic(tmp_path / "no" / "a", b"abc")


def test_a_folder_in_place_of_the_file_is_a_sentence(tmp_path):
    (tmp_path / "a" / "b").mkdir(parents=True)
    with pytest.raises(OutputFailed, match="a folder is in its place"):
        write_bytes_atomic(tmp_path / "a", b"abc")


def test_an_empty_folder_in_place_of_the_file_goes(tmp_path):
    (tmp_path / "a").mkdir()
    write_bytes_atomic(tmp_path / "a", b"abc")
    assert (tmp_path / "a").read_bytes() == b"abc"


def test_a_link_in_place_of_a_file_of_ours_goes(tmp_path):
    (tmp_path / "mine").write_bytes(b"a user's")
    (tmp_path / "lock").symlink_to(tmp_path / "mine")
    handle = open_own(tmp_path / "lock", os.O_RDWR | os.O_CREAT)
    os.write(handle, b"ours")
    os.close(handle)
    assert (tmp_path / "mine").read_bytes() == b"a user's"
    assert (tmp_path / "lock").read_bytes() == b"ours"


def test_a_folder_of_ours_below_a_link_is_refused(tmp_path):
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "blocks").symlink_to(tmp_path)
    with pytest.raises(OutputFailed, match="blocks is a link"):
        make_own_folder(tmp_path / "work", "blocks", "cells")
    assert make_own_folder(tmp_path / "work", "chunks").is_dir()


def test_a_file_in_place_of_the_folder_is_a_sentence(tmp_path):
    (tmp_path / "a").write_text("")
    with pytest.raises(OutputFailed, match="a file, not a folder"):
        write_bytes_atomic(tmp_path / "a" / "b", b"abc")
    with pytest.raises(OutputFailed, match="a file is in the place of a folder"):
        make_folder(tmp_path / "a")


def test_the_file_size_limit_is_a_sentence(tmp_path):
    path = tmp_path / "a"
    path.write_bytes(b"before")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OutputFailed, match=r"the file-size limit is reached; raise it"):
            write_bytes_atomic(path, b"x" * 5000)
        with pytest.raises(OutputFailed, match=r"the file-size limit is reached"):
            _write_with_h5py(path)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_bytes() == b"before"
    assert os.listdir(tmp_path) == ["a"]


def _write_with_h5py(path):
    import h5py
    import numpy as np

    with atomic_write(path) as temporary, h5py.File(temporary, "w") as file:
        file.create_dataset("points", data=np.zeros(10_000))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_read_only_folder_is_a_sentence(tmp_path):
    os.chmod(tmp_path, 0o500)
    try:
        with pytest.raises(OutputFailed, match="permission denied"):
            write_bytes_atomic(tmp_path / "a", b"abc")
    finally:
        os.chmod(tmp_path, 0o700)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_a_full_disk_is_a_sentence():
    with (
        pytest.raises(OutputFailed, match=r"out\.h5 cannot be written: the disk is full"),
        writing("out.h5"),
        open("/dev/full", "wb", buffering=0) as file,
    ):
        file.write(b"abc")


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full; free some space"),
        (errno.EDQUOT, "the disk quota is used up"),
        (errno.EROFS, "the file system is read-only"),
        (errno.EACCES, "permission denied"),
        (errno.EFBIG, "the file-size limit is reached"),
        (errno.EBUSY, "Device or resource busy"),
    ],
)
def test_system_errors_are_one_sentence(number, words):
    sentence = str(output_failed(OSError(number, "x"), "out/nodes.h5"))
    assert sentence.startswith("out/nodes.h5 cannot be written: ")
    assert words in sentence
    assert "\n" not in sentence


def test_the_errors_of_hdf5_count_when_they_quote_the_system():
    with pytest.raises(OutputFailed, match="the disk is full"), writing("a"):
        raise RuntimeError("Can't decrement id ref count (errno = 28, error message = '...')")
    with pytest.raises(RuntimeError, match="other"), writing("a"):
        raise RuntimeError("other")


def test_names_below_the_folder_are_taken(tmp_path):
    assert safe_child(tmp_path, "a.h5") == tmp_path / "a.h5"
    assert safe_child(tmp_path, "hashed/0a/..b") == tmp_path / "hashed" / "0a" / "..b"
    assert safe_child(tmp_path, "Zellkörper 1") == tmp_path / "Zellkörper 1"


@pytest.mark.parametrize(
    "name",
    ["", " ", "/etc/passwd", "../x", "../../x", "a/../../x", "a/..", ".", "./a", "a//b", "a/"]
    + ["a\0b", "a\nb", "\x1b[31m", None, 3, float("nan")],
)
def test_names_that_leave_the_folder_are_refused(tmp_path, name):
    with pytest.raises(InvalidInput) as caught:
        safe_child(tmp_path, name)
    assert str(tmp_path) in str(caught.value)
    assert "\0" not in str(caught.value)


def test_symbolic_links_out_of_the_folder_are_refused(tmp_path):
    inside, outside = tmp_path / "in", tmp_path / "out"
    inside.mkdir()
    outside.mkdir()
    (inside / "link").symlink_to(outside)
    (inside / "near").symlink_to(inside)
    with pytest.raises(InvalidInput, match="symbolic link"):
        safe_child(inside, "link/a.h5")
    assert safe_child(inside, "near/a.h5") == inside / "near" / "a.h5"
    # A folder that is itself reached through a link is the user's own choice.
    (tmp_path / "alias").symlink_to(inside)
    assert safe_child(tmp_path / "alias", "a.h5") == tmp_path / "alias" / "a.h5"


def test_a_file_of_ours_is_removed_also_where_an_empty_folder_is_in_its_place(tmp_path):
    path = tmp_path / "ours"
    remove_own(path)
    path.write_text("")
    remove_own(path)
    path.mkdir()
    remove_own(path)
    assert not path.exists()
    path.mkdir()
    (path / "mine").write_text("mine")
    with pytest.raises(OutputFailed, match="a folder is in its place"):
        remove_own(path)
    assert (path / "mine").exists()


def test_a_link_to_a_folder_is_removed_and_not_what_it_leads_to(tmp_path):
    (tmp_path / "far").mkdir()
    (tmp_path / "ours").symlink_to(tmp_path / "far")
    remove_own(tmp_path / "ours")
    assert os.listdir(tmp_path) == ["far"]
