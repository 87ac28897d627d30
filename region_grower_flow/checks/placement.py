"""Checks of the densities and the atlas that cells are placed by, and the files that placing reads.

Functions of the options of a task (anything with these attributes). They write nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from region_grower_flow.checks.places import check_cells_file, check_files
from region_grower_flow.errors import Problems
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.layout import BRAIN_REGIONS, HIERARCHY, ORIENTATION

if TYPE_CHECKING:
    from region_grower_flow.options.flows import PlacedByDensities
    from region_grower_flow.placement.place import PlacementSettings
    from region_grower_flow.placement.table import PropertySettings

PLACEMENT_OUTPUTS = ("placed_cells", "out_placement_mask")


def placement_settings(options: PlacedByDensities) -> PlacementSettings:
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


def property_settings(options: PlacedByDensities) -> PropertySettings:
    """The PropertySettings of a task's options."""
    from region_grower_flow.placement.table import PropertySettings

    return PropertySettings(
        region_structure=options.region_structure,
        taxonomy=options.mtype_taxonomy,
        hemispheres=options.hemisphere_volume,
        atlas_orientations=options.placed_orientations == "atlas",
        population=options.placed_population,
    )


def placement_files(options: PlacedByDensities) -> dict[str, PathLike]:
    """The files that placing reads, by role."""
    from region_grower_flow.atlas.volumes import volume_path
    from region_grower_flow.placement.densities import load_densities, volume_of
    from region_grower_flow.placement.voxels import named_volume

    atlas = Path(options.atlas)
    files: dict[str, PathLike] = {
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


def _hint_files(options: PlacedByDensities) -> dict[str, Path]:
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


def check_placement(options: PlacedByDensities) -> Problems:
    """Problems of densities, volumes, regions and outputs, each a sentence."""
    from region_grower_flow.atlas.structure import load_region_structure
    from region_grower_flow.placement.place import plan_placement
    from region_grower_flow.placement.properties import load_taxonomy
    from region_grower_flow.placement.table import property_problems

    problems = Problems(check_files(options, PLACEMENT_OUTPUTS))
    if options.placed_cells:
        problems += check_cells_file("placed_cells", options.placed_cells)
    settings = placement_settings(options)
    plan = problems.attempt(plan_placement, options.densities, options.atlas, settings)
    if options.region_structure:
        problems.attempt(load_region_structure, options.region_structure)
    if options.mtype_taxonomy:
        problems.attempt(load_taxonomy, options.mtype_taxonomy)
    if not problems:
        problems += property_problems(plan, options.atlas, property_settings(options))
    return problems
