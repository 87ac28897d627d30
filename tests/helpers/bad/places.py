"""Bad options: ranges, choices, places of outputs, launchers."""

import stat

from helpers.bad.bases import both, link, options, text
from helpers.bad.harness import Bad
from helpers.nested import LEFT_OUT


def opts(name, words, **values):
    return Bad(name, options(**values), words)


def made(*names):
    """Folders that are there already."""

    def spoil(flow):
        for name in names:
            flow.path(name).mkdir(parents=True, exist_ok=True)

    return spoil


def _cells_in_the_work_folder(flow):
    flow.path(flow.options["input_cells"]).rename(flow.path("cells.h5"))
    flow.options.update(input_cells="cells.h5", work_dir=".")


def _grown_among_reconstructions(flow):
    flow.path("cells").rename(flow.path("morphologies"))
    flow.options.update(morphologies_dir="morphologies", work_dir=".")


def read_only(name):
    def spoil(flow):
        flow.path(name).mkdir(parents=True, exist_ok=True)
        flow.path(name).chmod(stat.S_IRUSR | stat.S_IXUSR)

    return spoil


def _ranges():
    wrong = {
        "seed": ("1.5", "one", "nan"),
        "min_depth": ("deep", "nan", "inf"),
        "max_drop_ratio": ("-0.1", "1.1", "nan"),
        "max_failure_ratio": ("-1", "2", "inf"),
        "scaling_jitter_std": ("-1", "nan"),
        "rotational_jitter_std": ("-1", "inf"),
        "min_hard_scale": ("-0.2", "nan"),
        "max_files_per_dir": ("0", "8", "-1", "many"),
        "chunksize": ("0", "-5", "1e9x"),
        "block_size": ("0", "-1"),
        "nb_processes": ("-1", "two"),
        "cell_timeout": ("0", "-1", "nan"),
        "out_morph_ext": ("stl",),
        "engine": ("genesis",),
        "extra_apicals": ("keep",),
        "worker_log_level": ("loud",),
    }
    for name, values in wrong.items():
        for value in values:
            flag = {"worker_log_level": "log-level"}.get(name, name.replace("_", "-"))
            yield Bad(f"{name}={value}", options(**{name: value}), ((flag, name), (value,)))


OUTPUTS = ("out_cells", "out_apical", "container_path", "circuit_config", "out_summary",
           "out_debug_data", "out_morphs_df", "out_report")  # fmt: skip


def _places():
    for name in OUTPUTS:
        value = "place.h5"
        yield Bad(f"{name}-a-folder", both(made(f"{value}/full"), options(**{name: value})), (
            f"option {name} ({value}) | is a folder | file",
        ))  # fmt: skip
        yield Bad(f"{name}-below-a-file", options(**{name: "parameters.json/sub/place.h5"}), (
            f"option {name}: ", "parameters.json is a file | folder",
        ))  # fmt: skip
        yield Bad(f"{name}-read-only", both(read_only("locked"),
            options(**{name: "locked/place.h5"})), (
            f"option {name}: ", "locked cannot be written",
        ), humble=True)  # fmt: skip
        yield Bad(f"{name}-an-input", options(**{name: "nodes.h5"}), (
            "would overwrite the input cells", f"option {name}",
        ))  # fmt: skip
    for name in ("parameters.json", "distributions.json", "atlas/hierarchy.json",
                 "atlas/orientation.nrrd", "atlas/region_structure.yaml"):  # fmt: skip
        yield Bad(f"over-{name.rsplit('/')[-1]}", options(out_debug_data=name), (
            "option out_debug_data", name, "overwrite",
        ))  # fmt: skip


PLACES = [
    *_ranges(),
    *_places(),
    opts("depths-crossed", ("min_depth (90.0) is greater than max_depth (80.0)",), min_depth=90,
         max_depth=80),
    opts("cells-not-given", ("--input-cells",), input_cells=LEFT_OUT),
    opts("atlas-not-given", ("--atlas",), atlas=LEFT_OUT),
    opts("output-not-given", ("--out-cells",), out_cells=LEFT_OUT),
    opts("nothing-to-grow-from", ("option morphologies_dir", "option dat_file"),
         tmd_parameters=LEFT_OUT, tmd_distributions=LEFT_OUT),
    opts("only-parameters", ("option morphologies_dir", "option dat_file"),
         tmd_distributions=LEFT_OUT),
    opts("unknown-option", ("--sead",), sead=1),
    opts("out-cells-extension", ("option out_cells (out/nodes.csv)", ".h5 or .mvd3"),
         out_cells="out/nodes.csv"),
    opts("two-outputs-in-one", ("same file | out_cells",), out_debug_data="out/nodes.h5"
         ),
    opts("two-outputs-in-one-by-dots", ("same file | out_cells",),
         out_debug_data="out/../out/nodes.h5"),
    Bad("two-outputs-in-one-by-link", both(made("out"), link("alias", "out"),
        options(out_debug_data="alias/nodes.h5")), ("same file | out_cells",)),
    Bad("input-as-output-by-link", both(link("alias.h5", "nodes.h5"),
        options(out_cells="alias.h5")), ("would overwrite the input cells",)),
    opts("output-below-output", ("option out_morph_dir", "names the same place as out_cells"),
         out_morph_dir="out/nodes.h5"),
    opts("nrn-sections-of-h5", ("NEURON's sections need morphologies in asc or swc",),
         out_apical_nrn_sections="out/nrn.yaml"),
    opts("name-too-long", ("option out_cells",), out_cells="out/" + "n" * 300 + ".h5"),
    opts("out-cells-with-nul", ("out_cells",), out_cells="out/no\0des.h5"),
    Bad("morphologies-a-file", text("out/morphologies", "mine"), (
        "out_morph_dir (out/morphologies) | is a file | folder",
    )),
    Bad("morphologies-of-others", text("out/morphologies/mine.txt", "mine"), (
        "out_morph_dir (out/morphologies) | does not know",
        "mine.txt", "--overwrite",
    )),
    Bad("morphologies-read-only", both(made("out"), read_only("out/morphologies")), (
        "option out_morph_dir", "cannot be written",
    ), humble=True),
    Bad("morphologies-link-loop", both(made("out"), link("out/morphologies", "morphologies")), (
        "out_morph_dir",
    )),
    Bad("work-a-file", text("work", "mine"), ("option work_dir", "is a file")),
    Bad("work-read-only", read_only("work"), ("option work_dir", "cannot be written"), humble=True),
    Bad("work-in-the-morphologies", options(work_dir="out/morphologies"), (
        "option out_morph_dir", "work_dir (out/morphologies) | must not be in it",
    )),
    Bad("work-is-the-atlas", options(work_dir="atlas"), (
        "option work_dir (atlas) | is the folder of the atlas | a folder of its own",
    )),
    Bad("work-is-the-reconstructions", options(work_dir="./cells"), (
        "option work_dir (./cells) | folder of the reconstructions",
    ), "calibration"),
    Bad("work-is-the-donors", options(work_dir="donors"), (
        "option work_dir (donors) | folder of the axon morphologies",
    ), "axons"),
    Bad("work-among-meshes", options(work_dir="atlas/balls/work"), (
        "option work_dir (atlas/balls/work) | in the folder of meshes atlas/balls",
    ), "meshes"),
    Bad("work-would-hold-the-reconstructions", _grown_among_reconstructions, (
        "option morphologies_dir (morphologies) | flow keeps its own morphologies | work_dir",
    ), "calibration"),
    Bad("work-would-overwrite-the-cells", _cells_in_the_work_folder, (
        "option input_cells (cells.h5) | flow keeps its own cells.h5 | work_dir",
    )),
    Bad("output-in-the-work-folder", options(out_debug_data="work/cells.h5"), (
        "out_debug_data (work/cells.h5) | flow | own cells.h5",
    )),
    Bad("morphologies-in-the-work-folder", options(out_morph_dir="work/morphologies"), (
        "out_morph_dir (work/morphologies) | flow | own morphologies",
    )),
    Bad("morphologies-over-donors", options(out_morph_dir="donors", overwrite=True), (
        "out_morph_dir (donors) | axon morphologies",
    ), "axons"),
    Bad("summary-over-an-input", options(out_cells="nodes_.h5", out_debug_data="nodes__ids.csv"), (
        "names the same file as",
    )),
    opts("launcher-unknown", ("launcher", "'mpiexe' is neither one of mpiexec, srun, inprocess",
         "id you mean 'mpiexec'"), launcher="mpiexe", nb_processes=2),
    opts("launcher-no-command", ("launcher", "{command}"), launcher="sh -c true", nb_processes=2),
    opts("launcher-absent", ("launcher", "the program 'absent' is not in the PATH"),
         launcher="absent -n {n} {command}", nb_processes=2),
    opts("launcher-quotes", ("launcher",), launcher="sh -c 'x {command}", nb_processes=2),
    Bad("all-at-once", both(
        options(min_depth=90, max_depth=80, out_cells="out/nodes.csv", atlas="no-atlas",
                input_cells="none.h5", tmd_parameters="no.json"),
        text("distributions.json", "{"),
    ), ("option min_depth", "option out_cells (out/nodes.csv)", "no-atlas | folder of the atlas",
        "none.h5 | no such file", "no.json | does not exist",
        "distributions.json | JSON | line 1, column 2")),
]  # fmt: skip
