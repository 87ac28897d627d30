"""Synthesis of cells: the one unit of work, the same in every executor.

A :class:`Synthesizer` is opened once per process on the settings of a run and a range of rows of
the cell table; :meth:`Synthesizer.synthesize` makes one cell and returns its record. Every cell has
a seed of its own, so results depend on nothing but the cell's row and the settings.
"""

import hashlib
import importlib
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from region_grower_flow import layout
from region_grower_flow.errors import (
    DropCell,
    FlowError,
    GrowthFailed,
    InvalidInput,
    OutputFailed,
)
from region_grower_flow.fingerprint import canonical_json, digest_of, plain_json
from region_grower_flow.settings import SynthesisSettings, common_content

L = logging.getLogger(__name__)


@dataclass(frozen=True)
class MtypeEntry:
    """What the cells of one mtype in one region share.

    Attributes:
        params, distributions: NeuroTS's, of this mtype.
        digest: of all that they contribute to a cell.
    """

    params: dict
    distributions: dict
    digest: str


def open_synthesizer(settings):
    """Open the synthesizer of a process: ``settings`` is a SynthesisSettings or its JSON dict."""
    if not isinstance(settings, SynthesisSettings):
        settings = SynthesisSettings.from_json(settings)
    return Synthesizer(settings)


class Synthesizer:
    """Makes the cells of a range of rows; files are read at first use and kept."""

    def __init__(self, settings):
        self.settings = settings
        self._loaded = {}
        self._entries = {}
        self._spaces = {}
        self._donors = {}

    def digest(self, row):
        """Fingerprint of everything that determines the cell of this row."""
        content = {
            "row": self.table.row_content(row - self.settings.rows[0]),
            "mtype": self._entry(row).digest,
            "axon": self._donor_content(row),
        }
        # The settings are the same for all rows and longer than the rest: hashed once.
        digest = self._once("common", lambda: _hash_of(common_content(self.settings))).copy()
        digest.update(plain_json(content))
        return digest.hexdigest()[:32]

    def cost(self, row):
        """Roughly how much work the cell is: the mean length (um) of its trees' bar codes."""
        return self._once(("cost", id(self._entry(row))), lambda: _mean_length(self._entry(row)))

    def warm_up(self):
        """Read the inputs and load the kernels, so that no cell's time limit pays for it.

        Raises:
            InvalidInput: an input cannot be read.
        """
        _ = self.table, self._parameters, self._distributions
        if self.settings.engine == "compiled":
            from region_grower_flow.engine import cache

            cache.load_kernels()
        else:
            importlib.import_module("neurots")

    def synthesize(self, row):
        """Make the cell of one row of the cell table, write it, and return its record.

        A cell that cannot be made is dropped with a reason.

        Raises:
            OutputFailed: the morphology cannot be written.
            MemoryError: the memory is short, for which other processes may be the cause: the
                launcher tries the cell again, alone.
        """
        try:
            return self._record(row, **self._make(row))
        except (OutputFailed, MemoryError):
            raise
        except FlowError as reason:
            return self.drop(row, str(reason))
        except Exception as error:  # one odd cell must not end a run of a million
            L.exception("Cell %d failed unexpectedly", self._cell_id(row))
            return self.drop(row, f"unexpected {type(error).__name__}: {error}")

    def drop(self, row, reason):
        """The record of a cell that is given up."""
        return self._record(row, status=layout.DROPPED, reason=" ".join(str(reason).split()))

    # The parts of one cell.

    def _make(self, row):
        rng = np.random.default_rng(self._seed(row))
        for attempt in range(1, layout.MAX_ATTEMPTS + 1):
            try:
                made = self._attempt(row, rng)
            except GrowthFailed as error:
                last = error
            except InvalidInput as error:
                raise DropCell(str(error)) from error
            except ValueError as error:  # the reference tries again at any ValueError
                last = error
            else:
                return {**made, "attempts": attempt}
        raise DropCell(f"no growth in {layout.MAX_ATTEMPTS} attempts, the last failed with: {last}")

    def _attempt(self, row, rng):
        from region_grower_flow import engine
        from region_grower_flow import limits as hard_limits
        from region_grower_flow.space.scaling import limits

        entry, layers = self._entry(row), self._layers(row)
        site = self._site(row, entry, layers)
        donor = self._donor(row)
        grown = engine.grow(self._prepared(row), site, rng, engine=self.settings.engine)
        morphology = grown.morphology
        hard_limits.translate(morphology, -site.position)
        axis = site.orientation.dot(Y_DIRECTION)
        fitted = hard_limits.fit_to_limits(
            morphology, limits(entry.params, layers, morphology), axis, self.settings.min_hard_scale
        )
        morphology, changes, kept = fitted
        sections = [s for s in grown.apical_sections if s is not None and kept[s] >= 0]
        apical_points = [morphology.section(kept[s])[-1].tolist() for s in sections]
        if donor is not None:
            morphology = self._graft(row, morphology, donor, site.orientation, rng)
        result = {
            "apical_sections": [None if s is None else int(s) for s in grown.apical_sections],
            "apical_points": apical_points,
            "engine": grown.engine,
            "fallback": grown.fallback,
            **self._write(row, morphology, apical_points),
        }
        if self.settings.debug:
            result["debug"] = _debug_data(site, grown, changes)
        return result

    def _site(self, row, entry, layers):
        from region_grower_flow.engine.model import GrowthSite
        from region_grower_flow.space.scaling import barcode_scaling

        return GrowthSite(
            position=self._column("positions", row),
            orientation=self._column("orientations", row),
            scaling=barcode_scaling(entry.params, layers),
            constraints=self._constraints(row),
            debug=self.settings.debug,
        )

    def _layers(self, row):
        from region_grower_flow.space.layers import LayerContext

        count = int(self._column("layer_counts", row))
        depths = self._column("layer_depths", row)[: count + 1].tolist() if count else None
        name = self._column("synthesis_regions", row)
        region = self.table.meta["regions"].get(name) or {}
        return LayerContext(
            depth=float(self._column("depths", row)),
            layer_depths=depths,
            model_depths=region.get("cortical_depths"),
            names=self.table.layer_names(name),
        )

    def _constraints(self, row):
        region = self._column("synthesis_regions", row)
        meta = self.table.meta["regions"].get(region) or {}
        if not meta.get("directions") and not meta.get("boundaries"):
            return ()
        from region_grower_flow.space.constraints import (
            ConstraintCell,
            RegionSpace,
            constraints_for_cell,
        )

        if region not in self._spaces:
            self._spaces[region] = RegionSpace.prepare(
                meta.get("directions"), meta.get("boundaries"), self.table.meta["atlas"]
            )
        layers = self._layers(row)
        cell = ConstraintCell(
            position=self._column("positions", row),
            orientation=self._column("orientations", row),
            depth=layers.depth,
            layer_depths=layers.layer_depths,
            mtype=self._column("mtypes", row),
            mclass=self._optional("mclass", row),
            glomerulus_id=self._optional("glomerulus_ids", row),
        )
        return constraints_for_cell(self._spaces[region], cell)

    def _donor(self, row):
        name = self._column("axon_names", row)
        if name is None or self.settings.base_morph_dir is None or self.settings.synthesize_axons:
            return None
        if name not in self._donors:
            self._donors[name] = _load_donor(self.settings.base_morph_dir, name)
        donor = self._donors[name]
        if isinstance(donor, FlowError):
            raise DropCell(str(donor))
        return donor

    def _graft(self, row, morphology, donor, orientation, rng):
        from region_grower_flow.axon import place_axon

        scale = float(self._column("axon_scales", row))
        return place_axon(
            morphology,
            donor,
            orientation,
            scale=None if np.isnan(scale) else scale,
            rotational_jitter_std=self.settings.rotational_jitter_std,
            scaling_jitter_std=self.settings.scaling_jitter_std,
            rng=rng,
        )

    def _write(self, row, morphology, apical_points):
        from region_grower_flow.io import morphologies
        from region_grower_flow.io.nrn import apical_nrn_sections

        ordered, _ = morphologies.nrn_ordered(morphology)
        stem = self._stem(row)
        result = {"name": stem, "files": {}, "apical_NRN_sections": None}
        if self.settings.nrn_sections and not self.settings.skip_write:
            text = next(e for e in self.settings.extensions if e in ("asc", "swc"))
            result["apical_NRN_sections"] = apical_nrn_sections(ordered, apical_points, text)
        if not self.settings.skip_write:
            result["files"] = morphologies.write_morphology(
                Path(self.settings.morphologies), stem, ordered, self.settings.extensions
            )
        return result

    def _stem(self, row):
        from region_grower_flow.io import morphologies

        name = morphologies.morphology_name(self._seed(row))
        return str(morphologies.relative_stem(name, self.settings.directory_depth))

    def _record(self, row, status=layout.MADE, **values):
        record = {
            "row": int(row),
            "cell": self._cell_id(row),
            "digest": self.digest(row),
            "mtype": self._column("mtypes", row),
            "region": self._column("regions", row),
            "status": status,
            "name": None,
            "reason": None,
            "attempts": 0,
            "apical_points": None,
            "apical_sections": None,
            "apical_NRN_sections": None,
            "files": {},
        }
        return {**record, **values}

    # What is loaded once.

    @property
    def table(self):
        """The CellTable of this synthesizer's rows."""
        from region_grower_flow.io.table import read_table

        first, last = self.settings.rows
        return self._once("table", lambda: read_table(self.settings.cell_table, first, last))

    def _once(self, key, make):
        if key not in self._loaded:
            self._loaded[key] = make()
        return self._loaded[key]

    def _column(self, name, row):
        return getattr(self.table, name)[row - self.settings.rows[0]]

    def _seed(self, row):
        """The cell's own seed: the run's and the table's, modulo 2^32."""
        return (self.settings.seed + int(self._column("seeds", row))) % layout.MAX_SEED

    def _optional(self, name, row):
        return None if getattr(self.table, name) is None else self._column(name, row)

    def _cell_id(self, row):
        return int(self._column("ids", row))

    def _entry(self, row):
        names = ("synthesis_regions", "regions", "mtypes")
        key = tuple(self._column(name, row) for name in names)
        if key not in self._entries:
            self._entries[key] = self._load_entries(key)
        entries = self._entries[key]
        return entries[self._seed(row) % len(entries)]

    def _load_entries(self, key):
        """What cells of the mtype can have: one entry, or several that cells take by their seed."""
        from region_grower_flow.extra_trees import oriented_variants
        from region_grower_flow.io.layer_names import with_layer_numbers
        from region_grower_flow.io.parameters import mtype_entry

        layers = self.table.layer_names(key[0])
        params = with_layer_numbers(mtype_entry(self._parameters, *key), layers)
        distributions = mtype_entry(self._distributions, *key)
        region = self.table.meta["regions"].get(key[0]) or {}
        content = [params, distributions, region, _content_of(region, self.settings.content)]
        sampled = self.settings.extra_apicals == "sample"
        variants = oriented_variants(params, distributions) if sampled else [params]
        digest = digest_of(content)
        return [MtypeEntry(variant, distributions, digest) for variant in variants]

    def _prepared(self, row):
        """What the engine makes of the mtype's entry (a process that only plans needs none)."""
        from region_grower_flow import diameters, engine

        entry = self._entry(row)

        def prepare():
            model = diameters.prepare(entry.params, entry.distributions)
            return engine.prepare(entry.params, entry.distributions, model)

        return self._once(("prepared", id(entry)), prepare)

    @property
    def _parameters(self):
        from region_grower_flow.io.parameters import load_parameters

        return self._once(
            "parameters",
            lambda: load_parameters(
                self.settings.parameters,
                synthesize_axons=self.settings.synthesize_axons,
                validate=False,
            ),
        )

    @property
    def _distributions(self):
        from region_grower_flow.io.parameters import load_distributions

        return self._once(
            "distributions",
            lambda: load_distributions(self.settings.distributions, validate=False),
        )

    def _donor_content(self, row):
        name = self._column("axon_names", row)
        if name is None or self.settings.base_morph_dir is None:
            return None
        return [name, self.settings.content.get(name)]


Y_DIRECTION = np.array([0.0, 1.0, 0.0])
"""Towards the pia, before the atlas's orientation is applied."""


def _mean_length(entry):
    total = 0.0
    for kind in entry.params["grow_types"]:
        diagrams = entry.distributions[kind].get("persistence_diagram") or [[]]
        lengths = [sum(abs(bar[0] - bar[1]) for bar in diagram) for diagram in diagrams]
        trees = entry.distributions[kind]["num_trees"].get("data", {"bins": [1], "weights": [1]})
        total += np.mean(lengths) * np.average(trees["bins"], weights=trees["weights"])
    return float(total)


def _hash_of(content):
    """The hash of a content, to be copied and updated."""
    return hashlib.sha256(canonical_json(content))


def _content_of(region, content):
    """The digests of the files that a region's boundaries and directions read."""
    if not region.get("boundaries") and not region.get("directions"):
        return {}
    return {path: digest for path, digest in content.items() if "/" in path}


def _load_donor(folder, name):
    """The donor's FlatMorphology, or the error that every cell with this donor is dropped for."""
    from region_grower_flow.io import morphologies
    from region_grower_flow.io.atomic import safe_child

    try:
        path = safe_child(Path(folder), f"{name}.h5")
        if not path.exists():
            raise DropCell(f"the axon morphology {name} is not in the folder of base morphologies")
        return morphologies.read_morphology(path)
    except FlowError as error:
        return error


def _debug_data(site, grown, changes):
    """What the reference calls debug infos, as JSON."""
    inputs = {}
    for kind, log in grown.scaling_log.items():
        scaling = next((s for s in site.scaling.values() if s.kind == kind), None)
        if scaling is None:
            continue
        values = {
            "default": {
                "target_thickness": scaling.target,
                "reference_thickness": scaling.reference,
            },
            "target": {
                "target_extent": scaling.extent,
                "target_path_distance": scaling.path_distance,
            },
        }[kind]
        inputs[f"{kind}_func"] = {"inputs": values, "scaling": log}
    debug = {"input_scaling": inputs}
    if changes:
        debug["neurite_hard_limit_rescaling"] = changes
    names = [c.mesh_name for c in site.constraints if getattr(c, "mesh_name", None)]
    if names:
        debug["mesh_name"] = names[-1]
    return debug
