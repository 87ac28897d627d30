"""Tests of synthesized cells against reference cells: each gives one verdict."""
