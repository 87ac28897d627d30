"""The Luigi tasks: one module per stage."""

from region_grower_flow.tasks.atlas import LoadAtlas
from region_grower_flow.tasks.axon_choice import CheckAxonChoice, ChooseAxons
from region_grower_flow.tasks.checks import CheckAtlas, CheckInputs, CheckReconstructions
from region_grower_flow.tasks.diagnosis import DiagnoseReconstructions
from region_grower_flow.tasks.distributions import ExtractDistributions
from region_grower_flow.tasks.fits import FitPathDistances, FitTrunkAngles
from region_grower_flow.tasks.from_densities import SynthesizeFromDensities
from region_grower_flow.tasks.make_reports import CheckReports, MakeReports
from region_grower_flow.tasks.merge import SynthesizeMorphologies
from region_grower_flow.tasks.parameters import BuildParameters, GenerateParameters
from region_grower_flow.tasks.placement import CheckPlacement, PlaceCells
from region_grower_flow.tasks.reconstructions import PrepareReconstructions
from region_grower_flow.tasks.report_base import CheckReport
from region_grower_flow.tasks.reports import (
    PlotCollage,
    PlotDensityProfiles,
    PlotMorphometrics,
    PlotPathDistanceFits,
    PlotScales,
    PlotScoreMatrix,
    PlotVacuumMorphologies,
    ValidateTrunks,
)
from region_grower_flow.tasks.slicing import CheckPlanes, CheckSlice, CreatePlanes, SliceCells
from region_grower_flow.tasks.synthesis import SynthesizeChunk
from region_grower_flow.tasks.synthesis_report import ReportSynthesis
from region_grower_flow.tasks.vacuum import CheckVacuum, SynthesizeVacuum
from region_grower_flow.tasks.validation import CheckValidation, ValidateSynthesis

__all__ = [
    "BuildParameters",
    "CheckAtlas",
    "CheckAxonChoice",
    "CheckInputs",
    "CheckPlacement",
    "CheckPlanes",
    "CheckReconstructions",
    "CheckReport",
    "CheckReports",
    "CheckSlice",
    "CheckVacuum",
    "CheckValidation",
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
]
