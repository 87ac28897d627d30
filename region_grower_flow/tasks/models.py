"""The parameters and distributions of a growth: given as files, or made by the stages above it."""

from __future__ import annotations

from pathlib import Path

from region_grower_flow.tasks.base import FlowTask, named
from region_grower_flow.tasks.distributions import ExtractDistributions
from region_grower_flow.tasks.fits import FitPathDistances, FitTrunkAngles
from region_grower_flow.tasks.growth import CalibrateGrowth
from region_grower_flow.tasks.parameters import BuildParameters, GenerateParameters
from region_grower_flow.tasks.reconstructions import of_cells

MODEL_STAGES = (
    ExtractDistributions,
    GenerateParameters,
    FitTrunkAngles,
    FitPathDistances,
    BuildParameters,
    CalibrateGrowth,
)
"""All stages that make parameters and distributions."""


def model_stages(task: FlowTask) -> dict[str, FlowTask]:
    """{name: stage} of those that make what the options of a growth do not give."""
    stages = []
    if not task.tmd_parameters:
        stages.append(parameter_stage(task))
    if not task.tmd_distributions:
        stages.append(of_cells(task, ExtractDistributions))
    return named(*stages)


def parameter_stage(task: FlowTask) -> FlowTask:
    """The last stage of those that make parameters."""
    calibrated = task.growth_calibration != "none"
    return of_cells(task, CalibrateGrowth if calibrated else BuildParameters)


def model_paths(task: FlowTask) -> dict[str, str]:
    """{"parameters": path, "distributions": path}, absolute texts, of the files to grow from."""
    paths = {
        "parameters": task.tmd_parameters or parameter_stage(task).path,
        "distributions": task.tmd_distributions or of_cells(task, ExtractDistributions).path,
    }
    return {name: str(Path(path).resolve()) for name, path in paths.items()}
