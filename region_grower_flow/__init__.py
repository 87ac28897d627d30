"""Grow neurons into a brain atlas: region-grower's science as a Luigi workflow.

The Luigi tasks are importable from here. They register themselves with Luigi when Luigi is already
loaded (``luigi --module region_grower_flow ...``) and are otherwise loaded at first use, so that a
worker rank, which needs none of them, starts without Luigi.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

__version__ = "0.1.0"

TASKS = {
    "BuildParameters": "parameters",
    "CalibrateGrowth": "growth",
    "ChooseAxons": "axon_choice",
    "CreatePlanes": "slicing",
    "DiagnoseReconstructions": "diagnosis",
    "ExtractDistributions": "distributions",
    "FitPathDistances": "fits",
    "FitTrunkAngles": "fits",
    "GenerateParameters": "parameters",
    "LoadAtlas": "atlas",
    "MakeReports": "make_reports",
    "PlaceCells": "placement",
    "PlotCollage": "reports",
    "PlotDensityProfiles": "reports",
    "PlotMorphometrics": "reports",
    "PlotPathDistanceFits": "reports",
    "PlotScales": "reports",
    "PlotScoreMatrix": "reports",
    "PlotVacuumMorphologies": "reports",
    "PrepareReconstructions": "reconstructions",
    "ReportSynthesis": "synthesis_report",
    "SliceCells": "slicing",
    "SynthesizeChunk": "synthesis",
    "SynthesizeFromDensities": "from_densities",
    "SynthesizeMorphologies": "merge",
    "SynthesizeVacuum": "vacuum",
    "ValidateSynthesis": "validation",
    "ValidateTrunks": "reports",
}
"""{task: its module below ``region_grower_flow.tasks``}."""

API = ("Cell", "Model", "Population", "Reconstructions")
"""Classes of ``region_grower_flow.api``."""

__all__ = ["API", "TASKS", "__version__", *API, *TASKS]


def __getattr__(name: str) -> Any:
    """Load a task, or a class of the API, at first use (PEP 562)."""
    if name in API:
        return getattr(importlib.import_module("region_grower_flow.api"), name)
    if name in TASKS:
        module = importlib.import_module(f"region_grower_flow.tasks.{TASKS[name]}")
        return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


if "luigi" in sys.modules:
    importlib.import_module("region_grower_flow.tasks")
