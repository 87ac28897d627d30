"""All that a worker needs to know to make cells: the growth's options and where its inputs are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from region_grower_flow.options.growth import Growth

RESULT_VERSION = 2
"""Raise when a change of the code changes the cells that the same inputs give."""


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
        nrn_sections: compute NEURON's indices of the apical sections.
        skip_write: write no morphology.
        debug: keep debug data in the records.
        content: {path: digest} of the files that cells read beside the tables (donors, meshes).
        versions: {package: version} of what affects results.
    """

    growth: Growth
    cell_table: str
    rows: tuple[int, int]
    parameters: str
    distributions: str
    morphologies: str
    directory_depth: int | None = None
    base_morph_dir: str | None = None
    nrn_sections: bool = False
    skip_write: bool = False
    debug: bool = False
    content: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The settings as a dict that JSON can hold."""
        return {**asdict(self), "growth": self.growth.to_json()}

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> SynthesisSettings:
        """The settings of such a dict."""
        growth = Growth.from_json(values["growth"])
        return cls(**{**values, "growth": growth, "rows": tuple(values["rows"])})


def common_content(settings: SynthesisSettings) -> dict[str, Any]:
    """The settings that change cells (folders and ranges of rows do not), for their digests."""
    names = ("directory_depth", "nrn_sections", "skip_write", "debug", "versions")
    own = {name: getattr(settings, name) for name in names}
    return {"version": RESULT_VERSION, **settings.growth.results(), **own}
