"""Groups that a flow goes by together, as the functions that are given its options name them.

A stage has the options of its groups as attributes, and stands for the groups with all of them.
"""

from region_grower_flow.options.execution import Execution
from region_grower_flow.options.growth import Growth
from region_grower_flow.options.model import Model
from region_grower_flow.options.outputs import Outputs
from region_grower_flow.options.placement import AxonChoice, Placement, Planes, Slicing
from region_grower_flow.options.reference import Reference
from region_grower_flow.options.report import Collage, Report, ReportChoice
from region_grower_flow.options.space import Space
from region_grower_flow.options.vacuum import VacuumCells
from region_grower_flow.options.validation import Validation
from region_grower_flow.options.work import Work


class Calibration(Work, Reference, Model):
    """Calibration of growth by reconstructions."""


class InAtlas(Work, Space, Growth):
    """Cells to grow in an atlas."""


class Synthesis(Calibration, InAtlas, Execution, Outputs):
    """Synthesis in an atlas."""


class WithoutAtlas(Calibration, Growth, Execution, VacuumCells):
    """Growth without an atlas."""


class Validated(Synthesis, VacuumCells, Validation):
    """Validation of a synthesis."""


class Reported(Validated, Report, Collage, ReportChoice):
    """Reports on a synthesis."""


class PlacedByDensities(Work, Placement):
    """Cells placed by densities."""


class CutPlanes(Work, Planes):
    """Planes across an atlas."""


class SlicedCells(Work, Slicing):
    """Cells taken of others."""


class ChosenAxons(Work, AxonChoice):
    """Axons chosen for cells."""

    population = Space.population


class AllOptions(Reported, PlacedByDensities, CutPlanes, SlicedCells, ChosenAxons):  # type: ignore[misc]
    """All that a stage may have."""
