"""The outputs of a synthesis in an atlas, for what reads them."""

from pathlib import Path

from region_grower_flow.checks import inputs
from region_grower_flow.options.outputs import places_of
from region_grower_flow.tasks.atlas import LoadAtlas


def atlas_outputs(task):
    """The SynthesisOutputs of a SynthesizeMorphologies."""
    from region_grower_flow.stages.merge import id_map_path
    from region_grower_flow.validation.populations import SynthesisOutputs

    places = places_of(task)
    return SynthesisOutputs(
        cells=Path(places["out_cells"]),
        ids=id_map_path(places["out_cells"]),
        summary=Path(places["summary"]),
        morphologies=Path(places["morphologies"]),
        extensions=task.out_morph_ext,
        cell_table=task.clone(LoadAtlas).path,
        asked=Path(task.input_cells),
        rows=inputs.rows_to_grow(task),
        population=task.population,
        listing=task.listing,
        container=Path(task.container_path) if task.container_path else None,
    )
