"""Effects of space on one cell: layers, bar-code scaling, limits, boundaries, directions."""
