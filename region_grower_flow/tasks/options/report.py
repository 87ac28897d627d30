"""The options of the reports."""

from region_grower_flow.report.style import DPI, FORMATS
from region_grower_flow.tasks.options.types import (
    Choice,
    Names,
    Number,
    Place,
    Processes,
    Seed,
    Whole,
)
from region_grower_flow.tasks.options.validation import ATLAS, VACUUM, OptionalSynthesis
from region_grower_flow.tasks.options.work import WorkOptions

AUTO = "auto"


class ReportOptions(WorkOptions):
    """Figures, tables and pages."""

    report_of = Choice(
        "Which synthesis reports are of: that of the cells in the atlas, or cells of each mtype "
        "grown without any",
        (ATLAS, VACUUM),
        shown=True,
    )
    report_dir = Place(
        "Folder of the reports: each has a folder in it, below atlas or vacuum, with figures and "
        "tables",
        default="reports",
        shown=True,
    )
    report_mtypes = Names(
        "Mtypes that reports show, separated by commas (all that were synthesized)"
    )
    report_sample = Whole(
        "Synthesized cells per mtype that reports measure, drawn at random (0: all)",
        default=100,
        least=0,
    )
    report_pictures = Whole("Cells per mtype that pictures show", default=6, least=1, most=100)
    report_seed = Seed("Seed of the choice of cells for reports")
    figure_format = Choice("Format of the figures", FORMATS)
    figure_dpi = Whole(
        "Resolution of PNG figures (dots per inch)", default=DPI, least=30, most=1200
    )
    report_processes = Processes("make reports")


class CollageOptions:
    """The slices of a collage."""

    collage_planes = Place(
        "JSON or YAML file of pairs of planes (of CreatePlanes): the slices of a collage, instead "
        "of those that the next options say"
    )
    collage_slices = Whole("Slices of the atlas that a collage shows", default=1, least=1, most=50)
    collage_axis = Choice(
        "Coordinate that is constant on the planes of a slice (auto: one that is not that of the "
        "pia, along which the cells spread less)",
        (AUTO, "x", "y", "z"),
    )
    collage_thickness = Number(
        "Thickness of the slices of a collage (um)", default=100.0, least=1.0
    )
    collage_sample = Whole(
        "Cells of an mtype in a slice of a collage (0: all)", default=60, least=0
    )


class SynthesisReportOptions:
    """The page of a synthesis."""

    out_report = Place("HTML file of the report of a synthesis (beside the cells)")


class ReportChoice:
    """Which reports are made together."""

    reports = Names(
        "Reports that MakeReports makes, separated by commas (all that report_of and the other "
        "options allow)"
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
