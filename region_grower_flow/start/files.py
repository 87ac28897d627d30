"""The files that are proposed, as texts: what one would have written by hand, with comments."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from region_grower_flow.calibration.relatives import substitution_lines
from region_grower_flow.errors import InvalidInput, InvalidInputs, counted
from region_grower_flow.io.atomic import PathLike, make_folder, write_text_atomic
from region_grower_flow.start.proposals import LIMIT

if TYPE_CHECKING:
    from region_grower_flow.start.proposals import Proposal
    from region_grower_flow.start.survey import Survey


STRUCTURE, SUBSTITUTIONS, SCALING = (
    "region_structure.yaml",
    "substitutions.yaml",
    "scaling_rules.yaml",
)
AXONS = "# synthesize_axons = true"
TABLE, SELECTED = "mtypes.csv", "cells_with_mtypes.h5"
WITH_REGIONS = "cells_with_regions.h5"
LUIGI = """
[core]
local_scheduler = true
no_lock = true
autoload_range = false
log_level = WARNING

[worker]
check_complete_on_run = true

[retcode]
already_running = 10
missing_data = 20
not_run = 25
task_failed = 30
scheduling_error = 35
unhandled_exception = 40
"""


def structure_text(structure: Mapping[str, Mapping[Any, float]]) -> str:
    """The region structure (YAML)."""
    lines = ["# Layers from the top down, and their thicknesses (um): medians of the [PH] volumes."]
    for entry, layers in structure.items():
        names = ", ".join(_name(layer) for layer in layers)
        thick = ", ".join(f"{_name(layer)}: {value:g}" for layer, value in layers.items())
        lines += [f"{_name(entry)}:", f"  layers: [{names}]", f"  thicknesses: {{{thick}}}"]
    return "\n".join(lines) + "\n"


def substitutions_text(proposal: Proposal, counts: Mapping[str, int]) -> str:
    """The substitutions (YAML), with the number of cells of each borrower."""
    lines = ["# mtype that has reconstructions: [mtypes of cells that borrow them]"]
    for line, borrowers in zip(
        substitution_lines(proposal.substitutions), proposal.substitutions.values(), strict=True
    ):
        lines.append(f"{line}  # {counted(sum(counts[b] for b in borrowers), 'cell')}")
    return "\n".join(lines) + "\n"


def scaling_text(proposal: Proposal) -> str:
    """The scaling rules (YAML): limits for all, targets for those that reach the first layer."""
    layer = _name(proposal.first_layer)
    lines = [
        "# Where dendrites end in the layers: no higher than hard_limit_max; apical dendrites that",
        "# reach the first layer in the reconstructions are stretched to it (extent_to_target).",
        "# Nothing limits them at the white matter, which dendrites of the last layer do reach.",
        "default:",
    ]
    for kind in ("basal_dendrite", "apical_dendrite"):
        lines += [f"  {kind}:", f"    hard_limit_max: {{layer: {layer}, fraction: {LIMIT}}}"]
    for mtype, height in proposal.targets.items():
        lines += [
            f"{_name(mtype)}:",
            "  apical_dendrite:",
            f"    extent_to_target: {{layer: {layer}, fraction: {height:g}}}",
        ]
    return "\n".join(lines) + "\n"


def flow_text(found: Survey, proposal: Proposal, folder: Path, cells: PathLike, name: str) -> str:
    """The configuration (flow.cfg).

    Args:
        found: Survey.
        proposal: Proposal.
        folder: that the configuration goes to.
        cells: the file of the cells that are grown.
        name: of the configuration.
    """
    lines = [
        "# Written by region-grower-flow init; edit what you like. All options:",
        "# docs/reference/options.rst. Paths start from this folder. Run it by",
        f"#   region-grower-flow run {shlex.quote(name)}",
        "[region_grower_flow]",
    ]
    for comment, options in _parts(found, proposal, folder, cells):
        given = {name: value for name, value in options.items() if value}
        if given:
            lines += [f"# {comment}", *(f"{name} = {value}" for name, value in given.items())]
    if proposal.axons:
        lines += ["# Axons as in the reconstructions: remove the # to grow them.", AXONS]
    return "\n".join(lines) + "\n" + LUIGI


def _parts(
    found: Survey, proposal: Proposal, folder: Path, cells: PathLike
) -> list[tuple[str, dict[str, str]]]:
    """[(comment, {option: value})]; options without a value are not written."""

    def place(path: PathLike) -> str:
        # What is written beside the configuration moves with it.
        absolute = Path(path).is_absolute() and not Path(path).is_relative_to(folder)
        return _percent(str(path) if absolute else os.path.relpath(path, folder))

    given = found.sources.structure
    structure = STRUCTURE if given is None else place(given)
    pairs = ", ".join(f"{k}:{v}" for k, v in proposal.region_map.items())
    table = TABLE if found.table.path is None else place(found.table.path)
    return [
        ("The cells to grow, and the space around them.", {
            "input_cells": place(cells), "population": found.sources.population or "",
            "atlas": place(found.sources.atlas), "region_structure": structure,
        }),
        ("The cells' regions by the names of the atlas.", {"region_map": _percent(pairs)}),
        ("The reconstructions; those of mtypes that no cell has are not used.", {
            "morphologies_dir": place(found.sources.morphologies), "dat_file": table,
            "morphologies_ext": found.table.extension,
        }),
        ("Growth is fitted to the reconstructions (none: as NeuroTS has it).", {
            "growth_calibration": "extended",
        }),
        ("Mtypes without reconstructions borrow those of others.", {
            "substitutions": SUBSTITUTIONS if proposal.substitutions else "",
        }),
        ("Reconstructions that cannot be used are left out, and told.", {
            "on_bad_morphology": "skip" if proposal.lost else "",
        }),
        ("Somata of the reconstructions are put at the origin.", {
            "morphology_frame": proposal.frame or "",
        }),
        ("Apical dendrites that point to the white matter.", {
            "inverted_mtypes": _percent(",".join(proposal.inverted)),
        }),
        ("A second apical dendrite gets a direction of its own.", {
            "extra_apicals": "sample" if proposal.two_apicals else "",
        }),
        ("Cells with one basal dendrite count as having two: NeuroTS grows no fewer.", {
            "min_basal_trees": "2" if proposal.few_basals else "",
        }),
        ("Limits and targets in the layers.", {
            "scaling_rules": SCALING if proposal.first_layer is not None else "",
        }),
        ("What is written; all in work_dir can be made again.", {
            "work_dir": "work", "out_cells": "out/nodes.h5", "out_morph_dir": "out/morphologies",
            "out_apical": "out/apical.yaml", "out_report": "out/nodes_report.html",
        }),
        ("Cells of the same seed are the same, however many processes grow them.", {"seed": "0"}),
    ]  # fmt: skip


def write_files(folder: PathLike, texts: Mapping[str, str]) -> None:
    """Write files that are not there yet, or that have these texts already.

    Raises:
        InvalidInputs: a file is there with another content.
    """
    problems = []
    for name, text in texts.items():
        path = Path(folder, name)
        if path.is_dir():
            hint = "choose another name by --out"
            problems.append(InvalidInput("is a folder, a file is to be written", path, hint))
        elif path.exists() and path.read_text(encoding="utf-8", errors="replace") != text:
            hint = "remove it, or choose another folder by --out"
            problems.append(InvalidInput("is there already, with another content", path, hint))
    if problems:
        raise InvalidInputs(problems)
    make_folder(folder)
    for name, text in texts.items():
        write_text_atomic(Path(folder, name), text)


def _name(value: object) -> str:
    text = str(value)
    plain = text.replace("_", "").replace("-", "").isalnum()
    if isinstance(value, int) or (plain and text[0].isalpha() and len(text) > 2):
        return text
    return f'"{text}"'


def _percent(text: object) -> str:
    return str(text).replace("%", "%%")
