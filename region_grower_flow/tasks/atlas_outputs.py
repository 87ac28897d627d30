"""The outputs of a synthesis in an atlas, for what reads them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from region_grower_flow import layout
from region_grower_flow.checks import inputs
from region_grower_flow.options.outputs import summary_place
from region_grower_flow.tasks.atlas import LoadAtlas
from region_grower_flow.tasks.base import FlowTask

if TYPE_CHECKING:
    from region_grower_flow.validation.populations import SynthesisOutputs


def atlas_outputs(task: FlowTask) -> SynthesisOutputs:
    """The SynthesisOutputs of a SynthesizeMorphologies."""
    from region_grower_flow.validation.populations import SynthesisOutputs

    return SynthesisOutputs(
        cells=Path(task.out_cells),
        ids=layout.id_map_path(task.out_cells),
        summary=summary_place(task),
        morphologies=Path(task.out_morph_dir),
        extensions=task.out_morph_ext,
        cell_table=task.clone(LoadAtlas).path,
        asked=Path(task.input_cells),
        rows=inputs.rows_to_grow(task),
        population=task.population,
        listing=task.listing,
        container=Path(task.container_path) if task.container_path else None,
    )
