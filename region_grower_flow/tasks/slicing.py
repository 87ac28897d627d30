"""Planes across an atlas, and slices of cells, as tasks."""

from __future__ import annotations

from typing import Any

from region_grower_flow.checks.slicing import (
    make_planes,
    planes_files,
    read_source,
    slice_files,
    slice_settings,
)
from region_grower_flow.layout import PLANES, SLICED_CELLS
from region_grower_flow.options import Planes, Slicing, Work
from region_grower_flow.tasks.base import FlowTask, Made
from region_grower_flow.tasks.targets import StageTarget


class CreatePlanes(FlowTask):
    """Create pairs of planes across a region of an atlas."""

    groups = (Work, Planes)
    checked_by = "planes"
    own_outputs = ("out_planes",)

    def external_files(self) -> dict[str, Any]:
        """The atlas's regions."""
        return planes_files(self)

    def output(self) -> StageTarget:
        """The planes."""
        return StageTarget(self.out_planes or self.work_path(PLANES), self)

    def make(self) -> Made:
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


class SliceCells(FlowTask):
    """Take some of the cells of a file: of mtypes, a part of space, so many of each."""

    groups = (Work, Slicing)
    checked_by = "slicing"
    own_outputs = ("sliced_cells",)

    def external_files(self) -> dict[str, Any]:
        """The cells and the planes."""
        return slice_files(self)

    def output(self) -> StageTarget:
        """The cells."""
        return StageTarget(self.sliced_cells or self.work_path(SLICED_CELLS), self)

    def make(self) -> Made:
        """See :func:`region_grower_flow.placement.slices.slice_cells`."""
        from region_grower_flow.io.atomic import make_folder
        from region_grower_flow.io.cell_files import write_nodes
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
