"""The options of what a synthesis writes, and where."""

from __future__ import annotations

from pathlib import Path

from region_grower_flow import layout
from region_grower_flow.options.group import Group
from region_grower_flow.options.kinds import Place, Ratio, Switch, Whole


class Outputs(Group):
    """Outputs that are written at the end, and their places."""

    TITLE = "Outputs"

    out_cells = Place[str](
        "File of the synthesized cells (.h5 or .mvd3)", optional=False, shown=True
    )
    out_morph_dir = Place[str]("Folder of the morphologies", default="out")
    max_files_per_dir = Whole["int | None"](
        "Greatest number of files in a folder of morphologies (256 at least, where there are as "
        "many files)",
        optional=True,
        least=1,
    )
    overwrite = Switch(
        "Write into a folder of morphologies that holds files of others, or over a container of "
        "another work folder; synthesized morphologies of another work folder are removed",
        identity=False,
    )
    skip_write = Switch("Write no morphology")
    out_morphs_df = Place["str | None"](
        "CSV table of the cells that were made: name, mtype, path of the morphology (as "
        "synthesis-workflow's synth_morphs_df.csv)"
    )
    out_apical = Place["str | None"]("YAML file for the points where apical tufts start")
    out_apical_nrn_sections = Place["str | None"](
        "YAML file for NEURON's indices of the sections where apical tufts start"
    )
    out_debug_data = Place["str | None"]("JSON Lines file for debug data of each cell")
    container_path = Place["str | None"]("HDF5 container for all morphologies")
    container_only = Switch(
        "Write the morphologies into the container alone, none into a file of its own: workers "
        "append them to a few files in the work folder"
    )
    circuit_config = Place["str | None"]("SONATA circuit configuration to write")
    out_summary = Place["str | None"]("JSON file of the run's summary (beside the cells)")
    skip_page = Switch("Write no page of the run at its end", identity=False)
    out_report = Place["str | None"]("HTML file of the page of the run (in the work folder)")
    max_failure_ratio = Ratio(
        "Greatest ratio, per mtype, of cells that could not be grown: with more of them all "
        "outputs are written, and the run fails",
        default=0.5,
    )


OUTPUT_FILES = tuple(
    name
    for name, option in Outputs.DECLARED.items()
    if isinstance(option, Place) and name != "out_morph_dir"
)
"""Options that name files of a synthesis."""


def places_of(options: Outputs) -> dict[str, str | Path | None]:
    """{output: path} of what a synthesis writes, None for what it does not.

    Args:
        options: the outputs' options, as attributes.
    """
    return {
        "out_cells": options.out_cells,
        "summary": summary_place(options),
        # Without morphologies there is nothing to name or to hold.
        "morphs_df": None if options.skip_write else options.out_morphs_df,
        "apical": options.out_apical,
        "nrn_sections": options.out_apical_nrn_sections,
        "debug": options.out_debug_data,
        "container": None if options.skip_write else options.container_path,
        "circuit_config": options.circuit_config,
        "morphologies": options.out_morph_dir if writes_files(options) else None,
    }


def summary_place(options: Outputs) -> Path:
    """The path of a synthesis's summary, beside the cells unless an option names another."""
    return Path(options.out_summary or layout.summary_path(options.out_cells))


def writes_files(options: Outputs) -> bool:
    """True if each morphology gets a file of its own (in each format)."""
    return not (options.skip_write or options.container_only)
