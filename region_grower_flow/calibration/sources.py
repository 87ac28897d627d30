"""Inputs named by the options of a calibration: reconstructions, documents, rules, layers.

Functions of the options of a task (anything with these attributes).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from region_grower_flow.errors import InvalidInput, InvalidInputs, Problems
from region_grower_flow.io.atomic import PathLike
from region_grower_flow.layout import AS_GIVEN, REGION_STRUCTURE
from region_grower_flow.morphology import NEURITE_TYPES

if TYPE_CHECKING:
    from region_grower_flow.calibration.build import Additions
    from region_grower_flow.calibration.choices import CalibrationSettings
    from region_grower_flow.calibration.dataset import Dataset
    from region_grower_flow.calibration.preparation import Corrections
    from region_grower_flow.io.layer_names import Layer
    from region_grower_flow.options import Model, Reference
    from region_grower_flow.options.flows import Calibration

_DOCUMENTS = {
    "overrides": "overrides",
    "substitutions": "substitutions",
    "trunk rules": "trunk_rules",
    "scaling rules": "scaling_rules",
    "given parameters": "base_parameters",
    "configuration of the diameter model": "diametrizer_config",
}
"""Contents of files, by calibration's names, and the options that name the files."""


def read_reconstructions(options: Calibration, part: str | None = None) -> Dataset:
    """The Dataset of the reference morphologies that are calibrated.

    Args:
        options: of the reconstructions, as attributes.
        part: which half of them, instead of ``options.reference_part``.

    Raises:
        InvalidInputs: its folder or its table are not given or wrong, or the options that choose
            from it name what is not there.
    """
    from region_grower_flow.calibration.dataset import read_dataset
    from region_grower_flow.calibration.selection import Selection, select

    if not (options.morphologies_dir and options.dat_file):
        raise InvalidInputs(not_given(options))
    dataset = read_dataset(
        options.morphologies_dir,
        options.dat_file,
        options.morphologies_ext,
        options.use_axon_excludes == "cell",
    )
    rules = load_document(options.substitutions)
    part, seed = part or options.reference_part, options.validation_seed
    try:
        return select(dataset, Selection(options.mtypes, rules, part, seed))
    except InvalidInputs as errors:
        raise InvalidInputs([with_file(problem, options) for problem in errors.problems]) from None


def calibration_settings(options: Calibration) -> CalibrationSettings:
    """The CalibrationSettings of a task's options.

    Raises:
        InvalidInput: the configuration of the diametrizer cannot be read.
    """
    from region_grower_flow.calibration import growth_values
    from region_grower_flow.calibration.choices import CalibrationSettings

    mode = options.growth_calibration
    diameters = load_document(options.diametrizer_config)
    if diameters is None and mode == growth_values.PARAMETERS and not options.base_parameters:
        diameters = growth_values.PARAMETER_METHOD
    threshold = options.bar_threshold
    if threshold is None and mode != growth_values.NONE:
        threshold = growth_values.BAR_THRESHOLD
    return CalibrationSettings(
        region=options.region,
        neurite_types=list(NEURITE_TYPES) if options.synthesize_axons else None,
        on_bad_morphology=options.on_bad_morphology,
        diametrizer_config=diameters,
        min_basal_trees=options.min_basal_trees,
        bar_threshold=threshold,
        measured=mode == growth_values.EXTENDED,
        for_neurots=mode == growth_values.PARAMETERS,
        inverted=tuple(getattr(options, "inverted_mtypes", ())),
    )


def corrections_of(options: Reference) -> Corrections:
    """The Corrections of the reconstructions by a task's options."""
    from region_grower_flow.calibration.preparation import Corrections

    return Corrections(
        options.morphology_frame,
        tuple(options.inverted_mtypes),
        options.pia_direction,
        options.shrinkage_z,
    )


def is_prepared(options: Reference) -> bool:
    """True if copies of the reconstructions are used instead of the files as they are."""
    return options.morphology_frame != AS_GIVEN or options.shrinkage_z != 1.0


def load_document(path: PathLike | None) -> Any:
    """The content of a JSON or YAML file, None without a path.

    Raises:
        InvalidInput: it cannot be read, or a number in it is not finite.
    """
    if not path:
        return None
    from region_grower_flow.io.documents import load_json, load_yaml

    yaml = Path(path).suffix.lower() in (".yaml", ".yml")
    content = load_yaml(path) if yaml else load_json(path)
    _require_finite(content, path)
    return content


def load_overrides(path: PathLike | None) -> Any:
    """Overrides from YAML, JSON, or a CSV table; None without a path. See :func:`load_document`."""
    if not path or Path(path).suffix.lower() != ".csv":
        return load_document(path)
    from region_grower_flow.calibration.overrides import parse_table
    from region_grower_flow.io.documents import read_text

    table = parse_table(read_text(path), path)
    _require_finite(table.entries, path)
    return table


def _require_finite(content: Any, path: PathLike) -> None:
    from region_grower_flow.io.documents import dotted, not_finite

    for keys in not_finite(content):
        raise InvalidInput(f"{dotted(keys)} is not a finite number", path)


def read_additions(options: Model) -> Additions:
    """The Additions to generated parameters, without their fits.

    Raises:
        InvalidInputs: a file of rules, or the region structure that layers come from, is wrong.
    """
    from region_grower_flow.calibration.build import Additions
    from region_grower_flow.calibration.trunks import TrunkChoice

    problems = Problems()
    rules = problems.attempt(load_document, options.trunk_rules)
    additions = Additions(
        TrunkChoice(options.trunk_fits, rules),
        scaling=problems.attempt(load_document, options.scaling_rules),
        layers=problems.attempt(read_layers, options) if options.scaling_rules else [],
        overrides=problems.attempt(load_overrides, options.overrides),
        where=getattr(options, "base_parameters", None) or "parameters",
    )
    if problems:
        raise InvalidInputs(problems)
    return additions


def read_layers(options: Model) -> list[Sequence[Layer]]:
    """The lists of layers of the regions that the parameters serve, from the top.

    Empty without a region structure, which only growth in an atlas needs: its default path may
    lead nowhere.
    """
    from region_grower_flow.atlas.structure import load_region_structure
    from region_grower_flow.calibration.scaling_rules import layers_of

    path = getattr(options, "region_structure", None)
    if not path or (path == REGION_STRUCTURE and not Path(path).exists()):
        return []
    return layers_of(load_region_structure(path), options.region)


def with_file(problem: InvalidInput, options: Calibration) -> InvalidInput:
    """The problem with the name of the file where calibration knows its content only."""
    for content, option in _DOCUMENTS.items():
        where, path = str(problem.where), getattr(options, option)
        if path and where.startswith(content):
            return InvalidInput(problem.problem, f"{path}{where[len(content) :]}", problem.hint)
    return problem


def not_given(options: Reference) -> list[InvalidInput]:
    """The options of a calibration's inputs that are needed and not given, as InvalidInput."""
    return [
        InvalidInput(
            "is needed to extract distributions and to generate parameters",
            f"option {name}",
            "give it, or give both tmd_parameters and tmd_distributions",
        )
        for name in ("morphologies_dir", "dat_file")
        if not getattr(options, name)
    ]
