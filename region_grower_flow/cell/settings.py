"""All that a worker needs to know to make cells: the growth's options and where its inputs are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from region_grower_flow import layout
from region_grower_flow.options.growth import Growth

RESULT_VERSION = 7
"""Raise when a change of the code changes the cells that the same inputs give."""


ORIENTATION_ROLE = f"atlas volume {layout.ORIENTATION}"
"""The role of the volume that directions turn with, in fingerprints."""


def axon_role(name: str) -> str:
    """The role of a donor of axons."""
    return f"axon {name}"


def boundary_role(path: str) -> str:
    """The role of a mesh, or folder of meshes, by its path in the region structure."""
    return f"boundary {path}"


@dataclass(frozen=True)
class SynthesisSettings:
    """The growth's options, whole, and what they are applied to.

    Attributes:
        growth: how cells are grown.
        cell_table: path of the cell table.
        rows: [first, last + 1] of its rows that are loaded.
        parameters, distributions: paths of the JSON files.
        morphologies: folder in which morphologies are written.
        directory_depth: levels of 256-way folders below ``hashed``, None for a flat folder.
        base_morph_dir: folder of axon donors (h5), None without grafting.
        mesh_dir: folder that the paths of meshes start from: that of the region structure.
        orientation: the atlas's volume of orientations.
        orientation_mapped: it is unpacked, so that processes map it instead of reading it.
        nrn_sections: compute NEURON's indices of the apical sections.
        skip_write: write no morphology.
        shards: folder of the chunk's shards, to which cells are appended (see ``io.shards``); None:
            each is written into a file of its own.
        debug: keep debug data in the records.
        content: {role: digest} of the files that cells read beside the tables: donors, meshes, the
            orientations; roles as in ``checks.inputs``.
        sources: {path: [*stamp, digest]} of all that is read, see ``io.files.expect``.
        source_folders: folders of which all files are inputs.
        versions: {package: version, or None} of what affects results.
    """

    growth: Growth
    cell_table: str
    rows: tuple[int, int]
    parameters: str
    distributions: str
    morphologies: str
    directory_depth: int | None = None
    base_morph_dir: str | None = None
    mesh_dir: str | None = None
    orientation: str | None = None
    orientation_mapped: bool = False
    nrn_sections: bool = False
    skip_write: bool = False
    shards: str | None = None
    debug: bool = False
    content: dict[str, str] = field(default_factory=dict)
    sources: dict[str, list[Any]] = field(default_factory=dict)
    source_folders: tuple[str, ...] = ()
    versions: dict[str, str | None] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The settings as a dict that JSON can hold."""
        return {**asdict(self), "growth": self.growth.to_json()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> SynthesisSettings:
        """The settings of such a dict."""
        growth = Growth.from_json(values["growth"])
        tuples = {name: tuple(values[name]) for name in ("rows", "source_folders")}
        return cls(**{**values, "growth": growth, **tuples})


DEBUG_VERSION = 2
"""Version of the debug data in records: those of another one are made again, with their cells."""


def common_content(settings: SynthesisSettings) -> dict[str, Any]:
    """The settings that change cells (folders and ranges of rows do not), for their digests."""
    names = ("directory_depth", "nrn_sections", "skip_write", "debug", "versions")
    own = {name: getattr(settings, name) for name in names}
    own["debug"] = settings.debug and DEBUG_VERSION
    return {"version": RESULT_VERSION, **settings.growth.results(), **own}
