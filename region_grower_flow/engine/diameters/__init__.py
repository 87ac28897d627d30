"""Diameters of grown cells: NeuroTS's methods and the models of diameter_synthesis."""

from region_grower_flow.engine.diameters.model import DiameterModel, kernels_of, prepare

__all__ = ["DiameterModel", "kernels_of", "prepare"]
