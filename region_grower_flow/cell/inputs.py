"""Inputs of the cells of a range of rows: read once, kept, and asked for cell by cell."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from region_grower_flow.cell.settings import (
    ORIENTATION_ROLE,
    SynthesisSettings,
    axon_role,
    boundary_role,
    common_content,
)
from region_grower_flow.errors import DropCell, FlowError, InputChanged
from region_grower_flow.io.shards import Shard
from region_grower_flow.io.table import cell_seed
from region_grower_flow.morphology import FlatMorphology
from region_grower_flow.record.fingerprint import canonical_json, digest_of, plain_json

if TYPE_CHECKING:
    from region_grower_flow.engine.model import GrowthSite, Params
    from region_grower_flow.engine.prepared import PreparedMtype
    from region_grower_flow.io.table import Cell, CellTable
    from region_grower_flow.options.growth import Growth
    from region_grower_flow.space.layers import LayerContext

DIGEST_LENGTH = 32
"""Characters of a cell's digest."""

DONOR_BYTES = 64 << 20
"""Bytes of axon donors kept in memory; a run may have any number of donors."""


ENTRY_COLUMNS = ("synthesis_regions", "regions", "mtypes")
"""Columns whose values decide which MtypeEntry a row has."""


@dataclass(frozen=True)
class MtypeEntry:
    """Inputs that the cells of one mtype in one region share.

    Attributes:
        params, distributions: NeuroTS's, of this mtype.
        digest: of all that they contribute to a cell.
    """

    params: dict[str, Any]
    distributions: dict[str, Any]
    digest: str


class CellInputs:
    """The rows of a cell table with what belongs to them; files are read at first use and kept.

    Rows are those of the whole table, of which only ``settings.rows`` are loaded.

    Args:
        settings: SynthesisSettings.
    """

    def __init__(self, settings: SynthesisSettings) -> None:
        self.settings = settings
        self._first_row = settings.rows[0]
        self._entries: dict[tuple[str, ...], list[MtypeEntry]] = {}
        self._spaces: dict[tuple[str, str], Any] = {}
        self._tails: dict[tuple[Any, str], bytes] = {}
        self._made = _Memory()
        self._donors = _Donors(settings.base_morph_dir, settings.content)
        self.shard = Shard(*os.path.split(settings.shards)) if settings.shards else None

    # The row.

    @cached_property
    def table(self) -> CellTable:
        """The CellTable of the settings' rows; raises InvalidInput."""
        from region_grower_flow.io.table import read_table

        return read_table(self.settings.cell_table, *self.settings.rows)

    def cell(self, row: int) -> Cell:
        """The Cell of a row."""
        return self.table.cell(row, self._first_row)

    def seed(self, cell: Cell) -> int:
        """The cell's own seed."""
        return cell_seed(self.settings.growth.seed, cell.number)

    def digest(self, cell: Cell) -> str:
        """Fingerprint of everything that determines the cell.

        Numbers count by their bytes, which takes a fifth of the time of writing them as JSON.
        """
        entry = self.entry(cell).digest
        key = (cell.words, entry)
        tail = self._tails.get(key)
        if tail is None:
            content = {
                "columns": self.table.content_names,
                "words": cell.words,
                "region": cell.region_meta,
                "mtype": entry,
            }
            tail = self._tails[key] = canonical_json(content)
        digest = self._common_hash.copy()
        digest.update(cell.packed)
        digest.update(tail)
        if self._grafts and cell.axon_name is not None:
            known = self.settings.content.get(axon_role(cell.axon_name))
            digest.update(plain_json([cell.axon_name, known]))
        return digest.hexdigest()[:DIGEST_LENGTH]

    @cached_property
    def _common_hash(self) -> Any:
        """Hash of the settings, which are the same for all cells and longer than the rest."""
        return hashlib.sha256(canonical_json(common_content(self.settings)))

    # The mtype.

    @cached_property
    def parameters(self) -> dict[str, Any]:
        """{region: {mtype: NeuroTS parameters}} of the run; raises InvalidInput."""
        from region_grower_flow.engine.parameters import load_parameters

        axons = self.settings.growth.synthesize_axons
        return load_parameters(self.settings.parameters, axons, validate=False)

    @cached_property
    def distributions(self) -> dict[str, Any]:
        """{region: {mtype: NeuroTS distributions}} of the run; raises InvalidInput."""
        from region_grower_flow.engine.parameters import load_distributions

        return load_distributions(self.settings.distributions, validate=False)

    def entry(self, cell: Cell) -> MtypeEntry:
        """The MtypeEntry of a cell."""
        variants = self._entries_of((cell.synthesis_region, cell.region, cell.mtype))
        return variants[self.seed(cell) % len(variants)]

    def _entries_of(self, key: tuple[str, ...]) -> list[MtypeEntry]:
        if key not in self._entries:
            self._entries[key] = self._variants(*key)
        return self._entries[key]

    def prepared(self, entry: MtypeEntry) -> PreparedMtype:
        """The engine's preparation of an entry (a process that only plans needs none)."""
        growth = self.settings.growth
        return self._made.get(_prepare, entry.params, entry.distributions, growth)

    def cost(self, cell: Cell) -> float:
        """Roughly how much work the cell is: the mean length (um) of its trees' barcodes."""
        entry = self.entry(cell)
        return self._made.get(_mean_length, entry.params, entry.distributions)

    def _variants(self, synthesis_region: str, region: str, mtype: str) -> list[MtypeEntry]:
        """The MtypeEntry of an mtype in a region: one, or several that cells take by their seed."""
        from region_grower_flow.cell.extra_trees import oriented_variants
        from region_grower_flow.engine.parameters import mtype_entries
        from region_grower_flow.io.layer_names import with_layer_numbers

        names = synthesis_region, region, mtype
        params, distributions = mtype_entries(self.parameters, self.distributions, *names)
        # Regions mostly share the entries of "default": these are hashed and prepared once.
        layers = self.table.layer_names(synthesis_region)
        params = self._made.get(with_layer_numbers, params, layers)
        meta = self.table.meta_of(synthesis_region, region)
        digests = [self._made.get(digest_of, each) for each in (params, distributions)]
        digest = digest_of([*digests, meta, self._files_of(meta)])
        variants = [params]
        if self.settings.growth.extra_apicals == "sample":
            variants = self._made.get(oriented_variants, params, distributions)
        return [MtypeEntry(variant, distributions, digest) for variant in variants]

    def kernel_groups(self) -> list[str]:
        """The groups of kernels that the rows' cells call, see :mod:`~..engine.groups`."""
        from region_grower_flow.engine import diameters
        from region_grower_flow.engine.groups import CORE, GROUPS
        from region_grower_flow.engine.levers import bring_diameters

        groups: set[str | None] = {CORE}
        columns = [getattr(self.table, name).tolist() for name in ENTRY_COLUMNS]
        for key in set(zip(*columns, strict=True)):
            for entry in self._entries_of(key):
                groups.add(diameters.kernels_of(entry.params, entry.distributions))
                if bring_diameters(entry.params):
                    groups.add("levers")
            meta = self.table.meta_of(*key[:2])
            if meta.get("directions") or meta.get("boundaries"):
                groups.add("space")
        if self._grafts and not self.settings.growth.synthesize_axons:
            groups.add("axon")
        return [group for group in GROUPS if group in groups]

    # Space.

    def site(self, cell: Cell, params: dict[str, Any], layers: LayerContext) -> GrowthSite:
        """The GrowthSite of a cell with these parameters and this LayerContext.

        Raises:
            DropCell: the layers are too thin, or a boundary has no mesh for the cell.
            InvalidInput: a mesh cannot be read.
        """
        from region_grower_flow.engine.model import GrowthSite
        from region_grower_flow.space.scaling import barcode_scaling

        return GrowthSite(
            position=cell.position,
            orientation=cell.orientation,
            scaling=barcode_scaling(params, layers),
            constraints=self._constraints(cell),
            debug=self.settings.debug,
        )

    def _constraints(self, cell: Cell) -> tuple[Any, ...]:
        meta = cell.region_meta
        if not meta.get("directions") and not meta.get("boundaries"):
            return ()
        from region_grower_flow.space.constraints import RegionSpace, constraints_for_cell

        region = cell.synthesis_region, cell.region
        if region not in self._spaces:
            atlas = {
                **(self.table.meta["atlas"] or {}),
                "orientation_path": self.settings.orientation,
                "mapped": self.settings.orientation_mapped,
            }
            boundaries = [self._located(each) for each in meta.get("boundaries") or ()]
            self._spaces[region] = RegionSpace.prepare(meta.get("directions"), boundaries, atlas)
        return constraints_for_cell(self._spaces[region], cell)

    def _located(self, boundary: Mapping[str, Any]) -> dict[str, Any]:
        """A boundary with the path of its mesh, which starts from the structure's folder."""
        from region_grower_flow.space.meshes import mesh_place

        return {**boundary, "path": str(mesh_place(self.settings.mesh_dir, boundary["path"]))}

    def _files_of(self, meta: Mapping[str, Any]) -> dict[str, Any]:
        """The digests of the files that a region's boundaries and directions read."""
        roles = [boundary_role(each["path"]) for each in meta.get("boundaries") or ()]
        if meta.get("directions"):
            roles.append(ORIENTATION_ROLE)
        return {role: self.settings.content.get(role) for role in roles}

    # The axon.

    @property
    def _grafts(self) -> bool:
        return self.settings.base_morph_dir is not None

    def donor(self, cell: Cell) -> FlatMorphology | None:
        """The FlatMorphology whose axon the cell gets, or None.

        Raises:
            DropCell: it is missing or cannot be read.
            InputChanged: it is not what it was when the run began.
        """
        if not self._grafts or cell.axon_name is None or self.settings.growth.synthesize_axons:
            return None
        donor = self._donors.get(cell.axon_name)
        if isinstance(donor, FlowError):
            raise DropCell(str(donor))
        return donor


class _Memory:
    """Values made of objects that cannot be hashed, by the identity of these objects."""

    def __init__(self) -> None:
        self._made: dict[tuple[Any, ...], tuple[Any, ...]] = {}

    def get(self, make: Callable[..., Any], *objects: Any) -> Any:
        """``make(*objects)``, made once for the same objects."""
        key = (make, *map(id, objects))
        if key not in self._made:
            # The objects are kept: another one must not get the identity of one that is gone.
            self._made[key] = make(*objects), objects
        return self._made[key][0]


class _Donors:
    """Axon donors by name; those used last are kept, up to DONOR_BYTES.

    Args:
        folder: that holds them.
        content: {role: digest} of what was there when the run began; empty: not known.
    """

    def __init__(self, folder: str | None, content: Mapping[str, str]) -> None:
        self._folder, self._content = folder, content
        self._kept: dict[str, FlatMorphology | FlowError] = {}
        self._bytes = 0

    def get(self, name: str) -> FlatMorphology | FlowError:
        """The donor's FlatMorphology, or the FlowError that every cell with it is dropped for."""
        if name in self._kept:
            self._kept[name] = self._kept.pop(name)  # the last one now
            return self._kept[name]
        known = not self._content or axon_role(name) in self._content
        donor = _load_donor(self._folder, name, known)
        self._kept[name] = donor
        self._bytes += _bytes_of(donor)
        while self._bytes > DONOR_BYTES and len(self._kept) > 1:
            self._bytes -= _bytes_of(self._kept.pop(next(iter(self._kept))))
        return donor


def _bytes_of(donor: FlatMorphology | FlowError) -> int:
    """About the memory of a donor: its points and diameters, most of it by far."""
    return 0 if isinstance(donor, FlowError) else donor.points.nbytes + donor.diameters.nbytes


def _load_donor(folder: str | None, name: str, known: bool) -> FlatMorphology | FlowError:
    from region_grower_flow.io import morphologies
    from region_grower_flow.io.atomic import safe_child
    from region_grower_flow.io.files import recorded

    try:
        path = safe_child(Path(folder or "."), f"{name}.h5")
        if not known or not (path.exists() or recorded(path)):
            raise DropCell(f"the axon morphology {name} is not in the folder of base morphologies")
        return morphologies.read_morphology(path)
    except InputChanged:
        raise
    except FlowError as error:
        return error


def _prepare(params: Params, distributions: Params, growth: Growth) -> PreparedMtype:
    from region_grower_flow import engine
    from region_grower_flow.engine import diameters

    model = diameters.prepare(params, distributions)
    return engine.prepare(params, distributions, model, growth)


def _mean_length(params: dict[str, Any], distributions: dict[str, Any]) -> float:
    total = 0.0
    for kind in params["grow_types"]:
        barcodes = distributions[kind].get("persistence_diagram") or [[]]
        lengths = [sum(abs(bar[0] - bar[1]) for bar in barcode) for barcode in barcodes]
        trees = distributions[kind]["num_trees"].get("data", {"bins": [1], "weights": [1]})
        total += np.mean(lengths) * np.average(trees["bins"], weights=trees["weights"])
    return float(total)
