"""The whole flow with a real mpiexec: the same results, whatever does the work."""

import pytest

from helpers.flow_factory import make_flow
from helpers.flow_faults import Faults, results_of
from region_grower_flow.runtime.commands import find_mpiexec, mpiexec_options, vendor

pytestmark = [pytest.mark.mpi, pytest.mark.slow]

CELLS = 24


def mpiexec():
    """The mpiexec of this Python with the options that it needs here."""
    return " ".join([find_mpiexec(), *mpiexec_options(vendor(find_mpiexec()))])


@pytest.fixture(scope="module")
def expected(tmp_path_factory, kernels):
    """The results of one process, one chunk."""
    flow = make_flow(tmp_path_factory.mktemp("expected") / "flow", CELLS, chunksize=100)
    process = flow.luigi()
    assert process.returncode == 0, process.stdout + process.stderr
    return results_of(flow)


@pytest.mark.parametrize(
    ("processes", "chunksize", "block_size", "out_morph_ext"),
    [(1, 100, 1, "h5"), (2, 10, 3, "h5"), (3, 100, 5, "h5")],
)
def test_ranks_chunks_and_blocks_change_nothing(
    mpi_flow, expected, processes, chunksize, block_size, out_morph_ext
):
    flow = mpi_flow(
        nb_processes=processes,
        chunksize=chunksize,
        block_size=block_size,
        out_morph_ext=out_morph_ext,
    )
    process = flow.luigi()
    assert process.returncode == 0, process.stdout + process.stderr
    assert results_of(flow) == expected
    assert flow.summary["grown_now"] == CELLS


def test_the_command_makes_the_same_as_luigi(mpi_flow, expected, mark):
    faults = Faults(mpi_flow(nb_processes=2, chunksize=100), mark)
    text = faults.run_to_end(command=faults.region_grower_flow())
    assert f"{CELLS} cells asked, {CELLS} made, 0 dropped." in text
    assert results_of(faults.flow) == expected


def test_the_exit_code_of_the_launcher_is_not_believed(mpi_flow, expected, mark, script):
    """One that starts nothing and says 0 fails the run; one that fails at the end does not."""
    trial = f'case "$*" in *--check*) exec {mpiexec()} -n "$@";; esac'
    lazy = script("lazy", f"{trial}\nexit 0")
    flow = mpi_flow(launcher=f"{lazy} {{n}} {{command}}", nb_processes=2, chunksize=100)
    code, text = Faults(flow, mark).run()
    assert code == 30
    assert "reported success, but records are missing" in text
    assert "Traceback" not in text
    assert not flow.path("out", "nodes.h5").exists()
    grumbling = script("grumbling", f'{mpiexec()} -n "$@"\nexit 9')
    flow.options["launcher"] = f"{grumbling} {{n}} {{command}}"
    Faults(flow, mark).run_to_end()
    assert results_of(flow) == expected


def test_single_processes_are_found_before_any_work(mpi_flow, mark, script):
    """A launcher of another MPI starts N processes that all believe to be alone."""
    loop = 'n=$1; shift\nfor i in $(seq $n); do "$@" & done; wait'
    flow = mpi_flow(launcher=f"{script('alien', loop)} {{n}} {{command}}", nb_processes=2)
    faults = Faults(flow, mark)
    code, text = faults.run()
    assert code == 30
    assert "single processes instead of one job" in text
    assert "Traceback" not in text
    assert faults.journal() == []
