"""Bad tables: cells (SONATA, MVD3) and the axon table."""

import h5py
import numpy as np

from helpers.bad.bases import (
    NAN,
    both,
    column,
    cut,
    file,
    folder,
    link,
    missing,
    mtypes,
    nodes,
    noise,
    options,
    secret,
    set_mtypes,
    text,
    write_axons,
)
from helpers.bad.harness import Bad
from helpers.nested import LEFT_OUT

CELLS = "nodes.h5"
FEW = np.linspace(100.0, 300.0, 8)


def one(values, cell, value):
    changed = np.array(values, dtype=float)
    changed[cell] = value
    return changed


def rows(**keywords):
    return lambda flow: write_axons(flow, [f"donor{i % 2}" for i in range(8)], **keywords)


def axons(names, **keywords):
    return lambda flow: write_axons(flow, names, **keywords)


def second_population(population):
    population.file.copy(population, "nodes/other")


def huge(population):
    """A column that claims 10^12 values and holds none."""
    del population["0/x"]
    population["0"].create_dataset("x", shape=(10**12,), chunks=(10**6,), dtype="f8")


def mvd3(change=None):
    """The cells as an MVD3 file, changed."""

    def spoil(flow):
        from voxcell import CellCollection

        path = flow.path("nodes.mvd3")
        CellCollection.load(str(flow.path(CELLS))).save_mvd3(str(path))
        flow.options["input_cells"] = path.name
        if change is not None:
            with h5py.File(path, "r+") as file_:
                change(file_)

    return spoil


def without(place):
    def change(group):
        del group[place]

    return change


def library_index(population):
    """An mtype that points beyond the library."""
    group = population["0"]
    set_mtypes(population, ["PC"] * 8)
    del group["mtype"]
    group.create_dataset("mtype", data=np.full(8, 99, dtype=np.uint32))
    group.create_dataset("@library/mtype", data=["PC", "IN"], dtype=h5py.string_dtype())


def numbers_as_mtypes(population):
    group = population["0"]
    set_mtypes(population, ["PC"] * 8)
    del group["mtype"]
    group.create_dataset("mtype", data=np.arange(8))


def unlike(population):
    set_mtypes(population, ["PC"] * 5)


CELLS_CASES = [
    Bad("cells-missing", missing(CELLS), ("nodes.h5 | no such file",)),
    Bad("cells-folder", folder(CELLS), (CELLS,)),
    Bad("cells-secret", secret(CELLS), ("nodes.h5 | permission",),
        humble=True),
    Bad("cells-link-loop", link(CELLS, CELLS), (CELLS,)),
    Bad("cells-extension", both(options(input_cells="nodes.csv"), text("nodes.csv", "x,y,z\n")), (
        "nodes.csv | .csv", "Expected .h5 or .mvd3",
    )),
    Bad("cells-no-extension", options(input_cells="nodes"), ("no extension",)),
    Bad("cells-empty", text(CELLS, ""), ("nodes.h5 | not an HDF5 file",)),
    Bad("cells-text", text(CELLS, "x y z\n"), ("nodes.h5 | not an HDF5 file",)),
    Bad("cells-noise", noise(CELLS), (CELLS,)),
    *[
        Bad(f"cells-cut-{part}", cut(CELLS, part), (CELLS,))
        for part in (8, 100, 0.1, 0.5, 0.9, 0.999)
    ],
    Bad("cells-in-a-device", options(input_cells="/dev/zero"), ("/dev/zero",)),
    Bad("cells-no-nodes", lambda flow: h5py.File(flow.path(CELLS), "w").close(), (
        "nodes.h5 | no group 'nodes' | nothing",
    )),
    Bad("cells-two-populations", nodes(second_population), (
        "nodes.h5 | one population | 2: other, small",
    )),
    Bad("cells-no-mtype", column("mtype", None), ("column 'mtype' is missing",)),
    Bad("cells-no-region", column("region", None), ("column 'region' is missing",)),
    Bad("cells-no-x", column("x", None), ("column 'x' is missing",)),
    Bad("cells-renamed-mtype", nodes(lambda p: p["0"].move("mtype", "m-type")), (
        "column 'mtype' is missing", "id you mean 'm-type'",
    )),
    Bad("cells-no-group", nodes(without("0")), ("population | no group '0'",)),
    Bad("cells-numbers-as-mtypes", nodes(numbers_as_mtypes), ("column 'mtype' holds numbers",)),
    Bad("cells-nan-position", column("x", one(FEW, 3, NAN)), (
        "nodes.h5 | positions | 1 cell | finite | 3",
    )),
    Bad("cells-infinite-position", column("y", one(FEW, 0, -np.inf)), (
        "nodes.h5 | positions | 1 cell | finite | 0",
    )),
    Bad("cells-text-positions", column("x", [b"left"] * 8), (
        "nodes.h5 | positions | not numbers",
    )),
    Bad("cells-outside", column("y", one(FEW, [2, 5], 1e7)), (
        "atlas | 2 of 8 cells | outside | 2, 5",
    )),
    Bad("cells-far-outside", column("z", one(FEW, 2, 1e300)), ("1 of 8 cells | outside",)),
    Bad("cells-lengths", nodes(unlike), ("columns | different lengths", "mtype: 5")),
    Bad("cells-claiming-terabytes", nodes(huge), ("nodes.h5",)),
    Bad("cells-beyond-the-library", nodes(library_index), (
        "nodes.h5:/nodes/small | 'mtype' | 2 texts",
    )),
    Bad("cells-3d-column", column("x", np.zeros((8, 3))), (CELLS,)),
    Bad("mvd3-no-positions", mvd3(without("cells/positions")), (
        "nodes.mvd3 | no dataset 'cells/positions'",
    )),
    Bad("mvd3-flat-positions", mvd3(lambda f: (without("cells/positions")(f),
        f.create_dataset("cells/positions", data=np.zeros((8, 2))))), (
        "nodes.mvd3 | 'cells/positions' | (8, 2) | (N, 3)",
    )),
    Bad("mvd3-no-mtype", mvd3(without("cells/properties/mtype")), ("column 'mtype' is missing",
        )),
    Bad("unknown-mtype", mtypes("PC", "INN"), (
        "parameters.json | 'INN' | missing | 'default'",
        "distributions.json: the mtype 'INN'", "Did you mean 'IN'",
    )),
    Bad("unicode-mtype", mtypes("PC", "L5_\u00fc\u03a9\U0001f9e0"), (
        "'L5_\u00fc\u03a9\U0001f9e0' | missing",
    )),
    Bad("hostile-mtype", mtypes("PC", "\x1b[2J\x07"), ("\\x1b[2J", "is missing")),
    Bad("path-as-mtype", mtypes("PC", "../../x"), ("'../../x' | missing",
        )),
    Bad("empty-mtype", mtypes("PC", ""), ("mtype '' | missing",)),
    Bad("unknown-mtype-of-reconstructions", mtypes("L5_PC:A", "L1_INN"), (
        "neurondb.dat | 'L1_INN'", "'L1_IN'",
    ), "calibration"),
]  # fmt: skip

AXON_CASES = [
    Bad("axons-missing", missing("axons.tsv"), ("axons.tsv | does not exist",), "axons"),
    Bad("axons-folder", folder("axons.tsv"), ("axons.tsv: is a folder",), "axons"),
    Bad("axons-empty", text("axons.tsv", ""), ("axons.tsv | empty",), "axons"),
    Bad("axons-utf16", text("axons.tsv", "morphology".encode("utf-16")), ("not UTF-8",), "axons"),
    Bad("axons-no-column", text("axons.tsv", "name scale\n0 a 1\n"), (
        "axons.tsv | first line | 'morphology'",
    ), "axons"),
    Bad("axons-short", axons(["donor0"] * 5), (
        "axons.tsv | 3 cells | no row | 5, 6, 7",
    ), "axons"),
    Bad("axons-long", axons(["donor0"] * 9), (
        "axons.tsv | 1 id | no cell | 8",
    ), "axons"),
    Bad("axons-id-twice", rows(ids=[0, 1, 2, 3, 4, 5, 6, 6]), (
        "1 cell | no row | 7", "1 id | more than once | 6",
    ), "axons"),
    Bad("axons-negative-id", rows(ids=[-1, 1, 2, 3, 4, 5, 6, 7]), ("(ids -1)", "(ids 0)"), "axons"),
    Bad("axons-text-id", rows(ids=["first", 1, 2, 3, 4, 5, 6, 7]), (
        "axons.tsv, line 2 | 'first' | id of a cell",
    ), "axons"),
    Bad("axons-huge-id", rows(ids=["1e300", 1, 2, 3, 4, 5, 6, 7]), ("axons.tsv",), "axons"),
    *[
        Bad(f"axons-scale-{name}", rows(scales=[value] + ["1.0"] * 7), (
            "axons.tsv, line 2 | scale", value,
        ), "axons")
        for name, value in {
            "zero": "0", "negative": "-2", "infinite": "inf", "overflow": "1e999", "text": "big",
        }.items()
    ],
    *[
        Bad(f"axons-name-{label}", axons([name] + ["donor0"] * 7), (
            "axons.tsv, line 2", words,
        ), "axons")
        for label, name, words in [
            ("outside", "../../x", "leaves the folder"),
            ("absolute", "/etc/passwd", "leaves the folder"),
            ("dot", ".", "leaves the folder"),
            ("slash", "donor0/", "leaves the folder"),
            ("escape", "\x1b[31mred", "\\x1b[31mred"),
        ]
    ],
    Bad("axons-empty-names", axons(['""'] * 8), (
        "axons.tsv | 0 % | no axon for", "PC (4 of 4)",
    ), "axons"),
    Bad("axons-through-a-link", both(link("donors/away", "/"), axons(["away/etc/x"] * 8)), (
        "leaves the folder | link",
    ), "axons"),
    Bad("axons-none", axons(["N/A", "donor0"] * 4), (
        "0 % | no axon | PC | 4 of 4", "max-drop-ratio",
    ), "axons"),
    Bad("donors-missing", missing("donors"), (
        "donors | does not exist",
    ), "axons"),
    Bad("donors-file", file("donors"), ("donors", "folder"), "axons"),
    Bad("donors-not-given", options(base_morph_dir=LEFT_OUT), (
        "option base_morph_dir | needed",
    ), "axons"),
    Bad("donors-none-there", axons(["nobody"] * 8), (
        "donors | 8 of 8 cells | absent | nobody",
    ), "axons"),
    *[
        Bad(f"donor-cut-{part}", both(axons(["donor0"] * 8), cut("donors/donor0.h5", part)), (
            "donors/donor0.h5",
        ), "axons")
        for part in (0, 100, 0.3, 0.7, 0.99)
    ],
    Bad("donor-noise", both(axons(["donor0"] * 8), noise("donors/donor0.h5")), (
        "donors/donor0.h5",
    ), "axons"),
    Bad("donor-folder", both(axons(["donor0"] * 8), folder("donors/donor0.h5")), (
        "donor0",
    ), "axons"),
    Bad("donor-secret", both(axons(["donor0"] * 8), secret("donors/donor0.h5")), (
        "donor0",
    ), "axons", humble=True),
]  # fmt: skip

TABLES = [*CELLS_CASES, *AXON_CASES]
