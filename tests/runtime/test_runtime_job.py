"""Job files and notes."""

import json

import pytest

from helpers.sentences import saying
from region_grower_flow.errors import InvalidInput, OutputFailed
from region_grower_flow.options import Execution
from region_grower_flow.record.fingerprint import read_checked, with_check
from region_grower_flow.runtime.job import JOBS, Block, Job, load_job, write_job
from region_grower_flow.runtime.notes import (
    FAILED,
    GROWING,
    IDLE,
    Note,
    RankNotes,
    create_notes,
    read_notes,
)


@pytest.fixture
def job(tmp_path):
    (tmp_path / JOBS).mkdir()
    blocks = (Block((1, 2)), Block((7,), "given up"))
    return Job(
        {"a": [1, None]}, blocks, str(tmp_path), str(tmp_path), 3, Execution(cell_timeout=2.5)
    )


def test_job_comes_back(job):
    assert load_job(write_job(job)) == job
    assert job.rows == [1, 2, 7]


def test_paths_in_settings_become_text(job, tmp_path):
    job.settings["path"] = tmp_path
    assert load_job(write_job(job)).settings["path"] == str(tmp_path)


@pytest.mark.parametrize("change", [{"version": 0}, {"version": None}, {"further": 1}])
def test_jobs_of_other_versions_are_refused(job, change):
    path = write_job(job)
    path.write_text(json.dumps(with_check({**read_checked(path), **change})))
    with pytest.raises(InvalidInput, match=saying(".json: the job file | version | Run again")):
        load_job(path)


@pytest.mark.parametrize("options", [{"warp": 9}, {"cell_timeout": "soon"}])
def test_jobs_with_other_options_are_refused(job, options):
    path = write_job(job)
    path.write_text(json.dumps(with_check({**read_checked(path), "execution": options})))
    (name,) = options
    with pytest.raises(InvalidInput, match=saying(f".json: the job file | {name} | Run again")):
        load_job(path)


def test_any_change_of_a_job_is_found(job):
    path = write_job(job)
    content = json.loads(path.read_text())
    for key, value in {"ranks": 4, "blocks": [], "execution": None, "check": "0"}.items():
        path.write_text(json.dumps({**content, key: value}))
        with pytest.raises(InvalidInput, match="job file cannot be read, or is damaged"):
            load_job(path)


@pytest.mark.parametrize("content", ["", "{", "[]", "[" * 100_000, "3"])
def test_other_files_are_no_jobs(tmp_path, content):
    path = tmp_path / "job.json"
    path.write_text(content)
    with pytest.raises(InvalidInput, match="job file"):
        load_job(path)


def test_missing_job_file(tmp_path):
    with pytest.raises(InvalidInput, match="cannot be read"):
        load_job(tmp_path / "job.json")


def test_notes_tell_what_ranks_do(tmp_path):
    path = tmp_path / "notes"
    create_notes(path, 3)
    with RankNotes(path, 1) as one, RankNotes(path, 2) as two:
        one.begin(12)
        two.begin(5)
        two.end(dropped=True)
        two.begin(6)
        two.end(dropped=False)
        first, second, third = read_notes(path, 3)
    assert first == Note()
    assert (second.state, second.row, second.done) == (GROWING, 12, 0)
    assert (third.state, third.row, third.done, third.dropped) == (IDLE, 6, 2, 1)


def test_every_note_changes_the_serial(tmp_path):
    path = tmp_path / "notes"
    create_notes(path, 1)
    with RankNotes(path, 0) as notes:
        notes.begin(1)
        before = read_notes(path, 1)[0].serial
        notes.enter(FAILED)
    assert read_notes(path, 1)[0].serial == before + 1


def test_missing_or_short_notes_are_empty(tmp_path):
    path = tmp_path / "notes"
    assert read_notes(path, 2) == [Note(), Note()]
    path.write_bytes(b"short")
    assert read_notes(path, 2) == [Note(), Note()]


def test_notes_without_a_file_are_one_sentence(tmp_path):
    with pytest.raises(OutputFailed), RankNotes(tmp_path / "notes", 0):
        pass
