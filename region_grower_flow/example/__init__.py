"""The example dataset, made by the project: ``python -m region_grower_flow.example FOLDER``."""

from region_grower_flow.example.create import ExamplePaths, create_example

__all__ = ["ExamplePaths", "create_example"]
