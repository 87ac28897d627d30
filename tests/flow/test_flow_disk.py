"""Full disks, folders that cannot be written, limits of file sizes: a sentence, and it goes on."""

import os
import resource

import pytest

from helpers.flow_factory import make_flow
from helpers.flow_faults import results_of, temporaries

pytestmark = pytest.mark.slow

CELLS = 12

IN_PROCESS = pytest.param({}, id="inprocess")
MPIEXEC = pytest.param(
    {"launcher": "mpiexec", "nb_processes": 2}, id="mpiexec", marks=pytest.mark.mpi
)
both = pytest.mark.parametrize("how", [IN_PROCESS, MPIEXEC])


@pytest.fixture(scope="module")
def expected(tmp_path_factory, kernels):
    flow = make_flow(tmp_path_factory.mktemp("expected") / "flow", CELLS)
    process = flow.luigi()
    assert process.returncode == 0, process.stdout + process.stderr
    return results_of(flow)


def fails_with_a_sentence(faults, words, by_both=False, **options):
    """Run by luigi, or by both commands; it fails with the words and leaves nothing unfinished."""
    ways = ((None, [30]), (faults.region_grower_flow(), [1, 2]))
    for command, codes in ways if by_both else ways[:1]:
        code, text = faults.run(command=command, **options)
        assert code in codes, text
        assert words in text, text
        assert "Traceback" not in text, text
        assert temporaries(faults.flow.folder) == []
    return text


def goes_on(faults, expected, least_kept=0):
    begun = len(faults.journal())
    faults.flow.options["launcher"] = "inprocess"  # ranks would take longer, to no other end
    faults.run_to_end()
    assert results_of(faults.flow) == expected
    assert len(faults.journal()) - begun <= CELLS - least_kept
    assert temporaries(faults.flow.folder) == []


@both
def test_full_disk_while_cells_grow(faulty, mount, expected, how):
    faults = faulty(CELLS, block_size=1, chunksize=6, **how)
    mount(faults.flow.path("work"), "size=184k")
    fails_with_a_sentence(faults, "the disk is full", by_both=not how)
    kept = len(list(faults.flow.path("work").rglob("*.jsonl")))
    assert kept
    mount(faults.flow.path("work"), "size=8m")
    goes_on(faults, expected, least_kept=1)


@pytest.mark.parametrize("size", ["32k", "100k"])
def test_full_disk_while_outputs_are_written(faulty, mount, expected, size):
    """The outputs are on another file system than the work folder: they are copies, not links."""
    faults = faulty(CELLS)
    mount(faults.flow.path("out"), f"size={size}")
    fails_with_a_sentence(faults, "the disk is full")
    begun = len(faults.journal())
    assert begun == CELLS
    mount(faults.flow.path("out"), "size=8m")
    goes_on(faults, expected, least_kept=CELLS)
    again = faults.flow.luigi()
    assert again.returncode == 0
    assert "Did not run any tasks" in again.stderr


def test_full_disk_of_the_outputs_is_found_before_any_work(faulty, mount, expected):
    faults = faulty(CELLS)
    mount(faults.flow.path("out"), "size=4k")
    fails_with_a_sentence(faults, "the disk is full", by_both=True)
    assert faults.journal() == []
    mount(faults.flow.path("out"), "size=8m")
    goes_on(faults, expected)


def test_outputs_on_another_file_system_are_copies(faulty, mount, expected):
    faults = faulty(CELLS)
    mount(faults.flow.path("out"), "size=8m")
    faults.run_to_end()
    assert results_of(faults.flow) == expected
    folder = faults.flow.path("out", "morphologies")
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    # What is there is not copied again, what is damaged is.
    damaged, removed, *_ = sorted(folder.iterdir())
    damaged.write_bytes(b"x" * damaged.stat().st_size)
    removed.unlink()
    faults.run_to_end()
    assert results_of(faults.flow) == expected
    after = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {damaged.name, removed.name}


@pytest.mark.parametrize("name", ["work", "out"])
def test_read_only_file_system(faulty, mount, expected, name):
    faults = faulty(CELLS)
    mount(faults.flow.path(name), "ro,size=8m")
    fails_with_a_sentence(faults, "cannot be written")
    mount(faults.flow.path(name), "rw,size=8m")
    goes_on(faults, expected)


@both
def test_file_size_limit(faulty, expected, how):
    """With MPI the limit must leave room for its shared memory: the check says so."""
    faults = faulty(CELLS, **how)

    def limit(size=6000):
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    fails_with_a_sentence(faults, "file-size limit", prepare=limit)
    goes_on(faults, expected)


def test_file_size_limit_of_the_merged_outputs(faulty, expected):
    """Cells and records are small enough, the table of nodes is not."""
    faults = faulty(CELLS, container_path="out/all.h5")
    size = 60_000

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    fails_with_a_sentence(faults, "file-size limit", prepare=limit)
    assert len(faults.journal()) == CELLS
    goes_on(faults, expected, least_kept=CELLS)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
@pytest.mark.parametrize("name", ["work", "out"])
def test_read_only_folder(faulty, expected, name):
    faults = faulty(CELLS)
    folder = faults.flow.path(name)
    folder.mkdir()
    folder.chmod(0o500)
    fails_with_a_sentence(faults, "cannot be written")
    folder.chmod(0o700)
    goes_on(faults, expected)
