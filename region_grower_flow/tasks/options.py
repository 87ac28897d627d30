"""The options of the tasks, in groups: each described once, for help, docs and configurations."""

from pathlib import Path

from region_grower_flow import layout
from region_grower_flow.tasks.fit_options import FitOptions
from region_grower_flow.tasks.option_types import Choice, Extensions, Number, Switch, Text, Whole
from region_grower_flow.tasks.reference_options import ReferenceOptions


class WorkOptions:
    """Where intermediates are kept."""

    work_dir = Text(
        default="region_grower_flow_work",
        result=False,
        shown=True,
        description="Folder of the intermediates, logs and manifests",
    )
    worker_log_level = Choice(
        default="info",
        choices=("debug", "info", "warning", "error", "critical"),
        significant=False,
        description="How much the workers log",
    )
    hide_progress_bar = Switch(significant=False, description="Show no progress bar")
    example_dir = Text(
        optional=True,
        significant=False,
        description="Folder of the package's own example inputs, created when it is not there",
    )


class CalibrationOptions(ReferenceOptions, WorkOptions):
    """The reference morphologies and what is made of them."""

    morphologies_dir = Text(
        optional=True,
        result=False,
        description="Folder of the reconstructed morphologies",
    )
    dat_file = Text(
        optional=True,
        result=False,
        description="Table of the reconstructions and their mtypes: dat (name, an integer that is "
        "ignored, mtype), neuronDB XML, or CSV or TSV with a header",
    )
    morphologies_ext = Choice(
        default="h5",
        choices=("h5", "swc", "asc", ".h5", ".swc", ".asc"),
        description="Extension of the reconstructed morphologies that the table names without "
        "their paths",
    )
    region = Text(
        default=layout.DEFAULT_REGION,
        description="Region that the distributions and parameters are written for; 'default' "
        "serves every region without an entry of its own",
    )
    diametrizer_config = Text(
        optional=True,
        result=False,
        description="JSON file of the diametrizer; without it the 'simpler' model is fitted",
    )
    on_bad_morphology = Choice(
        default="fail",
        choices=("fail", "skip"),
        description="What to do with a reconstruction that cannot be used: fail, or leave it out "
        "and say so",
    )
    synthesize_axons = Switch(
        description="Calibrate axons (of the mtypes most of whose reconstructions have one) and "
        "grow them, instead of grafting them",
    )
    min_basal_trees = Whole(
        default=1,
        least=1,
        most=2,
        description="Least number of basal dendrites in the distributions; growth needs 2, so 2 "
        "keeps mtypes whose reconstructions have one",
    )
    extraction_processes = Whole(
        optional=True,
        least=1,
        significant=False,
        description="Processes that extract distributions (as many as pay, up to the cores)",
    )
    extracted_distributions = Text(
        optional=True,
        result=False,
        description="Where the extracted distributions are written (in the work folder)",
    )


class ParameterOptions(CalibrationOptions):
    """How parameters are generated."""

    base_parameters = Text(
        optional=True,
        result=False,
        description="JSON file of NeuroTS parameters to start from, instead of NeuroTS's defaults",
    )
    overrides = Text(
        optional=True,
        result=False,
        description="YAML or JSON file, or CSV table (mtype, entry, value), of values that replace "
        "generated parameters, by mtype",
    )
    generated_parameters = Text(
        optional=True,
        result=False,
        description="Where the generated parameters are written (in the work folder)",
    )


class BuildOptions(FitOptions, ParameterOptions):
    """How parameters are generated and completed."""


class AtlasOptions(WorkOptions):
    """The cells and the space around them."""

    input_cells = Text(
        result=False,
        description="SONATA (.h5) or MVD3 (.mvd3) file of the cells to place: positions, mtypes, "
        "regions",
    )
    atlas = Text(result=False, description="Folder of the atlas")
    atlas_cache = Text(
        optional=True,
        significant=False,
        description="Folder in which the volumes of a remote atlas are kept",
    )
    region_structure = Text(
        default=layout.REGION_STRUCTURE,
        result=False,
        description="YAML file of the regions: layers, thicknesses, boundaries, directions",
    )
    seed = Whole(default=0, shown=True, description="Seed; each cell adds its row to it")
    min_depth = Number(default=25.0, description="Least depth of a cell in its region (um)")
    max_depth = Number(default=5000.0, description="Greatest depth of a cell in its region (um)")
    morph_axon = Text(
        optional=True,
        result=False,
        description="Table of the axon morphology, and its scale, to graft on each cell",
    )
    max_drop_ratio = Number(
        default=0.0,
        least=0.0,
        most=1.0,
        significant=False,
        description="Greatest ratio, per mtype, of cells without morphology in the axon table",
    )
    synthesize_axons = CalibrationOptions.synthesize_axons


class GrowthOptions(BuildOptions):
    """How cells are grown, with or without an atlas."""

    tmd_parameters = Text(
        optional=True,
        result=False,
        description="JSON file of NeuroTS parameters per region and mtype, or a folder, pattern or "
        "index of files as in synthdb; generated without it",
    )
    tmd_distributions = Text(
        optional=True,
        result=False,
        description="JSON file of NeuroTS distributions per region and mtype, or a folder, pattern "
        "or index of files as in synthdb; extracted without it",
    )
    out_morph_ext = Extensions(
        default=("h5",), description="Formats of the morphologies: h5, swc, asc"
    )
    engine = Choice(
        default="compiled",
        choices=("compiled", "neurots"),
        description="What grows cells: the compiled engine, or NeuroTS itself",
    )
    extra_apicals = Choice(
        default="drop",
        choices=("drop", "sample"),
        description="Cells with more trees than their parameters have orientations: drop them, as "
        "region-grower does, or sample the orientations from the reconstructions",
    )
    nb_processes = Whole(
        optional=True,
        least=0,
        significant=False,
        description="Number of MPI workers (as many as there are cores; 0: no MPI)",
    )
    launcher = Text(
        default="auto",
        significant=False,
        description="What starts the workers: mpiexec, srun, inprocess, a command with {n} and "
        "{command}, or auto (mpiexec where MPI works, else inprocess)",
    )
    block_size = Whole(
        optional=True,
        least=1,
        significant=False,
        description="Cells that a worker takes at a time (chosen from the costs of the cells)",
    )
    cell_timeout = Number(
        default=3600.0,
        least=0.1,
        significant=False,
        description="Seconds after which a cell is given up",
    )


class SynthesisOptions(GrowthOptions, AtlasOptions):
    """How cells are grown in an atlas."""

    base_morph_dir = Text(
        optional=True, result=False, description="Folder of the axon morphologies (h5)"
    )
    max_files_per_dir = Whole(
        optional=True,
        least=1,
        description="Greatest number of files in a folder of morphologies (256 at least, where "
        "there are as many files)",
    )
    scaling_jitter_std = Number(
        optional=True,
        least=0.0,
        description="Standard deviation of the scale of grafted axons' sections",
    )
    rotational_jitter_std = Number(
        optional=True,
        least=0.0,
        description="Standard deviation (degrees) of the rotation of grafted axons' sections",
    )
    min_hard_scale = Number(
        default=0.2,
        least=0.0,
        description="A neurite that the limits would scale by less than this is removed",
    )
    out_apical_nrn_sections = Text(
        optional=True,
        result=False,
        description="YAML file for NEURON's indices of the sections where apical tufts start",
    )
    out_debug_data = Text(
        optional=True, result=False, description="JSON Lines file for debug data of each cell"
    )
    skip_write = Switch(description="Write no morphology")
    chunksize = Whole(
        default=50_000,
        least=1,
        significant=False,
        description="Cells per chunk: a chunk is one task, one launch of MPI, which costs some"
        " seconds; give hundreds of workers more",
    )


class OutputOptions(SynthesisOptions):
    """What is written at the end, and where."""

    out_cells = Text(
        result=False, shown=True, description="File of the synthesized cells (.h5 or .mvd3)"
    )
    out_apical = Text(
        optional=True,
        result=False,
        description="YAML file for the points where apical tufts start",
    )
    out_morph_dir = Text(default="out", result=False, description="Folder of the morphologies")
    overwrite = Switch(
        significant=False,
        description="Write into a folder of morphologies that holds files of others",
    )
    container_path = Text(
        optional=True, result=False, description="HDF5 container for all morphologies"
    )
    circuit_config = Text(
        optional=True, result=False, description="SONATA circuit configuration to write"
    )
    out_summary = Text(
        optional=True,
        result=False,
        description="JSON file of the run's summary (beside the cells)",
    )
    max_failure_ratio = Number(
        default=1.0,
        least=0.0,
        most=1.0,
        description="Greatest ratio, per mtype, of cells that could not be grown",
    )

    def places(self):
        """{output: path} of what is written, None for what is not."""
        beside = Path(self.out_cells)
        return {
            "out_cells": self.out_cells,
            "summary": self.out_summary or beside.with_name(f"{beside.stem}_summary.json"),
            "apical": self.out_apical,
            "nrn_sections": self.out_apical_nrn_sections,
            "debug": self.out_debug_data,
            "container": self.container_path,
            "circuit_config": self.circuit_config,
            "morphologies": None if self.skip_write else self.out_morph_dir,
        }

    def held_places(self):
        """What a synthesis holds alone: its work folder and its outputs."""
        return [self.work_dir, *(place for place in self.places().values() if place)]
