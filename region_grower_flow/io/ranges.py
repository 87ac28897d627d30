"""Numbers of cells and their rows of the cell table, without reading all of it."""

import numpy as np

from region_grower_flow.errors import InvalidInput
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.io.cells import choose_population
from region_grower_flow.io.files import reading
from region_grower_flow.io.hdf5 import READ_ERRORS, require_own_content
from region_grower_flow.io.node_groups import GROUP, parted


def count_cells(path: PathLike, population: str | None = None) -> int:
    """The number of cells in a SONATA nodes or MVD3 file, from its header.

    Args:
        path: the file.
        population: the SONATA population, where the file holds several, and its group of nodes.

    Raises:
        InvalidInput: the file is missing, damaged or holds no single population.
    """
    import h5py

    try:
        with reading(path, None), h5py.File(path, "r") as file:
            require_own_content(file, path)
            if "nodes" in file:
                nodes, group = file["nodes"], parted(population)[1] or GROUP
                return len(nodes[choose_population(nodes, population, path)][group]["x"])
            return len(file["cells/positions"])
    except InvalidInput:
        raise
    except READ_ERRORS as error:
        problem = "holds no SONATA nodes and no MVD3 cells"
        raise InvalidInput(problem, path, "check the path and the file") from error


def rows_of_ids(path: PathLike, first: int, last: int) -> tuple[int, int]:
    """[first row, last row + 1] of the cells ``first`` to ``last - 1`` in a cell table.

    A table may lack cells (those without an axon), so rows and ids can differ.
    """
    import h5py

    with h5py.File(path, "r") as file:
        ids = file["ids"][:]
    start, stop = np.searchsorted(ids, [first, last]).tolist()
    return start, stop
