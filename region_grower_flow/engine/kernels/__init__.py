"""Compiled kernels: numpy and numba only, arrays and the generator in, arrays out."""
