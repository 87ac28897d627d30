"""The outputs of a synthesis, for the stages that read it: reports and the validation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from region_grower_flow import layout
from region_grower_flow.tasks.atlas_outputs import atlas_outputs
from region_grower_flow.tasks.base import FlowTask, named
from region_grower_flow.tasks.merge import SynthesizeMorphologies

if TYPE_CHECKING:
    from region_grower_flow.validation.populations import SynthesisOutputs


def read_with(synthesis: FlowTask) -> dict[str, FlowTask]:
    """{name: stage} of a synthesis and the stages above it whose outputs are read beside its own.

    It may be up to date while these have been made again, alone and with other options: then their
    files are not those that the cells were grown from.
    """
    in_atlas = isinstance(synthesis, SynthesizeMorphologies)
    upstream = synthesis.cell_stages() if in_atlas else synthesis.requires()
    synthesis.check().cover(upstream)
    return {**named(synthesis), **upstream}


def outputs_of(synthesis: FlowTask) -> SynthesisOutputs:
    """The SynthesisOutputs of a task, in an atlas or without one."""
    in_atlas = isinstance(synthesis, SynthesizeMorphologies)
    return atlas_outputs(synthesis) if in_atlas else _vacuum_outputs(synthesis)


def _vacuum_outputs(task: FlowTask) -> SynthesisOutputs:
    from region_grower_flow.validation.populations import SynthesisOutputs

    work = task.work_path(layout.VACUUM_WORK)
    cells = task.path / layout.VACUUM_NODES
    return SynthesisOutputs(
        cells=cells,
        ids=layout.id_map_path(cells),
        summary=task.path / layout.VACUUM_SUMMARY,
        morphologies=task.path,
        extensions=task.out_morph_ext,
        cell_table=work / layout.CELL_TABLE,
        listing=layout.vacuum_listing(work),
    )
