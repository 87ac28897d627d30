"""Words of the first look in the terminal: a line for each thing that was found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from region_grower_flow.errors import counted, some
from region_grower_flow.start.layers import sorted_layers

if TYPE_CHECKING:
    from region_grower_flow.start.proposals import Proposal
    from region_grower_flow.start.survey import Survey


def lines(found: Survey, proposal: Proposal) -> Iterator[str]:
    """The lines, without the files that are written.

    Args:
        found: Survey.
        proposal: Proposal.
    """
    yield from _cells(found)
    yield from _atlas(found, proposal)
    yield from _mtypes(found, proposal)
    yield from _apicals(proposal)
    yield from _axons(proposal)
    yield from _targets(proposal)
    for note in found.notes:
        yield _line("Note", note)


def _line(head: str, text: str, target: str | None = None) -> str:
    arrow = f"  -> {target}" if target else ""
    return f"{head:<10}{text}{arrow}"


def _counts(counts: Mapping[str, int], most: int = 4) -> str:
    return some([f"{name} {count:,}" for name, count in counts.items()], most)


def _cells(found: Survey) -> Iterator[str]:
    number, mtypes = len(found.cells), counted(len(found.mtypes), "mtype")
    whose = " (of the atlas: the cells name none)" if found.regions_of_atlas else ""
    yield _line("Cells", f"{number:,} of {mtypes}; regions {_counts(found.regions)}{whose}")


def _atlas(found: Survey, proposal: Proposal) -> Iterator[str]:
    known = set(found.region_map.as_dataframe()["acronym"])
    foreign = [region for region in found.regions if region not in known]
    if proposal.structure is None:
        yield _line("Atlas", f"regions and layers from {found.sources.structure}")
    else:
        for i, (layers, entries) in enumerate(_by_layers(proposal.structure).items()):
            head = "Atlas" if i == 0 else ""
            yield _line(head, f"{some(entries, 5)}, layers {sorted_layers(layers)}")
    if proposal.region_map:
        verb = "are" if len(proposal.region_map) > 1 else "is"
        why = "not in its hierarchy" if foreign else "in none of these"
        targets = ", ".join(dict.fromkeys(proposal.region_map.values()))
        text = f"{some(proposal.region_map, 5)} {verb} {why}"
        yield _line("", text, f"region_map to {targets}")
    left = [r for r in foreign if r not in proposal.region_map]
    if left:
        yield _line("", f"{some(left)}: no region of the atlas was found for them; edit region_map")
    structure = proposal.structure or {}
    for entry, thicknesses in list(structure.items())[:1]:
        thick = " ".join(f"{value:.0f}" for value in thicknesses.values())
        more = len(structure) - 1
        name = f"{entry} (and {more} more): " if more else ""
        yield _line("Layers", f"{name}medians of [PH]: {thick} um", "region_structure.yaml")


def _by_layers(structure: Mapping[str, Mapping[Any, float]]) -> dict[tuple[Any, ...], list[str]]:
    """{layers: [entries that have them]}, in the order of the entries."""
    found: dict[tuple[Any, ...], list[str]] = {}
    for entry, layers in structure.items():
        found.setdefault(tuple(layers), []).append(entry)
    return found


def _mtypes(found: Survey, proposal: Proposal) -> Iterator[str]:
    lost = proposal.nearest
    matched = len(found.mtypes) - len(lost)
    text = f"{matched} of {len(found.mtypes)} have reconstructions ({found.rows.n_cells:,}; "
    yield _line("Mtypes", text + f"mtypes: {found.table.how})")
    counts = {m: counted(found.mtypes[m], "cell") for m in lost}
    near = [f"{m} ({counts[m]}) <- {d}" for m, d in lost.items() if d is not None]
    if near:
        verb = "borrows" if len(near) == 1 else "borrow"
        text = f"{len(near)} {verb}: {', '.join(near[:3])}{', ...' if len(near) > 3 else ''}"
        yield _line("", text, "substitutions.yaml")
    if proposal.left_out:
        cells = counted(sum(proposal.left_out.values()), "cell")
        names = _counts({m or "(no mtype)": n for m, n in proposal.left_out.items()})
        yield _line("", f"{cells} left out, nothing is near: {names}")
    if proposal.lost:
        name, reason = next(iter(proposal.lost.items()))
        number = counted(len(proposal.lost), "reconstruction")
        text = f"{number} cannot be used ({name}: {reason}), left out"
        yield _line("", text)


def _apicals(proposal: Proposal) -> Iterator[str]:
    parts = [
        f"{mtype} points down in {down} of {of}: kept"
        for mtype, (down, of) in proposal.inverted.items()
    ]
    parts += [f"{mtype} has {most}: sampled" for mtype, most in proposal.two_apicals.items()]
    if parts:
        yield _line("Apicals", ".  ".join(parts) + ".")
    for mtype, donor in proposal.borrowed_up.items():
        text = f"{mtype} is inverted by its name, but will point up as {donor}, which it borrows"
        yield _line("" if parts else "Apicals", f"{text}: inverted_mtypes turns it.")
    if proposal.few_basals:
        names = some(proposal.few_basals)
        yield _line("Basals", f"{names} with one basal dendrite count as having two.")
    if proposal.frame:
        yield _line("Frames", "somata are away from the origin: they are put there.")


def _axons(proposal: Proposal) -> Iterator[str]:
    if proposal.axons:
        of = counted(proposal.reconstructions, "reconstruction")
        text = f"{proposal.axons:,} of {of} have one, cells get none: synthesize_axons grows them"
        yield _line("Axons", text, "flow.cfg")


def _targets(proposal: Proposal) -> Iterator[str]:
    if proposal.first_layer is None:
        return
    names = some(proposal.targets, 6)
    reach = f"{names} apical to layer {proposal.first_layer} (proposed)" if names else "limits only"
    yield _line("Targets", reach, "scaling_rules.yaml")
