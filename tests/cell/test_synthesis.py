"""One cell from its row to its record: attempts, drops, files."""

import json

import numpy as np
import pytest

from helpers.cell_factory import tiny_settings
from region_grower_flow import engine, layout
from region_grower_flow.cell.synthesis import open_synthesizer
from region_grower_flow.errors import DropCell, GrowthFailed, InvalidInput, OutputFailed
from region_grower_flow.io.morphologies import check_file, read_morphology
from region_grower_flow.morphology import AXON

NO_DONORS = (None,) * 4


@pytest.fixture
def settings(tmp_path):
    """Makes settings of four tiny cells."""
    return lambda donors=NO_DONORS, **changes: tiny_settings(tmp_path, donors, **changes)


@pytest.fixture
def failing(monkeypatch):
    """Lets the growth raise errors, then grow; counts the attempts."""
    grow, attempts = engine.grow, []

    def fail(*errors):
        def odd(*arguments, **options):
            attempts.append(arguments)
            if len(attempts) <= len(errors):
                raise errors[len(attempts) - 1]
            return grow(*arguments, **options)

        monkeypatch.setattr(engine, "grow", odd)
        return attempts

    return fail


def test_a_cell_is_its_rows_alone(settings, tmp_path):
    whole = open_synthesizer(settings(morphologies=str(tmp_path / "whole")))
    part = settings(morphologies=str(tmp_path / "part"), rows=(2, 4))
    part = open_synthesizer(json.loads(json.dumps(part.to_json())))
    records = [whole.synthesize(row) for row in (3, 0, 1, 2)]
    assert part.synthesize(2) == records[-1]
    assert [record["cell"] for record in records] == [3, 0, 1, 2]
    assert len({record["name"] for record in records}) == 4


def test_the_record_knows_the_file(settings, tmp_path):
    record = open_synthesizer(settings(directory_depth=1, out_morph_ext=("h5", "swc"))).synthesize(
        1
    )
    assert (record["status"], record["attempts"]) == (layout.MADE, 1)
    assert record["fallback"] is None
    assert set(record["files"]) == {"h5", "swc"}
    for extension, known in record["files"].items():
        assert check_file(tmp_path / "out" / f"{record['name']}.{extension}", *known)


def test_nothing_is_written_where_nothing_is_to_be(settings, tmp_path):
    record = open_synthesizer(settings(skip_write=True)).synthesize(1)
    assert record["files"] == {}
    assert not (tmp_path / "out").exists()


def test_the_axon_is_grafted(settings, tmp_path):
    record = open_synthesizer(settings(donors=("one", *NO_DONORS[1:]))).synthesize(0)
    cell = read_morphology(tmp_path / "out" / f"{record['name']}.h5")
    assert np.count_nonzero(cell.types == AXON) == 9


@pytest.mark.parametrize("error", [GrowthFailed("no hull"), ValueError("NaN")])
def test_failed_attempts_are_repeated_with_the_same_generator(settings, failing, error):
    attempts = failing(error, error)
    record = open_synthesizer(settings()).synthesize(0)
    assert (record["status"], record["attempts"]) == (layout.MADE, 3)
    assert len({id(rng) for _, _, rng in attempts}) == 1


def test_a_cell_is_given_up_after_its_attempts(settings, failing):
    attempts = failing(*[GrowthFailed("no hull")] * 20)
    record = open_synthesizer(settings()).synthesize(0)
    assert record["status"] == layout.DROPPED
    assert record["reason"] == "no growth in 10 attempts, the last failed with: no hull"
    assert len(attempts) == layout.MAX_ATTEMPTS


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (DropCell("no room"), "no room"),
        (InvalidInput("the mesh is empty", where="pia.obj"), "pia.obj: the mesh is empty"),
        (KeyError("odd"), "unexpected KeyError: 'odd'"),
    ],
)
def test_other_failures_drop_the_cell_at_once(settings, failing, error, reason):
    attempts = failing(error)
    record = open_synthesizer(settings()).synthesize(0)
    assert (record["status"], record["name"], record["files"]) == (layout.DROPPED, None, {})
    assert reason in record["reason"]
    assert len(attempts) == 1


@pytest.mark.parametrize("error", [OutputFailed("the disk is full"), MemoryError()])
def test_what_is_no_fault_of_the_cell_ends_the_rank(settings, failing, error):
    failing(error)
    with pytest.raises(type(error)):
        open_synthesizer(settings()).synthesize(0)


def test_reasons_are_one_line(settings):
    assert open_synthesizer(settings()).drop(0, "one\n two ")["reason"] == "one two"
