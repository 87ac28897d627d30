"""Inputs of cells: shared between regions, bounded in memory, and in every digest."""

import dataclasses

import pytest

from helpers.cell_factory import tiny_settings
from region_grower_flow.cell import inputs as cell_inputs
from region_grower_flow.cell.inputs import CellInputs
from region_grower_flow.errors import DropCell
from region_grower_flow.io.table import read_table, write_table
from region_grower_flow.options import Growth

AS_IT_IS = dict.fromkeys(("boundary /mesh.obj", "axon one", "axon two"), "as it is")


@pytest.fixture
def settings(tmp_path):
    """Four cells in two regions, of which A has a direction and B a boundary."""
    made = tiny_settings(tmp_path)
    table = read_table(made.cell_table)
    table.meta["regions"]["A"] = {"directions": [{"params": {"direction": [0, 1, 0]}}]}
    table.meta["regions"]["B"] = {"boundaries": [{"path": "/mesh.obj"}]}
    write_table(made.cell_table, table)
    return made


def digest(inputs, row):
    return inputs.digest(inputs.cell(row))


def test_regions_share_what_is_prepared(settings, monkeypatch):
    calls = []
    monkeypatch.setattr(cell_inputs, "_prepare", lambda *models: calls.append(models) or object())
    inputs = CellInputs(settings)
    cells = [inputs.cell(row) for row in range(4)]
    prepared = {id(inputs.prepared(inputs.entry(cell))) for cell in cells}
    assert len(prepared) == len(calls) == 1
    assert calls[0][-1] is settings.growth
    assert inputs.entry(cells[0]).digest != inputs.entry(cells[1]).digest  # of the boundaries
    assert inputs.entry(cells[0]) is inputs.entry(cells[2])
    assert inputs.cost(cells[0]) == inputs.cost(cells[1]) > 0


def test_rows_are_those_of_the_whole_table(settings):
    whole, part = CellInputs(settings), CellInputs(dataclasses.replace(settings, rows=(1, 3)))
    assert len(part.table) == 2
    for row in (1, 2):
        assert part.cell(row).id == part.cell(row).row == row
        assert digest(part, row) == digest(whole, row)


@pytest.mark.parametrize(
    ("change", "rows"),
    [
        ({"growth": Growth(seed=1)}, {0, 1, 2, 3}),
        ({"growth": Growth(min_hard_scale=0.3)}, {0, 1, 2, 3}),
        ({"morphologies": "elsewhere"}, set()),
        ({"content": {**AS_IT_IS, "boundary /mesh.obj": "changed"}}, {1, 3}),
        ({"content": {**AS_IT_IS, "axon one": "changed"}}, {0, 3}),
        ({"content": {**AS_IT_IS, "atlas volume orientation": "changed"}}, {0, 2}),
        ({"mesh_dir": "elsewhere", "sources": {"x": [1]}}, set()),
        ({"base_morph_dir": None}, {0, 1, 2, 3}),
    ],
)
def test_digests_cover_what_determines_the_cell(settings, change, rows):
    before, after = CellInputs(settings), CellInputs(dataclasses.replace(settings, **change))
    assert {row for row in range(4) if digest(before, row) != digest(after, row)} == rows


def test_digests_cover_the_models(settings, tmp_path):
    before = digest(CellInputs(settings), 0)
    path = tmp_path / "distributions.json"
    path.write_text(path.read_text().replace("5.0", "6.0"))
    assert digest(CellInputs(settings), 0) != before


def test_donors_are_kept_within_bounds(settings, monkeypatch):
    loaded, load = [], cell_inputs._load_donor
    monkeypatch.setattr(
        cell_inputs, "_load_donor", lambda *place: loaded.append(place[1]) or load(*place)
    )
    inputs = CellInputs(settings)
    for row in (0, 1, 3, 0):
        inputs.donor(inputs.cell(row))
    assert loaded == ["one", "two"]
    monkeypatch.setattr(cell_inputs, "DONOR_BYTES", 1)
    inputs = CellInputs(settings)
    for row in (1, 0, 3, 1):
        inputs.donor(inputs.cell(row))
    assert loaded[2:] == ["two", "one", "two"]


def test_a_missing_donor_drops_its_cells(settings):
    inputs = CellInputs(settings)
    for _ in range(2):
        with pytest.raises(DropCell, match="absent is not in the folder"):
            inputs.donor(inputs.cell(2))


def test_no_donor_where_axons_are_grown(settings):
    grown = Growth(synthesize_axons=True)
    inputs = CellInputs(dataclasses.replace(settings, growth=grown))
    assert inputs.donor(inputs.cell(0)) is None
