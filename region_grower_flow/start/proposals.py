"""Proposals for one's own data, each with the line that tells it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from region_grower_flow.atlas.regions import RegionMapper
from region_grower_flow.atlas.serving import map_regions, propose_region_map, unserved_problem
from region_grower_flow.atlas.structure import has_layers, load_region_structure
from region_grower_flow.calibration.choices import SKIP, CalibrationSettings
from region_grower_flow.calibration.populations import APICAL, AXON, BASAL, gather_populations
from region_grower_flow.calibration.relatives import (
    MtypeName,
    as_substitutions,
    nearest_mtypes,
)
from region_grower_flow.checks.foreseen import directions, loss_notes
from region_grower_flow.errors import InvalidInput
from region_grower_flow.layout import DEFAULT_REGION
from region_grower_flow.start.heights import apical_heights, depths_at, reaches_first_layer
from region_grower_flow.start.layers import Layer, main_entry, median_layers

if TYPE_CHECKING:
    from region_grower_flow.calibration.populations import Population
    from region_grower_flow.start.survey import Survey


LIMIT = 0.99
"""Height in the first layer that no dendrite is to exceed."""


@dataclass
class Proposal:
    """Proposed parts of a configuration.

    Attributes:
        region_map: {region of cells: region of the atlas}.
        structure: {entry: {layer: thickness (um)}}, or None where a file is given.
        substitutions: {mtype that has cells: [mtypes that borrow them]}.
        nearest: {mtype without reconstructions: the nearest, or None}.
        left_out: {mtype: cells} that nothing is near to.
        inverted: {mtype whose apical dendrites point down: (in how many, of how many)}.
        two_apicals: {mtype: most apical dendrites of a reconstruction}, of those above one.
        few_basals: mtypes that would be lost for want of a second basal dendrite.
        targets: {mtype: height in the first layer}.
        first_layer: the first layer of the main entry; None without layers.
        lost: {reconstruction: reason} that cannot be used.
        frame: the option morphology_frame, None where reconstructions are in place.
        axons: number of the reconstructions with an axon that the table lets one use.
        reconstructions: number of those that are looked at.
        borrowed_up: {mtype that is inverted by its name: the upright mtype that it borrows}.
    """

    region_map: dict[str, str] = field(default_factory=dict)
    structure: dict[str, dict[Layer, float]] | None = None
    substitutions: dict[str, list[str]] = field(default_factory=dict)
    nearest: dict[str, str | None] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    inverted: dict[str, tuple[int, int]] = field(default_factory=dict)
    two_apicals: dict[str, int] = field(default_factory=dict)
    few_basals: list[str] = field(default_factory=list)
    targets: dict[str, float] = field(default_factory=dict)
    first_layer: Layer | None = None
    lost: dict[str, str] = field(default_factory=dict)
    frame: str | None = None
    axons: int = 0
    reconstructions: int = 0
    borrowed_up: dict[str, str] = field(default_factory=dict)


def propose(found: Survey) -> Proposal:
    """The Proposal for a Survey.

    Raises:
        InvalidInput: no cell is in a region with layers, or no mtype has reconstructions.
    """
    proposal = Proposal()
    layers = _space(found, proposal)
    populations, cells = _mtypes(found, proposal)
    _apicals(populations, cells, proposal)
    if layers:
        _targets(found, populations, proposal, layers)
    return proposal


def _space(found: Survey, proposal: Proposal) -> list[Layer]:
    """Set regions and layers; returns the layers of the main entry, from the top down."""
    if found.sources.structure is not None:
        return _given_space(found, proposal, found.sources.structure)
    regions = [str(region) for region in found.cells.properties["region"]]
    known = found.region_map.as_dataframe()["acronym"]
    there = [entry for entry in found.entries if entry is not None]
    if not there:
        problem = "no cell is in a region of the atlas: the ids at their positions are 0 or unknown"
        raise InvalidInput(problem, found.sources.cells, "check the positions of the cells")
    entries = list(dict.fromkeys(there))
    medians = median_layers(
        found.sources.atlas,
        found.volume,
        found.region_map,
        entries,
        found.layers,
        found.notes.append,
    )
    medians = {entry: layers for entry, layers in medians.items() if layers}
    if not medians:
        raise InvalidInput(
            f"the regions of the cells have no layers ({', '.join(entries[:5])})",
            found.sources.atlas,
            "check the [PH] volumes, or give --region-structure",
        )
    mapper = RegionMapper(medians, found.region_map)
    proposal.region_map = _unserved(found, regions, known, mapper)
    served = {mapper[region] for region in map_regions(regions, proposal.region_map)}
    proposal.structure = {entry: found_ for entry, found_ in medians.items() if entry in served}
    if not proposal.structure:
        main = main_entry(entry for entry in there if entry in medians)
        proposal.structure = {main: medians[main]}
    layers = list(next(iter(proposal.structure.values())))
    proposal.first_layer = layers[0]
    return layers


def _given_space(found: Survey, proposal: Proposal, path: Path) -> list[Layer]:
    """The same of a region structure that there is already."""
    regions = [str(region) for region in found.cells.properties["region"]]
    known = found.region_map.as_dataframe()["acronym"]
    structure = load_region_structure(path)
    mapper = RegionMapper(structure, found.region_map)
    proposal.region_map = _unserved(found, regions, known, mapper)
    mapped = map_regions(regions, proposal.region_map)
    entries = Counter(mapper[region] for region in mapped)
    unserved = unserved_problem(mapped, structure, mapper, list(known), path, found.at_cells)
    if unserved is not None and entries[DEFAULT_REGION] == len(mapped):
        raise unserved
    if unserved is not None:
        found.notes.append(unserved.problem)
    entry = structure.get(entries.most_common(1)[0][0], {})
    layers = list(entry["layers"]) if has_layers(entry) else []
    proposal.first_layer = layers[0] if layers else None
    return layers


def _unserved(
    found: Survey, regions: list[str], known: Iterable[str], mapper: RegionMapper
) -> dict[str, str]:
    lost = [i for i, region in enumerate(regions) if mapper[region] == DEFAULT_REGION]
    return propose_region_map(
        [regions[i] for i in lost],
        list(known),
        [found.at_cells[i] for i in lost],
        lambda acronym: mapper[acronym] if mapper[acronym] != DEFAULT_REGION else None,
    )


def _mtypes(found: Survey, proposal: Proposal) -> tuple[dict[str, Population], dict[str, int]]:
    """Set substitutions; returns ({mtype of the cells: Population}, {mtype: cells})."""
    counts = found.mtypes
    usable = {mtype: len(cells) for mtype, cells in found.rows.mtypes.items() if cells}
    lost = [mtype for mtype in counts if mtype not in usable]
    proposal.nearest = nearest_mtypes(lost, usable)
    proposal.substitutions = as_substitutions(proposal.nearest)
    proposal.left_out = {m: counts[m] for m, near in proposal.nearest.items() if near is None}
    cells = {m: n for m, n in counts.items() if m not in proposal.left_out}
    if not cells:
        raise InvalidInput(
            "no mtype of the cells has reconstructions, nor is any near in layer and class",
            found.rows.dat_file,
            f"the cells have {', '.join(list(counts)[:5])}; it has {', '.join(list(usable)[:5])}",
        )
    donors = {proposal.nearest.get(m) or m for m in cells}
    own = replace(found.rows, mtypes={m: c for m, c in found.rows.mtypes.items() if m in donors})
    examined = gather_populations(own, CalibrationSettings(on_bad_morphology=SKIP))
    populations = {
        m: replace(examined[proposal.nearest.get(m) or m], mtype=m)
        for m in cells
        if (proposal.nearest.get(m) or m) in examined
    }
    proposal.axons = sum(population.with_tree(AXON) for population in examined.values())
    proposal.reconstructions = sum(len(population.cells) for population in examined.values())
    for population in examined.values():
        proposal.lost.update({cell.name: cell.problem or "" for cell in population.lost})
    return populations, cells


def _apicals(populations: dict[str, Population], cells: dict[str, int], proposal: Proposal) -> None:
    for mtype, direction in directions(populations).items():
        if direction.is_inverted:
            proposal.inverted[mtype] = (direction.down, direction.cells)
        elif proposal.nearest.get(mtype) and MtypeName.of(mtype).is_inverted:
            proposal.borrowed_up[mtype] = str(proposal.nearest[mtype])
    for mtype, population in populations.items():
        most = max((cell.trees.get(APICAL, 0) for cell in population.cells), default=0)
        if APICAL in population.neurite_types and most > 1:
            proposal.two_apicals[mtype] = most
        lost = list(loss_notes({mtype: population}, cells, extra_apicals="sample"))
        if lost and any(cell.trees.get(BASAL, 0) == 1 for cell in population.cells):
            proposal.few_basals.append(mtype)
    frames = [frame for p in populations.values() for frame in p.frames.values()]
    away = sum(frame.offset > 10.0 for frame in frames)
    if away > len(frames) / 2:
        proposal.frame = "center"


def _targets(
    found: Survey, populations: dict[str, Population], proposal: Proposal, layers: list[Layer]
) -> None:
    """Apical dendrites that reach the first layer in the reconstructions are to do so."""
    skip = {*proposal.inverted, *proposal.two_apicals}
    wanted = [m for m, p in populations.items() if APICAL in p.neurite_types and m not in skip]
    if not wanted or proposal.frame:
        return
    mtypes = np.array([str(m) for m in found.cells.properties["mtype"]], dtype=object)
    depths, first = depths_at(found.sources.atlas, found.cells.positions, layers)
    heights = {}
    for mtype in wanted:
        paths = tuple(populations[mtype].paths)
        if paths not in heights:
            heights[paths] = apical_heights(paths)
        mine = mtypes == mtype
        height = reaches_first_layer(heights[paths], depths[mine], first[mine])
        if height is not None:
            proposal.targets[mtype] = height
