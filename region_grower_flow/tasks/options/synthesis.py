"""The options of a synthesis, in an atlas or without one."""

from pathlib import Path

from region_grower_flow import layout
from region_grower_flow.runtime.plans import CELL_SECONDS
from region_grower_flow.stages.vacuum import DEFAULT_CELLS
from region_grower_flow.tasks.options.calibration import BuildOptions
from region_grower_flow.tasks.options.types import (
    Choice,
    Extensions,
    Number,
    Place,
    Ratio,
    Switch,
    Text,
    Whole,
)
from region_grower_flow.tasks.options.work import WorkOptions


class AtlasOptions(WorkOptions):
    """The cells and the space around them."""

    input_cells = Place(
        "SONATA (.h5) or MVD3 (.mvd3) file of the cells to place: positions, mtypes, regions",
        optional=False,
    )
    atlas = Place("Folder of the atlas", optional=False)
    atlas_cache = Place(
        "Accepted for region-grower's sake; an atlas is a folder here, and nothing is fetched",
        significant=False,
    )
    region_structure = Place(
        "YAML file of the regions: layers, thicknesses, boundaries, directions",
        default=layout.REGION_STRUCTURE,
    )
    seed = Whole("Seed; each cell adds its row to it", default=0, shown=True)
    min_depth = Number("Least depth of a cell in its region (um)", default=25.0)
    max_depth = Number("Greatest depth of a cell in its region (um)", default=5000.0)
    morph_axon = Place("Table of the axon morphology, and its scale, to graft on each cell")
    max_drop_ratio = Ratio(
        "Greatest ratio, per mtype, of cells without morphology in the axon table",
        default=0.0,
        significant=False,
    )
    synthesize_axons = BuildOptions.synthesize_axons


class GrowthOptions(BuildOptions):
    """How cells are grown, with or without an atlas."""

    tmd_parameters = Place(
        "JSON file of NeuroTS parameters per region and mtype, or a folder, pattern or index of "
        "files as in synthdb; generated without it"
    )
    tmd_distributions = Place(
        "JSON file of NeuroTS distributions per region and mtype, or a folder, pattern or index of "
        "files as in synthdb; extracted without it"
    )
    out_morph_ext = Extensions("Formats of the morphologies: h5, swc, asc", default=("h5",))
    engine = Choice(
        "What grows cells: the compiled engine, or NeuroTS itself", ("compiled", "neurots")
    )
    extra_apicals = Choice(
        "Cells with more trees than their parameters have orientations: drop them, as "
        "region-grower does, or sample the orientations from the reconstructions",
        ("drop", "sample"),
    )
    nb_processes = Whole(
        "Number of MPI workers (as many as there are cores; 0: no MPI)",
        optional=True,
        least=0,
        significant=False,
    )
    launcher = Text(
        "What starts the workers: mpiexec, srun, inprocess, a command with {n} and {command}, or "
        "auto (mpiexec where MPI works, else inprocess)",
        default="auto",
        significant=False,
    )
    block_size = Whole(
        "Most cells that a worker takes at a time (by default 50, and fewer towards the end)",
        optional=True,
        least=1,
        significant=False,
    )
    cell_timeout = Number(
        "Seconds after which a cell is given up", default=CELL_SECONDS, least=0.1, significant=False
    )


class SynthesisOptions(GrowthOptions, AtlasOptions):
    """How cells are grown in an atlas."""

    base_morph_dir = Place("Folder of the axon morphologies (h5)")
    max_files_per_dir = Whole(
        "Greatest number of files in a folder of morphologies (256 at least, where there are as "
        "many files)",
        optional=True,
        least=1,
    )
    scaling_jitter_std = Number(
        "Standard deviation of the scale of grafted axons' sections", optional=True, least=0.0
    )
    rotational_jitter_std = Number(
        "Standard deviation (degrees) of the rotation of grafted axons' sections",
        optional=True,
        least=0.0,
    )
    min_hard_scale = Number(
        "A neurite that the limits would scale by less than this is removed",
        default=0.2,
        least=0.0,
    )
    out_apical_nrn_sections = Place(
        "YAML file for NEURON's indices of the sections where apical tufts start"
    )
    out_debug_data = Place("JSON Lines file for debug data of each cell")
    skip_write = Switch("Write no morphology")
    chunksize = Whole(
        "Cells per chunk: a chunk is one task, one launch of MPI, which costs some seconds; give "
        "hundreds of workers more",
        default=50_000,
        least=1,
        significant=False,
    )


class OutputOptions(SynthesisOptions):
    """What is written at the end, and where."""

    out_cells = Place("File of the synthesized cells (.h5 or .mvd3)", optional=False, shown=True)
    out_apical = Place("YAML file for the points where apical tufts start")
    out_morph_dir = Place("Folder of the morphologies", default="out")
    overwrite = Switch(
        "Write into a folder of morphologies that holds files of others", significant=False
    )
    container_path = Place("HDF5 container for all morphologies")
    circuit_config = Place("SONATA circuit configuration to write")
    out_summary = Place("JSON file of the run's summary (beside the cells)")
    max_failure_ratio = Ratio(
        "Greatest ratio, per mtype, of cells that could not be grown", default=1.0
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


class VacuumOptions(GrowthOptions):
    """Cells grown without an atlas."""

    vacuum_cells = Whole(
        "Cells of each mtype that are grown without an atlas",
        default=DEFAULT_CELLS,
        least=1,
        most=1_000_000,
        shown=True,
    )
    vacuum_dir = Place(
        "Folder of the cells grown without an atlas, by mtype, and of their index (in the work "
        "folder)"
    )
    seed = AtlasOptions.seed
    synthesize_axons = AtlasOptions.synthesize_axons
    max_failure_ratio = OutputOptions.max_failure_ratio

    def vacuum_place(self):
        """The folder of the cells."""
        return Path(self.vacuum_dir or Path(self.work_dir, layout.VACUUM))
