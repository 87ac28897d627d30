"""Races against the reference and measurements of whole runs: ``python -m benchmarks``."""
