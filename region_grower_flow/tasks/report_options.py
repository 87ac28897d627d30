"""The options of the reports."""

from region_grower_flow.report.style import DPI, FORMATS
from region_grower_flow.tasks.option_types import Choice, Number, Text, Whole
from region_grower_flow.tasks.options import WorkOptions
from region_grower_flow.tasks.reference_options import Names
from region_grower_flow.tasks.validation_options import ATLAS, VACUUM, OptionalSynthesis

AUTO = "auto"


class ReportOptions(WorkOptions):
    """Figures, tables and pages."""

    report_of = Choice(
        default=ATLAS,
        choices=(ATLAS, VACUUM),
        shown=True,
        description="Which synthesis reports are of: that of the cells in the atlas, or cells of "
        "each mtype grown without any",
    )
    report_dir = Text(
        default="reports",
        result=False,
        shown=True,
        description="Folder of the reports: each has a folder in it, below atlas or vacuum, with "
        "figures and tables",
    )
    report_mtypes = Names(
        description="Mtypes that reports show, separated by commas (all that were synthesized)",
    )
    report_sample = Whole(
        default=100,
        least=0,
        description="Synthesized cells per mtype that reports measure, drawn at random (0: all)",
    )
    report_pictures = Whole(
        default=6, least=1, most=100, description="Cells per mtype that pictures show"
    )
    report_seed = Whole(default=0, least=0, description="Seed of the choice of cells for reports")
    figure_format = Choice(default="png", choices=FORMATS, description="Format of the figures")
    figure_dpi = Whole(
        default=DPI, least=30, most=1200, description="Resolution of PNG figures (dots per inch)"
    )
    report_processes = Whole(
        optional=True,
        least=1,
        significant=False,
        description="Processes that make reports (as many as there are cores)",
    )


class CollageOptions:
    """The slices of a collage."""

    collage_planes = Text(
        optional=True,
        result=False,
        description="JSON or YAML file of pairs of planes (of CreatePlanes): the slices of a "
        "collage, instead of those that the next options say",
    )
    collage_slices = Whole(
        default=1, least=1, most=50, description="Slices of the atlas that a collage shows"
    )
    collage_axis = Choice(
        default=AUTO,
        choices=(AUTO, "x", "y", "z"),
        description="Coordinate that is constant on the planes of a slice (auto: one that is not "
        "that of the pia, along which the cells spread less)",
    )
    collage_thickness = Number(
        default=100.0, least=1.0, description="Thickness of the slices of a collage (um)"
    )
    collage_sample = Whole(
        default=60, least=0, description="Cells of an mtype in a slice of a collage (0: all)"
    )


class SynthesisReportOptions:
    """The page of a synthesis."""

    out_report = Text(
        optional=True,
        result=False,
        description="HTML file of the report of a synthesis (beside the cells)",
    )


class ReportChoice:
    """Which reports are made together."""

    reports = Names(
        description="Reports that MakeReports makes, separated by commas (all that report_of and "
        "the other options allow)",
    )


class AllReportOptions(SynthesisReportOptions, CollageOptions, ReportOptions, OptionalSynthesis):
    """All options of a report: its own and those of the synthesis."""

    @property
    def in_atlas(self):
        """Whether the synthesis in the atlas is shown."""
        return self.report_of == ATLAS

    def held_places(self):
        """None but what a report adds: the synthesis holds its own."""
        return []
