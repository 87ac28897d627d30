"""Distributions and parameters of growth, made from reference morphologies."""
