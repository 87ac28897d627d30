"""The Luigi tasks: one module per stage."""

from region_grower_flow.tasks.atlas import LoadAtlas
from region_grower_flow.tasks.checks import CheckAtlas, CheckInputs, CheckReconstructions
from region_grower_flow.tasks.distributions import ExtractDistributions
from region_grower_flow.tasks.merge import SynthesizeMorphologies
from region_grower_flow.tasks.parameters import GenerateParameters
from region_grower_flow.tasks.placement import CheckPlacement, PlaceCells
from region_grower_flow.tasks.slicing import CheckPlanes, CheckSlice, CreatePlanes, SliceCells
from region_grower_flow.tasks.synthesis import SynthesizeChunk

__all__ = [
    "CheckAtlas",
    "CheckInputs",
    "CheckPlacement",
    "CheckPlanes",
    "CheckReconstructions",
    "CheckSlice",
    "CreatePlanes",
    "ExtractDistributions",
    "GenerateParameters",
    "LoadAtlas",
    "PlaceCells",
    "SliceCells",
    "SynthesizeChunk",
    "SynthesizeMorphologies",
]
