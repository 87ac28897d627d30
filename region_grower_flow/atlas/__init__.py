"""The atlas: its volumes, its regions, and the look-up of cells in it."""
