"""Checks of all inputs before any work: every problem at once, a sentence each.

Functions of the options of a task (anything with these attributes). They write nothing.
"""

import logging
import shlex
from pathlib import Path

from region_grower_flow.errors import FlowError, InvalidInput, InvalidInputs, nearest, some
from region_grower_flow.layout import AS_GIVEN, PREPARED, REGION_STRUCTURE
from region_grower_flow.morphology import NEURITE_TYPES
from region_grower_flow.places import CALIBRATION_OUTPUTS, check_files, check_places

__all__ = [
    "calibration_settings",
    "check_calibration",
    "check_launcher",
    "check_places",
    "check_space",
    "check_synthesis",
    "load_document",
    "read_reconstructions",
]

L = logging.getLogger(__name__)

MOST_DAMAGED = 20
"""Damaged axon morphologies that are named."""


LEAST_NEUROTS = (3, 6)
"""Earlier versions ignore ``y_direction`` and ``constraints`` without a word."""


class Problems(list):
    """A list of InvalidInput; :meth:`trying` collects what a block raises."""

    def attempt(self, function, *arguments, **keywords):
        """Call a function; collect its InvalidInput and return None instead."""
        try:
            return function(*arguments, **keywords)
        except InvalidInputs as errors:
            self.extend(errors.problems)
        except InvalidInput as error:
            self.append(error)
        return None


def check_calibration(options):
    """Problems of the reconstructions, their table and the configurations."""
    problems = Problems()
    problems.extend(check_files(options, CALIBRATION_OUTPUTS))
    problems.extend(_not_given(options))
    base = problems.attempt(load_document, options.base_parameters)
    settings = problems.attempt(calibration_settings, options)
    additions = problems.attempt(read_additions, options)
    if problems:
        return problems
    dataset = problems.attempt(read_reconstructions, options)
    if dataset is not None and options.morphology_frame != AS_GIVEN:
        from region_grower_flow.calibration.preparation import preparation_problems

        copies = Path(options.work_dir, PREPARED)
        problems.extend(preparation_problems(dataset, copies, options.inverted_mtypes))
    if dataset is not None and _only_defaults(options):
        from region_grower_flow.calibration.populations import gather_populations

        # Nothing is given that could be wrong: NeuroTS, whose import takes seconds, is not asked.
        problems.attempt(gather_populations, dataset, settings)
    elif dataset is not None:
        from region_grower_flow.calibration.build import build_parameters
        from region_grower_flow.calibration.parameters import generate_parameters

        made = problems.attempt(generate_parameters, dataset, settings, base)
        if made is not None:
            generated = made[0][options.region]
            problems.attempt(build_parameters, generated, additions, options.region)
    return [_with_file(problem, options) for problem in problems]


def _only_defaults(options):
    """Whether parameters are NeuroTS's own, from which nothing but the cells can be wrong."""
    files = ("base_parameters", "diametrizer_config", "trunk_rules", "scaling_rules", "overrides")
    return options.trunk_fits == "none" and not any(getattr(options, name) for name in files)


_DOCUMENTS = {
    "overrides": "overrides",
    "substitutions": "substitutions",
    "trunk rules": "trunk_rules",
    "scaling rules": "scaling_rules",
    "given parameters": "base_parameters",
    "configuration of the diameter model": "diametrizer_config",
}
"""What calibration calls the contents of files, and the options that name these."""


def _with_file(problem, options):
    """The problem with the name of the file where calibration knows its content only."""
    for content, option in _DOCUMENTS.items():
        where, path = str(problem.where), getattr(options, option)
        if path and where.startswith(content):
            return InvalidInput(problem.problem, f"{path}{where[len(content) :]}", problem.hint)
    return problem


def _not_given(options):
    return [
        InvalidInput(
            "is needed to extract distributions and to generate parameters",
            f"option {name}",
            "give it, or give both tmd_parameters and tmd_distributions",
        )
        for name in ("morphologies_dir", "dat_file")
        if not getattr(options, name)
    ]


def read_reconstructions(options):
    """The Dataset of the reference morphologies that are calibrated.

    Raises:
        InvalidInputs: its folder or its table are not given or wrong, or the options that choose
            from it name what is not there.
    """
    from region_grower_flow.calibration.dataset import read_dataset
    from region_grower_flow.calibration.selection import Selection, select

    missing = _not_given(options)
    if missing:
        raise InvalidInputs(missing)
    dataset = read_dataset(options.morphologies_dir, options.dat_file, options.morphologies_ext)
    rules = load_document(options.substitutions)
    part, seed = options.reference_part, options.split_seed
    try:
        return select(dataset, Selection(options.mtypes, rules, part, seed))
    except InvalidInputs as errors:
        raise InvalidInputs([_with_file(problem, options) for problem in errors.problems]) from None


def calibration_settings(options):
    """The CalibrationSettings of a task's options.

    Raises:
        InvalidInput: the configuration of the diametrizer cannot be read.
    """
    from region_grower_flow.calibration.settings import CalibrationSettings

    return CalibrationSettings(
        region=options.region,
        neurite_types=list(NEURITE_TYPES) if options.synthesize_axons else None,
        on_bad_morphology=options.on_bad_morphology,
        diametrizer_config=load_document(options.diametrizer_config),
        min_basal_trees=options.min_basal_trees,
    )


def load_document(path):
    """The content of a JSON or YAML file, None without a path."""
    if not path:
        return None
    from region_grower_flow.io.documents import load_json, load_yaml

    return (load_yaml if Path(path).suffix.lower() in (".yaml", ".yml") else load_json)(path)


def load_overrides(path):
    """Overrides from YAML, JSON, or a CSV table; None without a path."""
    if not path or Path(path).suffix.lower() != ".csv":
        return load_document(path)
    from region_grower_flow.calibration.overrides import parse_table
    from region_grower_flow.io.documents import read_text

    return parse_table(read_text(path), path)


def read_additions(options):
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
    )
    if problems:
        raise InvalidInputs(problems)
    return additions


def read_layers(options):
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


def check_space(options):
    """Problems of the cells, the atlas, the region structure and the axon table."""
    from region_grower_flow.atlas.check import check_atlas
    from region_grower_flow.io.cells import read_cells

    problems = Problems()
    if options.min_depth > options.max_depth:
        problem = f"min_depth ({options.min_depth}) is greater than max_depth ({options.max_depth})"
        problems.append(InvalidInput(problem, "option min_depth"))
    cells = problems.attempt(read_cells, options.input_cells)
    problems.extend(check_atlas(options.atlas, options.region_structure, cells))
    problems.extend(_check_constraints(options.region_structure))
    if options.morph_axon and not options.synthesize_axons and cells is not None:
        problems.extend(_check_axons(options, cells))
    return problems


def _check_constraints(path):
    from region_grower_flow.atlas.structure import load_region_structure
    from region_grower_flow.space.constraint_checks import (
        check_boundaries,
        check_directions,
        constraint_notes,
    )

    problems, folder = Problems(), Path(path).parent
    structure = Problems().attempt(load_region_structure, path)  # its own problems are known
    for region, entry in (structure or {}).items():
        where = f"{path}, {region}"
        found = [*check_directions(entry, where), *check_boundaries(entry, where, folder)]
        for note in [] if found else constraint_notes(entry, where, folder):
            L.warning("%s", note)
        problems.extend(found)
    return problems


def _check_axons(options, cells):
    from region_grower_flow.io import axons

    ids = range(len(cells))
    base_morph_dir = getattr(options, "base_morph_dir", None)
    problems = axons.check_axon_table(options.morph_axon, ids, base_morph_dir)
    if problems:
        return problems
    names, _ = axons.load_axon_table(options.morph_axon, ids)
    mtypes = cells.properties["mtype"]
    where = options.morph_axon
    problems = axons.check_na_ratio(names, mtypes, options.max_drop_ratio, where=where)
    if base_morph_dir:
        problems += _check_donors(Path(base_morph_dir), [name for name in names if name])
    return problems


def _check_donors(folder, names):
    """Axon morphologies that are damaged, or absent for all cells.

    region-grower drops a cell whose axon is absent: so while others have theirs it is a line in
    the log.
    """
    from region_grower_flow.io.morphologies import read_morphology

    problems, absent = Problems(), []
    for name in dict.fromkeys(names):
        path = folder / f"{name}.h5"
        if not path.exists():
            absent.append(name)
        elif len(problems) < MOST_DAMAGED:
            problems.attempt(read_morphology, path)
    count = sum(map(set(absent).__contains__, names))
    if not count:
        return problems
    sentence = f"{count:,} of {len(names):,} cells have axons that are absent ({some(absent)})"
    if count == len(names):
        hint = "complete the folder, or check that it is the one that the table is made for"
        problems.append(InvalidInput(sentence, folder, hint))
    else:
        L.warning("%s: %s: these cells will be dropped.", folder, sentence)
    return problems


def check_synthesis(options):
    """Problems of everything that a synthesis reads, and of where it writes."""
    problems = Problems(check_space(options))
    if not (options.tmd_parameters and options.tmd_distributions):
        problems.extend(check_calibration(options))
    problems.extend(_check_models(options))
    problems.extend(_check_options(options))
    problems.extend(check_places(options))
    problems.extend(check_launcher(options))
    return list({str(problem): problem for problem in problems}.values())


def _check_models(options):
    """Parameters and distributions: valid, and there for every mtype of the cells."""
    from region_grower_flow.io import parameters

    problems = Problems()
    if options.tmd_parameters:
        axons = options.synthesize_axons
        given = problems.attempt(parameters.load_parameters, options.tmd_parameters, axons)
    if options.tmd_distributions:
        path = options.tmd_distributions
        distributions = problems.attempt(parameters.load_distributions, path)
    wanted = Problems().attempt(_wanted_mtypes, options)  # its own problems are known
    if problems or wanted is None:
        return problems
    if options.tmd_parameters and options.tmd_distributions:
        paths = (options.tmd_parameters, options.tmd_distributions)
        return parameters.check_mtypes(given, distributions, wanted, paths, _layers(options))
    dataset = Problems().attempt(read_reconstructions, options)
    for region, mtype in dict.fromkeys((w[0], w[2]) for w in wanted):
        if dataset is not None and mtype not in dataset.mtypes:
            hint = nearest(mtype, dataset.mtypes)
            problem = f"the mtype {mtype!r} of the cells in region {region!r} is not in it"
            problems.append(InvalidInput(problem, options.dat_file, hint))
    return problems


def _wanted_mtypes(options):
    from region_grower_flow.atlas.regions import RegionMapper, load_region_map
    from region_grower_flow.atlas.structure import load_region_structure
    from region_grower_flow.io.cells import read_cells
    from region_grower_flow.io.parameters import wanted_mtypes

    properties = read_cells(options.input_cells).properties
    structure = load_region_structure(options.region_structure)
    mapper = RegionMapper(structure, load_region_map(options.atlas))
    return wanted_mtypes(properties["region"], properties["mtype"], mapper)


def _layers(options):
    from region_grower_flow.atlas.structure import layers_of, load_region_structure

    return layers_of(load_region_structure(options.region_structure))


def _check_options(options):
    """Options that do not go together."""
    problems = check_given_parameters(options)
    if options.out_apical_nrn_sections and not {"asc", "swc"} & set(options.out_morph_ext):
        problems.append(
            InvalidInput(
                f"NEURON's sections need morphologies in asc or swc, not only "
                f"{', '.join(options.out_morph_ext)}",
                "option out_apical_nrn_sections",
                "add asc or swc to out_morph_ext",
            )
        )
    if options.morph_axon and not options.base_morph_dir and not options.synthesize_axons:
        problems.append(
            InvalidInput(
                "the folder of the axon morphologies is needed with morph_axon",
                "option base_morph_dir",
            )
        )
    problems.extend(_check_folders(options))
    problems.extend(check_neurots(options.engine))
    return problems


def _check_folders(options):
    """Whether the morphologies fit into folders of the wanted size."""
    from region_grower_flow.io.morphologies import directory_depth
    from region_grower_flow.io.ranges import count_cells

    problems = Problems()
    count = Problems().attempt(count_cells, options.input_cells)  # its own problems are known
    if options.max_files_per_dir and count and not options.skip_write:
        files = count * len(options.out_morph_ext)
        problems.attempt(directory_depth, files, options.max_files_per_dir)
    return problems


def check_given_parameters(options):
    """Rules for parameters that are not made here would be ignored."""
    rules = {name: getattr(options, name) for name in ("trunk_rules", "scaling_rules", "overrides")}
    rules["trunk_fits"] = options.trunk_fits != "none"
    return [
        InvalidInput(
            "has no effect on the parameters that tmd_parameters gives",
            f"option {name}",
            "give these as base_parameters, with the reconstructions, to complete them",
        )
        for name, value in rules.items()
        if value and options.tmd_parameters
    ]


def check_neurots(engine="compiled"):
    """A NeuroTS that ignores the atlas must not grow anything, whatever installed it.

    Before 3.7.0 NeuroTS's growth and trunks ignore the atlas's orientation and boundaries; its
    extraction, which is all that a compiled growth needs of it, is the same in 3.6.0. Where the
    engine would pass single cells on to NeuroTS, :mod:`region_grower_flow.engine.reference` drops
    them.

    Args:
        engine: what grows cells, "compiled" or "neurots".
    """
    from region_grower_flow.engine.reference import is_sound
    from region_grower_flow.fingerprint import package_versions

    version = package_versions(["neurots"])["neurots"]
    if not is_sound(version, LEAST_NEUROTS):
        problem = f"version {version} cannot extract and generate what is needed"
        return [InvalidInput(problem, "NeuroTS", "install neurots>=3.7.0")]
    if engine == "neurots" and not is_sound(version):
        return [
            InvalidInput(
                f"version {version} ignores the atlas's orientation and boundaries in its growth",
                "option engine",
                "install neurots>=3.7.0 (Python 3.10 to 3.12), or use the compiled engine",
            )
        ]
    return []


def check_launcher(options):
    """Whether the wanted launcher is there and starts one MPI job, not many single processes."""
    from region_grower_flow.runtime.choice import check_launcher as check

    if options.nb_processes == 0:
        return []
    problems = Problems()
    try:
        shlex.split(options.launcher)
    except ValueError as error:
        problem = f"{options.launcher!r} is no command line ({error})"
        return [InvalidInput(problem, "option launcher")]
    try:
        problems.attempt(check, options.launcher)
    except FlowError as error:
        problems.append(InvalidInput(str(error), "option launcher"))
    return problems
