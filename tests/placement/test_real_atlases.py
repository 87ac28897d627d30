"""Placement in atlases from the field (skipped when they are not beside the checkout)."""

import numpy as np
import pytest
import yaml

from region_grower_flow.placement import planes
from region_grower_flow.placement.place import PlacementSettings, place_cells, plan_placement
from region_grower_flow.placement.properties import layers_at
from region_grower_flow.placement.voxels import Voxels

RAT, MOUSE = "atlas_rat_sscx", "atlas_mouse_ccf2017/cutout_SSp-bfd_25um"


def placed(folder, densities, tmp_path, **settings):
    """(cells, plan) in an atlas."""
    path = tmp_path / "densities.yaml"
    path.write_text(yaml.safe_dump(densities))
    settings = PlacementSettings(**settings)
    plan = plan_placement(path, folder, settings)
    return place_cells(plan, settings), plan


@pytest.fixture
def rat(shared):
    return shared / "realdata" / RAT


@pytest.mark.parametrize(
    ("name", "query"), [(RAT, "@;L[1-6]$"), (MOUSE, "SSp-bfd")], ids=["rat", "mouse"]
)
def test_cells_are_where_voxcell_finds_their_regions(shared, tmp_path, name, query):
    """The rat's third axis counts down; the mouse's regions have layers like 2/3 and 6a."""
    folder = shared / "realdata" / name
    cells, plan = placed(folder, {"PC": {query: 3000}}, tmp_path, density_factor=0.5)
    ids = plan.voxels.volume.lookup(cells.positions)
    assert [plan.voxels.acronyms[i] for i in ids] == cells.regions.tolist()
    expected = 3000 * 0.5 * plan.voxels.mm3 * len(plan.voxels.of(query))
    assert len(cells) == round(expected) > 4000


def test_layers_by_placement_hints_are_those_of_the_annotation(rat, tmp_path):
    structure = tmp_path / "structure.yaml"
    thicknesses = {1: 165, 2: 149, 3: 353, 4: 190, 5: 525, 6: 700}
    entry = {"layers": list(thicknesses), "thicknesses": thicknesses}
    structure.write_text(yaml.safe_dump({"SSCX": entry}, sort_keys=False))
    cells, plan = placed(rat, {"PC": {"SSCX": 200}}, tmp_path)
    layers = layers_at(cells.voxels, cells.regions, plan.voxels, structure, rat)
    same = layers == np.array([region.split(";L")[1] for region in cells.regions])
    assert same.mean() > 0.99


@pytest.mark.slow
def test_a_curved_line_stays_in_the_cortex(rat):
    voxels = Voxels.load(rat)
    centers, indices = planes.region_centers(voxels, "SSCX")
    line = planes.center_line(centers, indices, voxels.size, planes.LineSettings("curved"))
    inside = voxels.volume.lookup(line[20:-20], outer_value=0) > 0
    assert inside.mean() > 0.95
    slices = planes.slices_along(line, 8, 100.0)
    assert all(part.holds(centers).any() for part in slices)
