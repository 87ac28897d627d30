"""The options: each declared once, in frozen groups of values, knowing no Luigi and no click.

Luigi's parameters, the flags of commands, their help, the reference in the docs, the commented
configuration, what enters fingerprints and what a job file tells its workers are derived from the
declarations.
"""

from region_grower_flow.options.execution import Execution
from region_grower_flow.options.group import Group
from region_grower_flow.options.growth import Growth
from region_grower_flow.options.model import Model
from region_grower_flow.options.outputs import Outputs
from region_grower_flow.options.placement import AxonChoice, Placement, Planes, Slicing
from region_grower_flow.options.reference import Reference
from region_grower_flow.options.report import Collage, Report, ReportChoice
from region_grower_flow.options.space import Space
from region_grower_flow.options.vacuum import Vacuum
from region_grower_flow.options.validation import Validation
from region_grower_flow.options.work import Work

SECTION = "region_grower_flow"
"""The section of the configuration that all tasks share."""

GROUPS = (
    Work,
    Reference,
    Model,
    Space,
    Growth,
    Execution,
    Outputs,
    Vacuum,
    Validation,
    Report,
    Collage,
    ReportChoice,
    Placement,
    Planes,
    Slicing,
    AxonChoice,
)
"""All groups, in the order in which help and docs show them."""

__all__ = [
    "GROUPS",
    "SECTION",
    "AxonChoice",
    "Collage",
    "Execution",
    "Group",
    "Growth",
    "Model",
    "Outputs",
    "Placement",
    "Planes",
    "Reference",
    "Report",
    "ReportChoice",
    "Slicing",
    "Space",
    "Vacuum",
    "Validation",
    "Work",
]
