"""Places of cells: positions from densities, slices of circuits, and the axons to graft."""
