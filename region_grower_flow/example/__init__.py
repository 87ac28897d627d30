"""The example dataset, made by the project: ``python -m region_grower_flow.example FOLDER``."""

from region_grower_flow.example.create import create_example
from region_grower_flow.example.paths import ExamplePaths

__all__ = ["ExamplePaths", "create_example"]
