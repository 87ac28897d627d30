"""Planes across an atlas, and slices of cells, as tasks."""

from pathlib import Path

from region_grower_flow.atlas.volumes import volume_path
from region_grower_flow.checks.places import check_files
from region_grower_flow.errors import InvalidInput, Problems
from region_grower_flow.layout import (
    BRAIN_REGIONS,
    HIERARCHY,
    PLANES,
    SLICED_CELLS,
)
from region_grower_flow.tasks.base import FlowTask
from region_grower_flow.tasks.checks import Check
from region_grower_flow.tasks.options.placement import PlanesOptions, SliceOptions
from region_grower_flow.tasks.placement import Placing, check_cells_file


def make_planes(options):
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


class CheckPlanes(PlanesOptions, Check):
    """Check the region and the line of the planes."""

    def files(self):
        """The atlas's regions."""
        return {
            HIERARCHY: Path(self.atlas) / HIERARCHY,
            f"atlas volume {BRAIN_REGIONS}": volume_path(self.atlas, BRAIN_REGIONS),
        }

    def problems(self):
        """Problems of the atlas, the region and the outputs' place."""
        problems = Problems(check_files(self, ("out_planes",)))
        problems.attempt(make_planes, self)
        return problems


class CreatePlanes(Placing, PlanesOptions, FlowTask):
    """Create pairs of planes across a region of an atlas."""

    own_check = CheckPlanes
    own_outputs = ("out_planes",)

    @property
    def path(self):
        """Where the planes are."""
        return Path(self.out_planes or self.work_path(PLANES))

    def make(self):
        """See :mod:`region_grower_flow.placement.planes`."""
        import numpy as np

        from region_grower_flow.io.atomic import make_folder, write_json_atomic
        from region_grower_flow.placement.planes import planes_document

        line, slices = make_planes(self)
        make_folder(self.path.parent)
        write_json_atomic(self.path, planes_document(line, slices))
        length = float(np.linalg.norm(np.diff(line, axis=0), axis=1).sum())
        sentences = [
            f"{len(slices)} slices of {self.planes_thickness:g} um along a line of {length:,.0f} um"
        ]
        if len(slices) * self.planes_thickness > length:
            sentences.append("the slices overlap: a cell belongs to the first that holds it")
        return [self.path], {"length": round(length, 3), "sentences": sentences}


def read_source(options):
    """The cells that some are taken of."""
    from region_grower_flow.io.cells import read_cells

    return read_cells(options.slice_from, required=("mtype",))


def slice_settings(options):
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
        seed=options.slice_seed,
        every=options.slice_every,
        box=options.slice_box,
        hemisphere=half,
        midplane=_midplane(options) if half else None,
        slices=load_slices(options.slice_planes) if options.slice_planes else None,
    )


def _midplane(options):
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


class CheckSlice(SliceOptions, Check):
    """Check the cells and what is to be taken of them."""

    def files(self):
        """The cells and the planes."""
        files = {"slice_from": self.slice_from}
        if self.slice_planes:
            files["slice_planes"] = self.slice_planes
        if self.atlas and self.slice_hemisphere != "both":
            files[f"atlas volume {BRAIN_REGIONS}"] = volume_path(self.atlas, BRAIN_REGIONS)
        return files

    def problems(self):
        """Problems of the cells, the planes, and what is asked for."""
        from region_grower_flow.placement.slices import slice_cells

        problems = Problems(check_files(self, ("sliced_cells",)))
        if self.sliced_cells:
            problems += check_cells_file("sliced_cells", self.sliced_cells)
        box = self.slice_box
        if box is not None and any(low > high for low, high in zip(box[:3], box[3:], strict=True)):
            problem = "expected the least x,y,z and then the greatest x,y,z"
            problems.append(InvalidInput(problem, "option slice_box"))
            return problems
        cells = problems.attempt(read_source, self)
        settings = problems.attempt(slice_settings, self)
        if cells is not None and settings is not None:
            problems.attempt(slice_cells, cells, settings)
        return problems


class SliceCells(Placing, SliceOptions, FlowTask):
    """Take some of the cells of a file: of mtypes, a part of space, so many of each."""

    own_check = CheckSlice
    own_outputs = ("sliced_cells",)

    @property
    def path(self):
        """Where the cells are."""
        return Path(self.sliced_cells or self.work_path(SLICED_CELLS))

    def make(self):
        """See :func:`region_grower_flow.placement.slices.slice_cells`."""
        from region_grower_flow.io.atomic import make_folder
        from region_grower_flow.io.cells import write_nodes
        from region_grower_flow.placement.slices import slice_cells, slice_sentences

        cells = read_source(self)
        taken = slice_cells(cells, slice_settings(self))
        make_folder(self.path.parent)
        write_nodes(self.path, taken)
        return [self.path], {
            "cells": len(taken),
            "of": len(cells),
            "sentences": list(slice_sentences(cells, taken)),
        }
