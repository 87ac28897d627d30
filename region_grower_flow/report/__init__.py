"""Figures, tables and pages of what was synthesized and validated."""
