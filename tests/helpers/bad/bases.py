"""The kinds of small flows that bad inputs are made from, and ways to spoil their files."""

import json
import shutil

import h5py
import numpy as np

from helpers.atlas_factory import VOXEL, load_raw, save_volume
from helpers.flow_factory import make_flow
from helpers.nested import LEFT_OUT, set_at

NAN = float("nan")


def make_bases(folder):
    """{kind: Flow} of all kinds."""
    folder.mkdir(parents=True, exist_ok=True)
    makers = {"plain": plain, "meshes": meshes, "axons": axons, "calibration": calibration}
    return {kind: maker(folder / kind) for kind, maker in makers.items()}


def plain(folder):
    return make_flow(folder)


def meshes(folder):
    """A boundary that is a box around all, one of a folder of meshes, and a direction."""
    import trimesh

    flow = make_flow(folder)
    box = trimesh.creation.box(bounds=[[-500, -500, -500], [900, 1700, 900]])
    box.export(flow.path("atlas", "box.obj"))
    flow.path("atlas", "balls").mkdir()
    for i in range(2):
        ball = trimesh.creation.icosphere(subdivisions=1, radius=30.0)
        ball.apply_translation([300 * i, 0, 0])
        ball.export(flow.path("atlas", "balls", f"ball{i}.stl"))
    sections = {"neurite_types": ["basal_dendrite"], "params_section": {"d_min": 5, "d_max": 50}}
    edit_structure(
        flow,
        lambda structure: structure["COL"].update(
            boundaries=[
                {"path": "box.obj", "mode": "repulsive", "mesh_type": "spatial", **sections},
                {"path": "balls", "multimesh_mode": "closest", "mesh_type": "spatial", **sections},
            ],
            directions=[
                {
                    "neurite_types": ["basal_dendrite"],
                    "params": {"direction": [0, 1, 0], "mode": "perpendicular", "power": 2.0},
                }
            ],
        ),
    )
    return flow


def axons(folder):
    """An axon is grafted on every cell."""
    from helpers.factories import random_morphology
    from region_grower_flow.io.morphologies import write_morphology
    from region_grower_flow.morphology import AXON

    flow = make_flow(folder, morph_axon="axons.tsv", base_morph_dir="donors")
    flow.path("donors").mkdir()
    for i in range(2):
        donor = random_morphology(seed=i, trees=((AXON, 5), (3, 3)))
        write_morphology(flow.path("donors"), f"donor{i}", donor, ["h5"])
    write_axons(flow, [f"donor{i % 2}" for i in range(8)])
    return flow


def write_axons(flow, names, scales=None, ids=None):
    scales = scales or ["1.0"] * len(names)
    rows = zip(ids or range(len(names)), names, scales, strict=True)
    lines = ["morphology scale", *(f"{i} {name} {scale}" for i, name, scale in rows)]
    flow.path("axons.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def calibration(folder):
    """Parameters and distributions are made from reconstructions."""
    from helpers.reference_cells import INTERNEURON, PYRAMIDAL, write_dataset

    flow = make_flow(folder)
    write_dataset(flow.folder)
    for name in ("tmd_parameters", "tmd_distributions"):
        del flow.options[name]
    flow.options.update(morphologies_dir="cells", dat_file="neurondb.dat")
    change_nodes(flow, lambda nodes: set_mtypes(nodes, [PYRAMIDAL, INTERNEURON] * 4))
    return flow


# Ways to spoil a flow: each gives a function of the flow.


def options(**values):
    """Other options."""

    def spoil(flow):
        for name, value in values.items():
            if value is LEFT_OUT:
                flow.options.pop(name, None)
            else:
                flow.options[name] = value

    return spoil


def text(name, content):
    """A file with this text (or bytes)."""

    def spoil(flow):
        path = flow.path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())

    return spoil


def missing(name):
    """No such file or folder."""

    def spoil(flow):
        path = flow.path(name)
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return spoil


def folder(name):
    """A folder in place of a file."""

    def spoil(flow):
        missing(name)(flow)
        flow.path(name).mkdir()

    return spoil


def file(name):
    """A file in place of a folder."""

    def spoil(flow):
        missing(name)(flow)
        flow.path(name).write_text("not a folder")

    return spoil


def cut(name, part):
    """The first part (a ratio, or a number of bytes) of a file."""

    def spoil(flow):
        path = flow.path(name)
        content = path.read_bytes()
        size = int(len(content) * part) if isinstance(part, float) else part
        path.write_bytes(content[:size])

    return spoil


def noise(name):
    """Random bytes in the middle of a file."""

    def spoil(flow):
        path = flow.path(name)
        content = bytearray(path.read_bytes())
        rng = np.random.default_rng(0)
        half = len(content) // 2
        content[8:half] = rng.integers(0, 256, half - 8, dtype=np.uint8).tobytes()
        path.write_bytes(content)

    return spoil


def link(name, target):
    """A symbolic link in place of a file or a folder."""

    def spoil(flow):
        path = flow.path(name)
        if path.exists():
            missing(name)(flow)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)

    return spoil


def secret(name):
    """A file or folder without any permission."""

    def spoil(flow):
        flow.path(name).chmod(0)

    return spoil


def both(*spoilers):
    """Several at once."""

    def spoil(flow):
        for one in spoilers:
            one(flow)

    return spoil


def at(name, keys, value):
    """Another value at a key of a JSON file, of the pyramidal cell unless ``keys`` start at all."""

    def spoil(flow):
        content = flow.json(name)
        set_at(content, keys, value)
        flow.path(name).write_text(json.dumps(content))

    return spoil


def params(*keys, value):
    return at("parameters.json", ("default", "PC", *keys), value)


def distribs(*keys, value):
    return at("distributions.json", ("default", "PC", *keys), value)


def edit_structure(flow, change):
    import yaml

    path = flow.path("atlas", "region_structure.yaml")
    content = yaml.safe_load(path.read_text())
    change(content)
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def structure(*keys, value):
    """Another value at a key of the region structure's only region."""

    return lambda flow: edit_structure(flow, lambda all_: set_at(all_["COL"], keys, value))


def volume(name, change):
    """Another array in a volume of the atlas."""

    def spoil(flow):
        path = flow.path("atlas", f"{name}.nrrd")
        save_volume(path, change(np.array(load_raw(path))), voxel=VOXEL)

    return spoil


def change_nodes(flow, change):
    with h5py.File(flow.path("nodes.h5"), "r+") as file_:
        change(file_["nodes/small"])


def nodes(change):
    """A change of the population of nodes.h5."""
    return lambda flow: change_nodes(flow, change)


def column(name, values, **keywords):
    """Other values in a column of nodes.h5 (none: the column is taken away)."""

    def change(population):
        del population["0"][name]
        if values is not None:
            population["0"].create_dataset(name, data=values, **keywords)

    return nodes(change)


def set_mtypes(population, names):
    group = population["0"]
    for place in ("mtype", "@library/mtype"):
        if place in group:
            del group[place]
    group.create_dataset("mtype", data=names, dtype=h5py.string_dtype())


def mtypes(*names):
    """Other mtypes of the 8 cells, in turn."""
    wanted = [names[i % len(names)] for i in range(8)]
    return nodes(lambda population: set_mtypes(population, wanted))


def all_nan(raw):
    raw = raw.astype(np.float32)
    raw[...] = NAN
    return raw
