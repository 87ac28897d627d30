"""The Luigi tasks: one module per stage."""

from region_grower_flow.tasks.atlas import LoadAtlas
from region_grower_flow.tasks.axon_choice import CheckAxonChoice, ChooseAxons
from region_grower_flow.tasks.checks import CheckAtlas, CheckInputs, CheckReconstructions
from region_grower_flow.tasks.distributions import ExtractDistributions
from region_grower_flow.tasks.fits import FitPathDistances, FitTrunkAngles
from region_grower_flow.tasks.merge import SynthesizeMorphologies
from region_grower_flow.tasks.parameters import BuildParameters, GenerateParameters
from region_grower_flow.tasks.placement import CheckPlacement, PlaceCells
from region_grower_flow.tasks.slicing import CheckPlanes, CheckSlice, CreatePlanes, SliceCells
from region_grower_flow.tasks.synthesis import SynthesizeChunk
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
    "CheckSlice",
    "CheckVacuum",
    "CheckValidation",
    "ChooseAxons",
    "CreatePlanes",
    "ExtractDistributions",
    "FitPathDistances",
    "FitTrunkAngles",
    "GenerateParameters",
    "LoadAtlas",
    "PlaceCells",
    "SliceCells",
    "SynthesizeChunk",
    "SynthesizeMorphologies",
    "SynthesizeVacuum",
    "ValidateSynthesis",
]
