"""Checks of the choice of axons for grafting, and what it is made from.

Functions of the options of a task (anything with these attributes). They write nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from region_grower_flow.checks import inputs
from region_grower_flow.checks.places import check_files
from region_grower_flow.errors import InvalidInput, InvalidInputs, Problems
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.layout import (
    BRAIN_REGIONS,
    HIERARCHY,
    ORIENTATION,
    PRINCIPAL_AXIS,
)

if TYPE_CHECKING:
    import numpy as np

    from region_grower_flow.io.cells import Cells
    from region_grower_flow.io.table import CellTable
    from region_grower_flow.options.flows import ChosenAxons
    from region_grower_flow.placement.choose import AxonChoice, ChoiceSettings, Knowledge
    from region_grower_flow.placement.donors import Donor

RANDOM, LAYERS, RULES = "random", "layers", "rules"
NEEDED = {
    RANDOM: (),
    LAYERS: ("atlas", "region_structure", "base_morph_dir"),
    RULES: ("atlas", "region_structure", "placement_rules", "placement_annotations"),
}
"""Options that must be given for each way to choose."""


def choice_files(options: ChosenAxons) -> dict[str, PathLike]:
    """The files that the choice reads, by role.

    Raises:
        InvalidInput: a file that names others cannot be read.
    """
    files: dict[str, PathLike] = {
        "input_cells": options.input_cells,
        "axon_donors": options.axon_donors,
    }
    if options.axon_choice == RANDOM or _missing(options):
        return files
    files.update(_space_files(options))
    if options.axon_choice == RULES:
        return files | inputs.given_files(options, "placement_rules", "placement_annotations")
    from region_grower_flow.placement.donors import donor_path

    files.update(inputs.given_files(options, "axon_home"))
    folder = str(options.base_morph_dir)  # it is given, see NEEDED
    for donor in used_donors(options, inputs.cells(options)):
        files[f"donor {donor.name}"] = donor_path(folder, donor)
    return files


def _space_files(options: ChosenAxons) -> dict[str, PathLike]:
    """The region structure, the hierarchy, and the volumes that depths are looked up in."""
    from region_grower_flow.atlas.structure import has_layers, load_region_structure
    from region_grower_flow.atlas.volumes import volume_path
    from region_grower_flow.layout import layer_hint

    structure = load_region_structure(options.region_structure)
    names = [BRAIN_REGIONS, ORIENTATION, PRINCIPAL_AXIS]
    for entry in structure.values():
        names += [layer_hint(layer) for layer in entry["layers"]] if has_layers(entry) else []
    paths = {f"atlas volume {name}": volume_path(options.atlas, name) for name in names}
    # Those of regions without cells may be absent; the look-up says which are needed.
    volumes = {role: path for role, path in paths.items() if path.is_file()}
    return {
        "region_structure": options.region_structure,
        HIERARCHY: Path(options.atlas) / HIERARCHY,
        **volumes,
    }


def used_donors(options: ChosenAxons, cells: Cells) -> list[Donor]:
    """The donors of mtypes that cells have, each once."""
    from region_grower_flow.placement.donors import load_donors

    folder = options.base_morph_dir
    donors = load_donors(options.axon_donors, folder)
    mtypes = set(cells.properties["mtype"].astype(str))
    found = {donor.name: donor for mtype in sorted(mtypes) for donor in donors.get(mtype, [])}
    return list(found.values())


def _missing(options: ChosenAxons) -> list[str]:
    return [name for name in NEEDED[options.axon_choice] if not getattr(options, name)]


@dataclass(frozen=True)
class Prepared:
    """The inputs of a choice; see :func:`region_grower_flow.placement.choose.choose_axons`."""

    mtypes: np.ndarray
    ids: np.ndarray
    donors: dict[str, list[Donor]]
    settings: ChoiceSettings
    table: CellTable | None
    knowledge: Knowledge | None

    def choose(self) -> AxonChoice:
        """The AxonChoice."""
        from region_grower_flow.placement.choose import choose_axons

        return choose_axons(
            self.mtypes, self.ids, self.donors, self.settings, self.table, self.knowledge
        )


def prepare(options: ChosenAxons) -> Prepared:
    """The inputs of the choice that a task's options ask for, checked.

    Raises:
        InvalidInputs: all that is wrong with the options and with what they name.
    """
    from region_grower_flow.placement.choose import ChoiceSettings, knowledge_problems
    from region_grower_flow.placement.donors import load_donors
    from region_grower_flow.placement.slices import original_ids

    problems = Problems(_option_problems(options))
    cells = problems.attempt(inputs.cells, options)
    donors = problems.attempt(load_donors, options.axon_donors, options.base_morph_dir)
    if problems:
        raise InvalidInputs(problems)
    settings = ChoiceSettings(
        mode=options.axon_choice,
        seed=options.placement_seed,
        alpha=options.axon_alpha,
        scales=options.axon_scales,
        bias=options.axon_bias,
        tolerance=options.axon_tolerance,
        limits_only=options.axon_limits_only,
    )
    mtypes = cells.properties["mtype"].astype(str).to_numpy(dtype=object)
    ids = problems.attempt(original_ids, cells)
    table, knowledge = None, None
    if options.axon_choice != RANDOM:
        table = problems.attempt(_look_up, options, cells)
        knowledge = problems.attempt(_knowledge, options, cells, problems)
        if not problems:
            problems += knowledge_problems(mtypes, donors, settings, table, knowledge)
    if problems:
        raise InvalidInputs(problems)
    return Prepared(mtypes, ids, donors, settings, table, knowledge)


def _option_problems(options: ChosenAxons) -> list[InvalidInput]:
    return [
        InvalidInput(
            f"is needed for the choice {options.axon_choice!r}",
            f"option {name}",
            "give it, or choose at random (axon_choice = random)",
        )
        for name in _missing(options)
    ]


def _look_up(options: ChosenAxons, cells: Cells) -> CellTable:
    """The cell table: depths of somata and layers; the depths are not clipped."""
    import numpy as np

    from region_grower_flow.atlas.load import load_atlas_table

    return load_atlas_table(
        options.atlas, options.region_structure, cells, min_depth=-np.inf, max_depth=np.inf
    )


def _knowledge(options: ChosenAxons, cells: Cells, problems: Problems) -> Knowledge:
    from region_grower_flow.atlas.structure import has_layers, load_region_structure
    from region_grower_flow.placement import donors, rules
    from region_grower_flow.placement.choose import Knowledge

    structure = load_region_structure(options.region_structure)
    columns = {
        region: {
            layer: float(entry["thicknesses"].get(layer, entry["thicknesses"].get(str(layer))))
            for layer in entry["layers"]
        }
        for region, entry in structure.items()
        if has_layers(entry)
    }
    if options.axon_choice == RULES:
        return Knowledge(
            columns=columns,
            rules=problems.attempt(rules.load_rules, options.placement_rules),
            annotations=problems.attempt(rules.load_annotations, options.placement_annotations),
        )
    home = donors.Home(None, {})
    if options.axon_home:
        home = problems.attempt(donors.load_home, options.axon_home)
    used = used_donors(options, cells)
    heights = problems.attempt(donors.load_heights, used, options.base_morph_dir)
    return Knowledge(heights=heights, home=home, columns=columns)


def check_axon_choice(options: ChosenAxons) -> Problems:
    """Problems of options, files and outputs' places, each a sentence."""
    problems = Problems(check_files(options, ("chosen_axons",)))
    problems.attempt(prepare, options)
    return problems


def ratio_problems(
    options: ChosenAxons, choice: AxonChoice, mtypes: Iterable[str]
) -> list[InvalidInput]:
    """Mtypes of which too many cells get no axon, as a list of InvalidInput."""
    from region_grower_flow.io.axons import check_na_ratio

    found = check_na_ratio(choice.names, mtypes, options.max_without_axon, options.axon_donors)
    hint = "give more donors, or raise max_without_axon"
    return [InvalidInput(problem.problem, problem.where, hint) for problem in found]
