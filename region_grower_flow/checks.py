"""Checks of all inputs before any work: every problem at once, a sentence each.

Functions of the options of a task (anything with these attributes). They write nothing.
"""

import json
import os
from pathlib import Path

from region_grower_flow import layout
from region_grower_flow.errors import FlowError, InvalidInput, InvalidInputs, some


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
    from region_grower_flow.calibration.checks import check_calibration_inputs

    problems = Problems()
    for name in ("morphologies_dir", "dat_file"):
        if not getattr(options, name):
            problems.append(
                InvalidInput(
                    "is needed to extract distributions and to generate parameters",
                    f"option {name}",
                    "give it, or give both tmd_parameters and tmd_distributions",
                )
            )
    if not problems:
        problems.extend(check_calibration_inputs(options))
    return problems


def check_space(options):
    """Problems of the cells, the atlas, the region structure and the axon table."""
    from region_grower_flow.atlas.checks import check_atlas
    from region_grower_flow.io import axons
    from region_grower_flow.io.cells import read_cells
    from region_grower_flow.space.checks import check_structure_constraints

    problems = Problems()
    if options.min_depth > options.max_depth:
        problems.append(
            InvalidInput(
                f"min_depth ({options.min_depth}) is greater than max_depth ({options.max_depth})",
                "option min_depth",
            )
        )
    cells = problems.attempt(read_cells, options.input_cells)
    problems.extend(check_atlas(options.atlas, options.region_structure, cells))
    problems.extend(check_structure_constraints(options.region_structure))
    if options.morph_axon and not options.synthesize_axons and cells is not None:
        ids = range(len(cells))
        base = getattr(options, "base_morph_dir", None)
        found = axons.check_axon_table(options.morph_axon, ids, base)
        problems.extend(found)
        if not found:
            names, _ = axons.load_axon_table(options.morph_axon, ids)
            problems.attempt(
                axons.check_na_ratio,
                names,
                cells.properties["mtype"],
                options.max_drop_ratio,
                where=options.morph_axon,
            )
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
    return problems


def _check_models(options):
    """Parameters and distributions: valid, and there for every mtype of the cells."""
    from region_grower_flow.atlas.regions import mapper_of
    from region_grower_flow.io import parameters
    from region_grower_flow.io.cells import read_cells

    problems = Problems()
    models = {}
    for name, load in (
        ("tmd_parameters", parameters.load_parameters),
        ("tmd_distributions", parameters.load_distributions),
    ):
        path = getattr(options, name)
        extra = {"synthesize_axons": options.synthesize_axons} if name == "tmd_parameters" else {}
        if path:
            models[name] = problems.attempt(load, path, **extra)
        else:
            models[name] = Problems().attempt(_to_be_made, options)
    try:
        cells = read_cells(options.input_cells)
        mapper = mapper_of(options.atlas, options.region_structure)
    except InvalidInput:
        return problems  # reported with the space
    if all(model is not None for model in models.values()):
        problems.extend(parameters.check_mtypes(*models.values(), cells, mapper))
    return problems


def _to_be_made(options):
    """{region: {mtype: None}} of what calibration will make."""
    from region_grower_flow.calibration.dataset import read_dataset

    extension = options.morphologies_ext.lstrip(".")
    dataset = read_dataset(options.morphologies_dir, options.dat_file, extension)
    return {options.region: dict.fromkeys(dataset.mtypes)}


def _check_options(options):
    """Options that do not go together."""
    problems = []
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
    if options.engine == "neurots":
        problems.extend(check_neurots())
    return problems


def check_neurots():
    """A NeuroTS that ignores the atlas must not grow anything."""
    from region_grower_flow.fingerprint import package_versions

    version = package_versions(["neurots"])["neurots"]
    if version is None or tuple(int(part) for part in version.split(".")[:2]) < (3, 7):
        return [
            InvalidInput(
                f"version {version} ignores the atlas's orientation and boundaries",
                "NeuroTS",
                "install neurots>=3.7.0",
            )
        ]
    return []


def check_places(options):
    """Problems of the places where outputs go: foreign files, folders that cannot be written."""
    problems = []
    if Path(options.out_cells).suffix not in layout.CELL_EXTENSIONS:
        expected = " or ".join(layout.CELL_EXTENSIONS)
        problems.append(
            InvalidInput(
                f"its extension must be {expected}", f"option out_cells ({options.out_cells})"
            )
        )
    names = (
        "out_cells",
        "out_apical",
        "out_apical_nrn_sections",
        "out_debug_data",
        "container_path",
        "circuit_config",
        "out_summary",
    )
    paths = {name: Path(getattr(options, name)) for name in names if getattr(options, name)}
    for name, path in paths.items():
        if path.is_dir():
            problems.append(
                InvalidInput("is a folder, a file is expected", f"option {name} ({path})")
            )
        else:
            problems.extend(_writable(f"option {name}", path.parent))
    same = {}
    for name, path in paths.items():
        other = same.setdefault(path.absolute(), name)
        if other != name:
            problems.append(
                InvalidInput(f"names the same file as {other} ({path})", f"option {name}")
            )
    if Path(options.input_cells).absolute() in same:
        problems.append(
            InvalidInput(
                "would overwrite the input cells",
                f"option {same[Path(options.input_cells).absolute()]}",
            )
        )
    problems.extend(_writable("option work_dir", Path(options.work_dir)))
    if not options.skip_write:
        problems.extend(_check_morphology_folder(options))
    return problems


def _check_morphology_folder(options):
    from region_grower_flow.io.listing import read_listing

    folder = Path(options.out_morph_dir)
    if folder.exists() and not folder.is_dir():
        return [InvalidInput("is a file, a folder is expected", f"option out_morph_dir ({folder})")]
    problems = _writable("option out_morph_dir", folder)
    if problems or options.overwrite or not folder.is_dir():
        return problems
    listing = Path(options.work_dir, layout.MANIFESTS, layout.LISTING)
    ours = read_listing(listing, folder)
    foreign = [str(path) for path in _files(folder) if str(path) not in ours]
    if not foreign:
        return []
    return [
        InvalidInput(
            f"holds files that this flow has not written ({some(sorted(foreign), 3)})",
            f"option out_morph_dir ({folder})",
            "choose another folder, empty it, or give --overwrite",
        )
    ]


def _files(folder):
    """The files below a folder (not our temporary ones), with paths relative to it."""
    for path in folder.rglob("*"):
        if not path.is_dir() and not path.name.startswith(".tmp-"):
            yield path.relative_to(folder)


def _writable(where, folder):
    """Whether files can be written below a folder that may not exist yet."""
    existing = folder.absolute()
    while not existing.exists() and existing != existing.parent:
        existing = existing.parent
    if not existing.is_dir():
        return [InvalidInput(f"{existing} is a file, a folder is expected", where)]
    if not os.access(existing, os.W_OK | os.X_OK):
        hint = "choose another place or mend its permissions"
        return [InvalidInput(f"{existing} cannot be written", where, hint)]
    return []


def check_launcher(options):
    """Whether the wanted launcher is there and starts one MPI job, not many single processes."""
    from region_grower_flow.runtime.choice import check_launcher as check

    if options.nb_processes == 0:
        return []
    problems = Problems()
    try:
        problems.attempt(check, options.launcher)
    except FlowError as error:
        problems.append(InvalidInput(str(error), "option launcher"))
    return problems


def options_as_json(options, names):
    """The named options as JSON, for summaries."""
    return json.loads(json.dumps({name: getattr(options, name) for name in names}, default=str))
