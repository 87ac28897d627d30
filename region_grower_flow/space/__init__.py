"""Effects of space on one cell: layers, barcode scaling, limits, boundaries, directions."""
