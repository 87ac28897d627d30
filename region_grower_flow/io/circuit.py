"""The SONATA circuit configuration of the nodes and morphologies that were made."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from region_grower_flow.io.atomic import PathLike

VERSION = 2.4
BASE = "$BASE_DIR"
_ALTERNATES = {"h5": "h5v1", "asc": "neurolucida-asc"}


def circuit_config(
    nodes: PathLike,
    population: str,
    morphologies: PathLike | None,
    extensions: Iterable[str],
    container: PathLike | None = None,
    folder: PathLike | None = None,
) -> dict[str, Any]:
    """The circuit_config.json (as a dict) of one population of synthesized cells.

    There are no edges yet, so the configuration says that it is partial: readers then don't miss
    them. All paths are relative to the configuration, so that a project can be moved or copied.

    Args:
        nodes: the SONATA nodes file.
        population: its population.
        morphologies: the folder of the morphology files, None when there are none.
        extensions: their formats, some of MORPHOLOGY_EXTENSIONS.
        container: the HDF5 container with all morphologies, None when there is none; where both
            exist the container serves as "h5v1".
        folder: where the configuration will be; that of the nodes when None.

    Returns:
        dict, to be written with :func:`~region_grower_flow.io.atomic.write_json_atomic`.
    """
    folder = Path(nodes).parent if folder is None else folder
    properties: dict[str, Any] = {"type": "biophysical"}
    alternates = {}
    if morphologies is not None:
        files = _from_base(folder, morphologies)
        if "swc" in extensions:
            properties["morphologies_dir"] = files
        alternates = {_ALTERNATES[kind]: files for kind in extensions if kind in _ALTERNATES}
    if container is not None:
        alternates["h5v1"] = _from_base(folder, container)
    if alternates:
        properties["alternate_morphologies"] = alternates
    return {
        "version": VERSION,
        "manifest": {BASE: "."},
        "metadata": {"status": "partial"},
        "networks": {
            "nodes": [
                {
                    "nodes_file": _from_base(folder, nodes),
                    "populations": {population: properties},
                }
            ],
            "edges": [],
        },
    }


def _from_base(folder: PathLike, path: PathLike) -> str:
    relative = os.path.relpath(os.path.abspath(path), os.path.abspath(folder))
    seen = os.path.join(folder, relative)
    if os.path.realpath(seen) != os.path.realpath(path):  # ".." of a folder that is a link
        relative = os.path.relpath(os.path.realpath(path), os.path.realpath(folder))
    return f"{BASE}/{Path(relative).as_posix()}"
