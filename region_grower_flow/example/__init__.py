"""The example dataset, made by the project: ``python -m region_grower_flow.example FOLDER``."""
