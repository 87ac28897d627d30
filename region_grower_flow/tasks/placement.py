"""Cells placed by densities, planes across an atlas, and slices of cells, as tasks."""

from pathlib import Path

from region_grower_flow.checks.places import check_files
from region_grower_flow.errors import InvalidInput, Problems
from region_grower_flow.layout import (
    BRAIN_REGIONS,
    CELL_EXTENSIONS,
    HIERARCHY,
    ORIENTATION,
    PLACED_CELLS,
)
from region_grower_flow.tasks.base import FlowTask
from region_grower_flow.tasks.checks import Check, Checked
from region_grower_flow.tasks.options.placement import PlacementOptions

PLACEMENT_OUTPUTS = ("placed_cells", "out_placement_mask")


def check_cells_file(option, path):
    """Problems of the name of a file of cells that is to be written."""
    if Path(path).suffix.lower() in CELL_EXTENSIONS:
        return []
    expected = " or ".join(CELL_EXTENSIONS)
    return [InvalidInput(f"its extension must be {expected}", f"option {option} ({path})")]


def placement_settings(options):
    """The PlacementSettings of a task's options."""
    from region_grower_flow.placement.place import PlacementSettings

    return PlacementSettings(
        density_factor=options.density_factor,
        region=options.placed_region,
        mask=options.placement_mask,
        distance=options.boundary_distance,
        rounding=options.density_rounding,
        seed=options.placement_seed,
    )


def property_settings(options):
    """The PropertySettings of a task's options."""
    from region_grower_flow.placement.table import PropertySettings

    return PropertySettings(
        region_structure=options.region_structure,
        taxonomy=options.mtype_taxonomy,
        hemispheres=options.hemisphere_volume,
        atlas_orientations=options.placed_orientations == "atlas",
        population=options.placed_population,
    )


def placement_files(options):
    """What placing reads, by role."""
    from region_grower_flow.atlas.volumes import volume_path
    from region_grower_flow.placement.densities import load_densities, volume_of
    from region_grower_flow.placement.voxels import named_volume

    atlas = Path(options.atlas)
    files = {
        "densities": options.densities,
        HIERARCHY: atlas / HIERARCHY,
        f"atlas volume {BRAIN_REGIONS}": volume_path(atlas, BRAIN_REGIONS),
    }
    for group in load_densities(options.densities):
        if isinstance(group.density, str):
            source = volume_of(group.density, Path(options.densities).parent, atlas)
            files[f"density {group.density}"] = volume_path(*source)
    for name in ("placement_mask", "hemisphere_volume"):
        if getattr(options, name):
            files[name] = volume_path(*named_volume(getattr(options, name), atlas))
    for name in ("region_structure", "mtype_taxonomy"):
        if getattr(options, name):
            files[name] = getattr(options, name)
    if options.region_structure:
        files.update(_hint_files(options))
    if options.placed_orientations == "atlas":
        files[f"atlas volume {ORIENTATION}"] = volume_path(atlas, ORIENTATION)
    return files


def _hint_files(options):
    """The placement hints of entries of the structure that find layers by them."""
    from region_grower_flow.atlas.structure import has_layers, load_region_structure
    from region_grower_flow.atlas.volumes import volume_path
    from region_grower_flow.layout import PRINCIPAL_AXIS, layer_hint

    structure = load_region_structure(options.region_structure)
    names = [
        name
        for entry in structure.values()
        if has_layers(entry) and not entry.get("region_queries")
        for name in (PRINCIPAL_AXIS, *map(layer_hint, entry["layers"]))
    ]
    paths = {f"atlas volume {name}": volume_path(options.atlas, name) for name in names}
    # Those of regions that hold no cells may be absent.
    return {role: path for role, path in paths.items() if path.is_file()}


class CheckPlacement(PlacementOptions, Check):
    """Check the densities and the atlas that they are for."""

    def files(self):
        """All that placing reads."""
        return placement_files(self)

    def problems(self):
        """Problems of densities, volumes, regions and outputs, each a sentence."""
        from region_grower_flow.atlas.structure import load_region_structure
        from region_grower_flow.placement.place import plan_placement
        from region_grower_flow.placement.properties import load_taxonomy
        from region_grower_flow.placement.table import property_problems

        problems = Problems(check_files(self, PLACEMENT_OUTPUTS))
        if self.placed_cells:
            problems += check_cells_file("placed_cells", self.placed_cells)
        settings = placement_settings(self)
        plan = problems.attempt(plan_placement, self.densities, self.atlas, settings)
        if self.region_structure:
            problems.attempt(load_region_structure, self.region_structure)
        if self.mtype_taxonomy:
            problems.attempt(load_taxonomy, self.mtype_taxonomy)
        if not problems:
            problems += property_problems(plan, self.atlas, property_settings(self))
        return problems


class Placing(Checked):
    """A stage whose own check reads all that it reads (mixed into a FlowTask)."""

    def files(self):
        """What the check reads."""
        return self.check().files()


class PlaceCells(Placing, PlacementOptions, FlowTask):
    """Place cells in an atlas by the densities of their mtypes."""

    own_check = CheckPlacement
    own_outputs = PLACEMENT_OUTPUTS

    @property
    def path(self):
        """Where the cells are."""
        return Path(self.placed_cells or self.work_path(PLACED_CELLS))

    @property
    def report_path(self):
        """Where the table of expected and placed cells is."""
        return self.path.with_name(f"{self.path.stem}_report.csv")

    def make(self):
        """See :func:`region_grower_flow.placement.place.place_cells`."""
        from region_grower_flow.io.atomic import make_folder, write_text_atomic
        from region_grower_flow.io.cells import write_nodes
        from region_grower_flow.placement import place, table

        self.tell("reading the densities and the atlas")
        settings = placement_settings(self)
        plan = place.plan_placement(self.densities, self.atlas, settings)
        placed = place.place_cells(plan, settings)
        cells = table.cells_of(placed, plan.voxels, self.atlas, property_settings(self))
        make_folder(self.path.parent)
        write_nodes(self.path, cells)
        write_text_atomic(self.report_path, table.report_text(placed.report))
        outputs = [self.path, self.report_path]
        if self.out_placement_mask:
            outputs.append(write_mask(self.out_placement_mask, plan))
        sentences = list(table.placement_sentences(placed))
        return outputs, {"cells": len(placed), "report": placed.report, "sentences": sentences}


def write_mask(path, plan):
    """Write the voxels that may hold cells as an NRRD file; returns its path."""
    import numpy as np

    from region_grower_flow.io.atomic import atomic_write, make_folder

    volume, path = plan.voxels.volume, Path(path)
    allowed = volume.raw != 0 if plan.allowed is None else plan.allowed
    make_folder(path.parent)
    with atomic_write(path) as temporary:
        volume.with_data(allowed.astype(np.uint8)).save_nrrd(str(temporary))
    return path
