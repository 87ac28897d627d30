"""Files that are read: regular ones, and the same before and after."""

import os
import pickle
import socket

import pytest

from region_grower_flow.errors import InputChanged, InvalidInput
from region_grower_flow.io.files import digest_file, expecting, reading, require_all, stamp_of


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "input"
    path.write_text("content")
    return path


def make_odd(kind, path):
    if kind == "folder":
        path.mkdir()
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(str(path))
    elif kind == "link to nowhere":
        path.symlink_to(path.with_name("nowhere"))
    elif kind == "circle":
        path.symlink_to(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")


ODD = {
    "folder": "is a folder",
    "pipe": "is not a regular file",
    "socket": "is not a regular file",
    "device": "is not a regular file",
    "link to nowhere": "is a link that leads nowhere",
    "circle": r"cannot be read \(its links lead in a circle\)",
    "nothing": "the file does not exist",
}


@pytest.mark.parametrize("kind", ODD)
def test_what_is_no_regular_file_is_a_sentence(tmp_path, kind):
    path = tmp_path / "odd"
    make_odd(kind, path)
    with pytest.raises(InvalidInput, match=f"odd: {ODD[kind]}"), reading(path):
        pytest.fail("read")


@pytest.mark.parametrize("kind", ODD)
def test_what_is_no_regular_file_has_no_digest(tmp_path, kind):
    make_odd(kind, tmp_path / "odd")
    with pytest.raises(OSError):
        digest_file(tmp_path / "odd")


def known(path):
    mark, digest = digest_file(path)
    return {path: [*mark, digest]}


def test_what_nobody_expects_is_read(file):
    with reading(file):
        assert file.read_text() == "content"


def test_an_input_is_what_was_recorded(file):
    with expecting(known(file)), reading(file):
        assert file.read_text() == "content"


def test_a_touched_input_is_what_was_recorded(file):
    with expecting(known(file)):
        os.utime(file, (1, 1))
        with reading(file):
            pass


def test_another_content_of_the_same_size_and_time_is_not(file):
    recorded, status = known(file), file.stat()
    file.write_text("CONTENT")
    os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
    with (
        expecting(recorded),
        pytest.raises(InputChanged, match=r"input: an input changed .* Run again"),
        reading(file),
    ):
        pytest.fail("read")


def test_a_change_while_it_is_read_is_noticed(file):
    file.with_name("other").write_text("content")
    with expecting(known(file)), pytest.raises(InputChanged), reading(file):
        file.with_name("other").rename(file)


def test_files_that_join_or_leave_a_folder_of_inputs_are_noticed(file):
    folder = file.parent
    with expecting(known(file), [folder]):
        require_all(folder, [file.name])
        (folder / "new").write_text("x")
        with pytest.raises(InputChanged), reading(folder / "new"):
            pytest.fail("read")
        with pytest.raises(InputChanged):
            require_all(folder, [file.name, "new"])
        file.unlink()
        with pytest.raises(InputChanged):
            require_all(folder, [])


def test_a_stamp_is_that_of_one_state(file):
    before = stamp_of(file)
    os.utime(file)
    assert stamp_of(file) != before
    assert stamp_of(file.with_name("nowhere")) is None


def test_the_error_passes_between_processes(file):
    error = InputChanged(file)
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
