"""Cells placed by densities, as a task."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from region_grower_flow.checks.placement import (
    PLACEMENT_OUTPUTS,
    placement_files,
    placement_settings,
    property_settings,
)
from region_grower_flow.layout import PLACED_CELLS
from region_grower_flow.options import Placement, Work
from region_grower_flow.tasks.base import FlowTask, Made
from region_grower_flow.tasks.targets import StageTarget


class PlaceCells(FlowTask):
    """Place cells in an atlas by the densities of their mtypes."""

    # 2: the column subregion.
    stage_version = 2

    groups = (Work, Placement)
    checked_by = "placement"
    own_outputs = PLACEMENT_OUTPUTS

    def external_files(self) -> dict[str, Any]:
        """The densities, the atlas, and what else placing reads."""
        return placement_files(self)

    def output(self) -> StageTarget:
        """The cells."""
        return StageTarget(self.placed_cells or self.work_path(PLACED_CELLS), self)

    @property
    def report_path(self) -> Path:
        """Path of the table of expected and placed cells."""
        return self.path.with_name(f"{self.path.stem}_report.csv")

    def make(self) -> Made:
        """See :func:`region_grower_flow.placement.place.place_cells`."""
        from region_grower_flow.io.atomic import make_folder, write_text_atomic
        from region_grower_flow.io.cell_files import write_nodes
        from region_grower_flow.placement import place, table

        self.show("reading the densities and the atlas")
        settings = placement_settings(self)
        plan = place.plan_placement(self.densities, self.atlas, settings)
        placed = place.place_cells(plan, settings)
        cells = table.cells_of(placed, plan.voxels, self.atlas, property_settings(self))
        make_folder(self.path.parent)
        write_nodes(self.path, cells)
        write_text_atomic(self.report_path, table.report_text(placed.report))
        outputs = [self.path, self.report_path]
        if self.out_placement_mask:
            outputs.append(table.write_mask(self.out_placement_mask, plan))
        sentences = list(table.placement_sentences(placed))
        return outputs, {"cells": len(placed), "report": placed.report, "sentences": sentences}
