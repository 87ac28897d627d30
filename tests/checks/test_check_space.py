"""Checks of the cells, the atlas and the axons to graft."""

from types import SimpleNamespace

import pytest

from helpers.atlas_factory import REGION, column_structure, make_atlas, make_cells
from helpers.factories import random_morphology
from helpers.sentences import says
from region_grower_flow.checks.space import check_space
from region_grower_flow.io import morphologies
from region_grower_flow.io.cell_files import write_nodes
from region_grower_flow.io.cells import Cells
from region_grower_flow.options import Space


@pytest.fixture
def options(tmp_path):
    """Options of three cells in a small atlas."""
    atlas = make_atlas(tmp_path / "atlas")
    cells = make_cells([[150.0, 650.0, 150.0]] * 3)
    write_nodes(tmp_path / "nodes.h5", Cells(**vars(cells), orientations=None))
    space = Space(
        input_cells=tmp_path / "nodes.h5", atlas=atlas.folder, region_structure=atlas.structure
    )
    return SimpleNamespace(**space.values(), synthesize_axons=False)


def test_directions_that_never_act_are_told(options, tmp_path, caplog):
    structure = column_structure()
    structure[REGION]["directions"] = [{"params": {"direction": [0, 1, 0]}}]
    options.region_structure = make_atlas(tmp_path / "other", structure=structure).structure
    assert check_space(options) == []
    assert says(caplog.text, "directions/0: | 'neurite_types' | never acts")


@pytest.mark.parametrize(
    ("region", "looked_at"), [("COL;L1", False), ("COL;L2", True), (REGION, True)]
)
def test_meshes_are_looked_at_where_there_are_cells(options, tmp_path, region, looked_at):
    # The cells are in COL;L2, which the entry of COL holds, too.
    structure = {REGION: column_structure()[REGION], "COL;L2": column_structure()[REGION]}
    structure.setdefault(region, column_structure()[REGION])
    structure[region]["boundaries"] = [{"path": "missing.obj"}]
    options.region_structure = make_atlas(tmp_path / "other", structure=structure).structure
    found = [str(problem) for problem in check_space(options)]
    assert bool(found) is looked_at
    assert all("missing.obj" in sentence for sentence in found)


@pytest.mark.parametrize("absent", [1, 2, 3])
def test_absent_axon_morphologies_are_wrong_only_when_all_are(options, tmp_path, caplog, absent):
    # region-grower drops these cells, however many they are.
    (tmp_path / "donors").mkdir()
    morphologies.write_morphology(tmp_path / "donors", "there", random_morphology(), ["h5"])
    names = ["absent"] * absent + ["there"] * (3 - absent)
    rows = [f"{i}\t{name}\n" for i, name in enumerate(names)]
    (tmp_path / "axons.tsv").write_text("\tmorphology\n" + "".join(rows))
    options.morph_axon, options.base_morph_dir = tmp_path / "axons.tsv", tmp_path / "donors"
    said = f"{absent} of 3 cells have axons that are absent (absent)"
    found = [str(problem) for problem in check_space(options)]
    if absent == 3:
        assert len(found) == 1
        assert said in found[0]
    else:
        assert found == []
        assert f"{said}: these cells will be dropped" in caplog.text
