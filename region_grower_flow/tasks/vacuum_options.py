"""The options of vacuum synthesis."""

from pathlib import Path

from region_grower_flow import layout
from region_grower_flow.tasks.option_types import Text, Whole
from region_grower_flow.tasks.options import AtlasOptions, GrowthOptions, OutputOptions
from region_grower_flow.vacuum import DEFAULT_CELLS


class VacuumOptions(GrowthOptions):
    """Cells grown without an atlas."""

    vacuum_cells = Whole(
        default=DEFAULT_CELLS,
        least=1,
        most=1_000_000,
        shown=True,
        description="Cells of each mtype that are grown without an atlas",
    )
    vacuum_dir = Text(
        optional=True,
        result=False,
        description="Folder of the cells grown without an atlas, by mtype, and of their index (in "
        "the work folder)",
    )
    seed = AtlasOptions.seed
    synthesize_axons = AtlasOptions.synthesize_axons
    max_failure_ratio = OutputOptions.max_failure_ratio

    def vacuum_place(self):
        """The folder of the cells."""
        return Path(self.vacuum_dir or Path(self.work_dir, layout.VACUUM))
