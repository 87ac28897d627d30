"""The options of the reports."""

from region_grower_flow.options.group import Group
from region_grower_flow.options.kinds import Choice, Names, Number, Place, Whole
from region_grower_flow.options.model import Model
from region_grower_flow.options.reference import Reference
from region_grower_flow.options.validation import ATLAS, VACUUM

AUTO = "auto"
FORMATS = ("png", "svg")
DPI = 130
"""Resolution of PNG files: sharp on a page of usual width, and small."""


class Report(Group):
    """Synthesis that reports show, number of its cells, and form of the figures."""

    TITLE = "Reports"

    report_of = Choice(
        "Which synthesis reports are of: that of the cells in the atlas, or cells of each mtype "
        "grown without any",
        (ATLAS, VACUUM),
        shown=True,
    )
    report_dir = Place[str](
        "Folder of the reports: each has a folder in it, below atlas or vacuum, with figures and "
        "tables",
        default="reports",
        shown=True,
    )
    report_mtypes = Names(
        "Mtypes that reports show, separated by commas (all that were synthesized)"
    )
    report_sample = Whole[int](
        "Synthesized cells per mtype that reports measure, drawn at random (0: all)",
        default=100,
        least=0,
    )
    report_pictures = Whole[int]("Cells per mtype that pictures show", default=6, least=1, most=100)
    validation_seed = Reference.validation_seed
    figure_format = Choice("Format of the figures", FORMATS)
    figure_dpi = Whole[int](
        "Resolution of PNG figures (dots per inch)", default=DPI, least=30, most=1200
    )
    processes = Model.processes


class Collage(Group):
    """The slices of a collage."""

    TITLE = "Collages"

    collage_planes = Place["str | None"](
        "JSON or YAML file of pairs of planes (of CreatePlanes): the slices of a collage, instead "
        "of those that the next options say"
    )
    collage_slices = Whole[int](
        "Slices of the atlas that a collage shows", default=1, least=1, most=50
    )
    collage_axis = Choice(
        "Coordinate that is constant on the planes of a slice (auto: one that is not that of the "
        "pia, along which the cells spread less)",
        (AUTO, "x", "y", "z"),
    )
    collage_thickness = Number[float](
        "Thickness of the slices of a collage (um)", default=100.0, least=1.0
    )
    collage_sample = Whole[int](
        "Cells of an mtype in a slice of a collage (0: all)", default=60, least=0
    )


class ReportChoice(Group):
    """Reports that are made together."""

    TITLE = "Choice of reports"

    reports = Names(
        "Reports that MakeReports makes, separated by commas (all that report_of and the other "
        "options allow)"
    )
