"""What space does to one cell: layers, bar-code scaling, limits, boundaries, directions."""
