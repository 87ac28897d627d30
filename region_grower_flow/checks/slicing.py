"""Checks of planes across an atlas and of slices of cells, and what both are made from.

Functions of the options of a task (anything with these attributes). They write nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from region_grower_flow.atlas.volumes import volume_path
from region_grower_flow.checks.places import check_cells_file, check_files
from region_grower_flow.errors import InvalidInput, Problems
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.layout import BRAIN_REGIONS, HIERARCHY

if TYPE_CHECKING:
    import numpy as np

    from region_grower_flow.io.cells import Cells
    from region_grower_flow.options.flows import CutPlanes, SlicedCells
    from region_grower_flow.placement.planes import Slice
    from region_grower_flow.placement.slices import SliceSettings


def make_planes(options: CutPlanes) -> tuple[np.ndarray, list[Slice]]:
    """(center line, slices) of a task's options.

    Raises:
        InvalidInput: what is wrong with the region or the line.
    """
    from region_grower_flow.placement import planes
    from region_grower_flow.placement.voxels import Voxels

    voxels = Voxels.load(options.atlas)
    half = None if options.planes_hemisphere == "both" else options.planes_hemisphere
    centers, indices = planes.region_centers(voxels, options.planes_region, half)
    settings = planes.LineSettings(
        options.planes_type, options.planes_axis, options.planes_first, options.planes_last
    )
    line = planes.center_line(centers, indices, voxels.size, settings)
    return line, planes.slices_along(line, options.planes_count, options.planes_thickness)


def planes_files(options: CutPlanes) -> dict[str, PathLike]:
    """The atlas's regions."""
    return {
        HIERARCHY: Path(options.atlas) / HIERARCHY,
        f"atlas volume {BRAIN_REGIONS}": volume_path(options.atlas, BRAIN_REGIONS),
    }


def check_planes(options: CutPlanes) -> Problems:
    """Problems of the atlas, the region and the outputs' place."""
    problems = Problems(check_files(options, ("out_planes",)))
    problems.attempt(make_planes, options)
    return problems


def read_source(options: SlicedCells) -> Cells:
    """The cells that some are taken of."""
    from region_grower_flow.io.cells import read_cells

    return read_cells(options.slice_from, required=("mtype",))


def slice_settings(options: SlicedCells) -> SliceSettings:
    """The SliceSettings of a task's options.

    Raises:
        InvalidInput: the planes or the atlas cannot be read.
    """
    from region_grower_flow.placement.planes import load_slices
    from region_grower_flow.placement.slices import SliceSettings

    half = None if options.slice_hemisphere == "both" else options.slice_hemisphere
    return SliceSettings(
        mtypes=options.slice_mtypes or None,
        n_cells=options.slice_n_cells,
        seed=options.placement_seed,
        every=options.slice_every,
        box=options.slice_box,
        hemisphere=half,
        midplane=_midplane(options) if half else None,
        slices=load_slices(options.slice_planes) if options.slice_planes else None,
    )


def _midplane(options: SlicedCells) -> float | None:
    """The plane between the hemispheres; None when the property of the cells decides."""
    from region_grower_flow.atlas.volumes import read_geometry
    from region_grower_flow.placement.planes import midplane
    from region_grower_flow.placement.slices import HEMISPHERE

    if options.slice_midplane is not None:
        return options.slice_midplane
    if not options.atlas or HEMISPHERE in read_source(options).properties:
        return None
    geometry, _ = read_geometry(options.atlas, BRAIN_REGIONS)
    return midplane(geometry)


def slice_files(options: SlicedCells) -> dict[str, PathLike]:
    """The cells and the planes."""
    files: dict[str, PathLike] = {"slice_from": options.slice_from}
    if options.slice_planes:
        files["slice_planes"] = options.slice_planes
    if options.atlas and options.slice_hemisphere != "both":
        files[f"atlas volume {BRAIN_REGIONS}"] = volume_path(options.atlas, BRAIN_REGIONS)
    return files


def check_slice(options: SlicedCells) -> Problems:
    """Problems of the cells, the planes, and what is asked for."""
    from region_grower_flow.placement.slices import slice_cells

    problems = Problems(check_files(options, ("sliced_cells",)))
    if options.sliced_cells:
        problems += check_cells_file("sliced_cells", options.sliced_cells)
    box = options.slice_box
    if box is not None and any(low > high for low, high in zip(box[:3], box[3:], strict=True)):
        problem = "expected the least x,y,z and then the greatest x,y,z"
        problems.append(InvalidInput(problem, "option slice_box"))
        return problems
    cells = problems.attempt(read_source, options)
    settings = problems.attempt(slice_settings, options)
    if cells is not None and settings is not None:
        problems.attempt(slice_cells, cells, settings)
    return problems
