"""What is known of inputs is read once for each state of their files."""

from types import SimpleNamespace

from helpers.flow_factory import write_nodes
from region_grower_flow.checks import inputs
from region_grower_flow.io import ranges


def test_cells_are_counted_once_for_a_state_of_their_file(tmp_path, monkeypatch):
    """Each fingerprint of each chunk asks for the number."""
    path, opened, count = tmp_path / "nodes.h5", [], ranges.count_cells

    def counting(*arguments):
        opened.append(arguments)
        return count(*arguments)

    monkeypatch.setattr(ranges, "count_cells", counting)
    options = SimpleNamespace(input_cells=str(path), population=None)
    write_nodes(path, 8, 1000.0)
    assert [inputs.count_cells(options) for _ in range(3)] == [8, 8, 8]
    assert len(opened) == 1
    path.unlink()
    write_nodes(path, 9, 1000.0)
    assert inputs.count_cells(options) == 9
    assert len(opened) == 2


def test_without_any_cell_all_mtypes_are_prepared(tmp_path):
    """The list of those needed was empty, and no reconstruction was left to look at."""
    options = SimpleNamespace(input_cells=str(tmp_path / "nodes.h5"), population=None)
    write_nodes(tmp_path / "nodes.h5", 0, 1000.0)
    assert inputs.needed_mtypes(options) is None
