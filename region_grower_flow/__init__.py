"""Grow neurons into a brain atlas: region-grower's science as a Luigi workflow.

The Luigi tasks are importable from here. They register themselves with Luigi when Luigi is already
loaded (``luigi --module region_grower_flow ...``) and are otherwise loaded at first use, so that a
worker rank, which needs none of them, starts without Luigi.
"""

import importlib
import sys

__version__ = "0.1.0"

TASKS = (
    "BuildParameters",
    "ChooseAxons",
    "CreatePlanes",
    "DiagnoseReconstructions",
    "ExtractDistributions",
    "FitPathDistances",
    "FitTrunkAngles",
    "GenerateParameters",
    "LoadAtlas",
    "MakeReports",
    "PlaceCells",
    "PlotCollage",
    "PlotDensityProfiles",
    "PlotMorphometrics",
    "PlotPathDistanceFits",
    "PlotScales",
    "PlotScoreMatrix",
    "PlotVacuumMorphologies",
    "PrepareReconstructions",
    "ReportSynthesis",
    "SliceCells",
    "SynthesizeChunk",
    "SynthesizeFromDensities",
    "SynthesizeMorphologies",
    "SynthesizeVacuum",
    "ValidateSynthesis",
    "ValidateTrunks",
)

__all__ = ["__version__", *TASKS]


def __getattr__(name):
    """Load the tasks at first use (PEP 562)."""
    if name in TASKS:
        return getattr(importlib.import_module("region_grower_flow.tasks"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


if "luigi" in sys.modules:
    importlib.import_module("region_grower_flow.tasks")
