"""The settings of a synthesis: all that a worker needs to know, as plain JSON values."""

from dataclasses import asdict, dataclass, field

RESULT_VERSION = 1
"""Raise when a change of the code changes the cells that the same inputs give."""

EXTRA_APICALS = ("drop", "sample")
"""What to do with more apical trees than orientations: as the reference, or sample them."""


@dataclass(frozen=True)
class SynthesisSettings:
    """All that a worker needs to know, as plain JSON values.

    Attributes:
        cell_table: path of the cell table.
        rows: [first, last + 1] of its rows that are loaded.
        parameters, distributions: paths of the JSON files.
        morphologies: folder in which morphologies are written.
        seed: of the run; the table's seeds are added to it.
        extensions: of the morphology files ("h5", "swc", "asc").
        directory_depth: levels of 256-way folders below ``hashed``, None for a flat folder.
        base_morph_dir: folder of axon donors (h5), None without grafting.
        scaling_jitter_std: relative, of the grafted axons' sections; None for no jitter.
        rotational_jitter_std: in degrees, of the same.
        min_hard_scale: a neurite that limits scale to less than this is removed.
        synthesize_axons: grow axons where the parameters have them.
        nrn_sections: compute NEURON's indices of the apical sections.
        skip_write: write no morphology.
        debug: keep debug data in the records.
        engine: "compiled" or "neurots".
        extra_apicals: see EXTRA_APICALS.
        content: {path: digest} of the files that cells read beside the tables (donors, meshes).
        versions: {package: version} of what affects results.
    """

    cell_table: str
    rows: tuple
    parameters: str
    distributions: str
    morphologies: str
    seed: int = 0
    extensions: tuple = ("h5",)
    directory_depth: int | None = None
    base_morph_dir: str | None = None
    scaling_jitter_std: float | None = None
    rotational_jitter_std: float | None = None
    min_hard_scale: float = 0.2
    synthesize_axons: bool = False
    nrn_sections: bool = False
    skip_write: bool = False
    debug: bool = False
    engine: str = "compiled"
    extra_apicals: str = "drop"
    content: dict = field(default_factory=dict)
    versions: dict = field(default_factory=dict)

    def to_json(self):
        """The settings as a dict that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_json(cls, values):
        """The settings of such a dict."""
        tuples = {name: tuple(values[name]) for name in ("rows", "extensions")}
        return cls(**{**values, **tuples})


def common_content(settings):
    """The settings that change cells (folders and ranges of rows do not)."""
    names = (
        "directory_depth",
        "engine",
        "extensions",
        "extra_apicals",
        "min_hard_scale",
        "nrn_sections",
        "rotational_jitter_std",
        "scaling_jitter_std",
        "seed",
        "skip_write",
        "synthesize_axons",
        "debug",
        "versions",
    )
    return {"version": RESULT_VERSION, **{name: getattr(settings, name) for name in names}}
