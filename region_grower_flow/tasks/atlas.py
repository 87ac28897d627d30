"""The cell table: what the atlas says at each cell, as a task."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from region_grower_flow import layout
from region_grower_flow.checks import inputs
from region_grower_flow.io.atomic import remove_own
from region_grower_flow.options import Model, Space, Work
from region_grower_flow.tasks.base import Facts, FlowTask, Made
from region_grower_flow.tasks.targets import StageTarget


class LoadAtlas(FlowTask):
    """Look all cells up in the atlas: one row per cell of the table."""

    groups = (Work, Space)
    checked_by = "atlas"
    synthesize_axons = Model.synthesize_axons
    # 2: the names of the regions' layers. 3: no places of files. 4: numbers of cells, not seeds.
    stage_version = 4

    def external_files(self) -> dict[str, Any]:
        """The cells, the region structure, the volumes and the axon table."""
        return inputs.atlas_files(self)

    def output(self) -> StageTarget:
        """The cell table."""
        return StageTarget(self.work_path(layout.CELL_TABLE), self)

    def make(self) -> Made:
        """See :func:`region_grower_flow.atlas.load.load_atlas_table`."""
        from region_grower_flow.atlas.load import load_atlas_table
        from region_grower_flow.io.table import write_table

        self.show("reading the cells and the atlas")
        cells, rows = inputs.cells_in_atlas(self), inputs.rows_to_grow(self)
        table = load_atlas_table(
            self.atlas,
            self.region_structure,
            cells,
            min_depth=self.min_depth,
            max_depth=self.max_depth,
            axon_table=inputs.axon_table(self, inputs.count_cells(self), rows),
            ids=rows,
        )
        outputs = [self.path, *self._unpacked()]
        write_table(self.path, table)
        entries = Counter(map(str, table.synthesis_regions))
        facts = {"cells": len(cells.positions), "rows": len(table)}
        return outputs, {**facts, "entries": dict(entries.most_common())}

    def _unpacked(self) -> list[Path]:
        """The unpacked orientations, written where directions act and they are large."""
        from region_grower_flow.atlas.volumes import unpack_orientations

        target = self.work_path(layout.UNPACKED_ORIENTATION)
        if not inputs.has_directions(self):
            remove_own(target)
            return []
        return [target] if unpack_orientations(self.atlas, target) else []

    def results(self) -> dict[str, Any]:
        """The options, and whether axons are grown and not grafted."""
        return {**super().results(), "synthesize_axons": self.synthesize_axons}

    def summary_of(self, facts: Facts) -> str:
        """Number of cells with a row."""
        return f"{facts['rows']:,} of {facts['cells']:,} cells looked up"
