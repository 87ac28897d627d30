"""Edits between two runs: the second one gives what a run in empty folders gives.

One row an edit, of inputs, options, outputs and the work folder; the edits follow each other in one
project, as a user's do. A row may also be refused, in a sentence, where it says so.
"""

import json
import os
import shutil

import h5py
import numpy as np
import pytest
import yaml

from helpers.rich_flow import (
    change_volume,
    clean_outputs,
    differing,
    make_rich_flow,
    outputs_of,
    text_of,
    write_donors,
)

pytestmark = pytest.mark.slow

THOROUGH = "RGF_STRESS" in os.environ

EDITS = {}
"""{name: (function of a Flow, words of the refusal or None)}."""


def edit(name, refused=None, stress=False):
    """Add a row; those with ``stress`` are made where RGF_STRESS asks for all."""

    def add(function):
        assert name not in EDITS
        if THOROUGH or not stress:
            EDITS[name] = function, refused
        return function

    return add


def options(name, stress=False, **changed):
    edit(name, stress=stress)(lambda flow: flow.options.update(changed))


def keeping_time(path, change):
    """Apply a change, then give the file the time of change that it had."""
    before = path.stat()
    change(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace(flow, name, old, new):
    path = flow.path(name)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def structure(flow, change):
    path = flow.path("atlas", "region_structure.yaml")
    content = yaml.safe_load(path.read_text())
    change(content["COL"])
    path.write_text(yaml.safe_dump(content, sort_keys=False))


def nodes(flow, change):
    with h5py.File(flow.path("nodes.h5"), "r+") as file:
        change(next(iter(file["nodes"].values()))["0"])


# Parameters and distributions.


@edit("parameters: another value of the same size and time")
def _(flow):
    keeping_time(flow.path("parameters.json"), lambda p: swap_text(p, "0.24", "0.44"))


def swap_text(path, old, new):
    path.write_text(path.read_text().replace(old, new))


@edit("parameters: another file with cp -p")
def _(flow):
    other = flow.path("variant.json")
    other.write_text(flow.path("parameters.json").read_text().replace("0.14", "0.34"))
    times = flow.path("parameters.json").stat()
    os.utime(other, ns=(times.st_atime_ns, times.st_mtime_ns))
    shutil.copy2(other, flow.path("parameters.json"))


@edit("parameters: touched", stress=True)
def _(flow):
    os.utime(flow.path("parameters.json"))


@edit("parameters: of one mtype")
def _(flow):
    flow.edit(
        "parameters.json", lambda c: c["default"]["IN"]["basal_dendrite"].update(randomness=0.3)
    )


@edit("parameters: written with other spaces", stress=True)
def _(flow):
    flow.path("parameters.json").write_text(json.dumps(flow.json("parameters.json"), indent=3))


@edit("distributions: another soma")
def _(flow):
    flow.edit(
        "distributions.json", lambda c: c["default"]["PC"]["soma"]["size"]["norm"].update(mean=8.0)
    )


@edit("distributions: a link to another file")
def _(flow):
    flow.path("distributions.json").rename(flow.path("variant.json"))
    swap_text(flow.path("variant.json"), '"mean": 8.0', '"mean": 9.0')
    flow.path("distributions.json").symlink_to("variant.json")


@edit("distributions: the link leads elsewhere")
def _(flow):
    other = flow.path("another.json")
    other.write_text(flow.path("variant.json").read_text().replace('"mean": 9.0', '"mean": 6.0'))
    flow.path("distributions.json").unlink()
    flow.path("distributions.json").symlink_to("another.json")


# Cells.


@edit("cells: moved, same size and time")
def _(flow):
    def move(path):
        nodes(flow, lambda group: group["y"].write_direct(group["y"][:] - 60.0))

    keeping_time(flow.path("nodes.h5"), move)


@edit("cells: moved back, in part", stress=True)
def _(flow):
    nodes(flow, lambda group: group["y"].write_direct(group["y"][:] + np.arange(8.0)))


@edit("cells: fewer, in another order")
def _(flow):
    from voxcell import CellCollection

    cells = CellCollection.load_sonata(str(flow.path("nodes.h5")))
    kept = cells.properties.index[[3, 1, 0, 5, 6, 2, 7]]
    positions = cells.positions[[i - 1 for i in kept] if cells.properties.index[0] else list(kept)]
    other = CellCollection(cells.population_name)
    other.positions, other.orientations = positions, np.tile(np.eye(3), (7, 1, 1))
    other.properties = cells.properties.loc[kept].reset_index(drop=True)
    flow.path("nodes.h5").unlink()
    other.save_sonata(str(flow.path("nodes.h5")))
    lines = flow.path("axons.tsv").read_text().splitlines()
    flow.path("axons.tsv").write_text("\n".join(lines[:8]) + "\n")


@edit("cells: one column more", stress=True)
def _(flow):
    nodes(flow, lambda group: group.create_dataset("layer", data=np.arange(7)))


@edit("cells: y in another file", refused=r"nodes\.h5: .*is a link to another file")
def _(flow):
    shutil.copy(flow.path("nodes.h5"), flow.path("big.h5"))

    def link(group):
        place = group["y"].name
        del group["y"]
        group["y"] = h5py.ExternalLink("big.h5", place)

    nodes(flow, link)


@edit("cells: whole again")
def _(flow):
    flow.path("nodes.h5").unlink()
    flow.path("big.h5").rename(flow.path("nodes.h5"))


# Atlas and space.


@edit("atlas: orientations at all voxels", stress=True)
def _(flow):
    def turn(raw):
        raw[0], raw[2] = np.cos(0.1), np.sin(0.1)

    change_volume(flow.path("atlas", "orientation.nrrd"), turn)


@edit("atlas: orientations away from the somata, along which directions lead")
def _(flow):
    def turn(raw):
        raw[:, :, :6] = np.array([np.cos(0.4), np.sin(0.4), 0, 0])[:, None, None, None]
        raw[:, :, 8:] = np.array([np.cos(0.4), np.sin(0.4), 0, 0])[:, None, None, None]

    change_volume(flow.path("atlas", "orientation.nrrd"), turn)


@edit(
    "atlas: values of orientations in another file", refused=r"orientation\.nrrd: a detached header"
)
def _(flow):
    path = flow.path("atlas", "orientation.nrrd")
    shutil.copy(path, flow.path("kept.nrrd"))
    head = path.read_bytes().split(b"\n\n")[0].decode()
    flow.path("atlas", "orientation.raw").write_bytes(bytes(4 * 4 * 12 * 4 * 4))
    path.write_text(
        head.replace("encoding: gzip", "encoding: raw") + "\ndata file: orientation.raw\n"
    )


@edit("atlas: orientations whole again")
def _(flow):
    flow.path("kept.nrrd").replace(flow.path("atlas", "orientation.nrrd"))


@edit("atlas: bounds of a layer")
def _(flow):
    change_volume(flow.path("atlas", "[PH]1.nrrd"), lambda raw: raw.__setitem__(0, raw[0] - 10))


@edit("atlas: heights", stress=True)
def _(flow):
    change_volume(flow.path("atlas", "[PH]y.nrrd"), lambda raw: raw.__iadd__(5))


@edit("atlas: names in the hierarchy", stress=True)
def _(flow):
    replace(flow, "atlas/hierarchy.json", '"name": "column"', '"name": "pillar"')


@edit("structure: thickness of a layer")
def _(flow):
    structure(flow, lambda column: column["thicknesses"].update({2: 410.0}))


@edit("structure: a direction")
def _(flow):
    structure(flow, lambda column: column["directions"][0]["params"].update(power=3.0))


@edit("structure: a boundary")
def _(flow):
    structure(flow, lambda column: column["boundaries"][0]["params_section"].update(d_max=80))


@edit("structure: a comment", stress=True)
def _(flow):
    path = flow.path("atlas", "region_structure.yaml")
    path.write_text("# as it was\n" + path.read_text())


def box(path, lower=(50, 300, 50), upper=(350, 1100, 350)):
    import trimesh

    trimesh.creation.box(bounds=[lower, upper]).export(path)


@edit("mesh: another one in its place", stress=True)
def _(flow):
    box(flow.path("atlas", "box.obj"))


@edit("mesh: another one of the same time")
def _(flow):
    keeping_time(flow.path("atlas", "box.obj"), lambda path: box(path, (40, 300, 40)))


@edit("mesh: in another place of the structure")
def _(flow):
    flow.path("atlas", "meshes").mkdir()
    flow.path("atlas", "box.obj").rename(flow.path("atlas", "meshes", "hull.obj"))
    structure(flow, lambda column: column["boundaries"][0].update(path="meshes/hull.obj"))


@edit("mesh: in a folder, another one")
def _(flow):
    ball = sorted(flow.path("atlas", "balls").iterdir())[0]
    import trimesh

    mesh = trimesh.load_mesh(ball)
    mesh.apply_translation([0, 700, 0])
    mesh.export(ball)


@edit("mesh: in a folder, one less", stress=True)
def _(flow):
    sorted(flow.path("atlas", "balls").iterdir())[1].unlink()


@edit("another atlas folder with another mesh")
def _(flow):
    shutil.copytree(flow.path("atlas"), flow.path("atlas2"), copy_function=shutil.copy2)
    box(flow.path("atlas2", "meshes", "hull.obj"), (0, 200, 0))
    flow.options.update(atlas="atlas2", region_structure="atlas2/region_structure.yaml")


@edit("the first atlas folder again")
def _(flow):
    flow.options.update(atlas="atlas", region_structure="atlas/region_structure.yaml")


# Axons.


@edit("axons: others in the table")
def _(flow):
    lines = flow.path("axons.tsv").read_text().splitlines()
    names = {"donor0": "donor1", "donor1": "donor0"}
    lines[1:4] = [" ".join([w[0], names[w[1]], w[2]]) for w in map(str.split, lines[1:4])]
    flow.path("axons.tsv").write_text("\n".join(lines) + "\n")


@edit("axons: another scale", stress=True)
def _(flow):
    replace(flow, "axons.tsv", " 1.0", " 1.3")


@edit("axons: other donors in their place, same times")
def _(flow):
    for path in sorted(flow.path("donors").iterdir()):
        keeping_time(path, lambda path: None)
    times = {p.name: p.stat() for p in flow.path("donors").iterdir()}
    write_donors(flow.path("donors"), seed=10)
    for name, known in times.items():
        os.utime(flow.path("donors", name), ns=(known.st_atime_ns, known.st_mtime_ns))


@edit("axons: donors change places")
def _(flow):
    a, b = (flow.path("donors", f"donor{i}.h5") for i in range(2))
    a.rename(flow.path("c"))
    b.rename(a)
    flow.path("c").rename(b)


@edit("axons: another folder of donors")
def _(flow):
    flow.path("donors2").mkdir()
    write_donors(flow.path("donors2"), seed=20)
    flow.options.update(base_morph_dir="donors2")


@edit("axons: the donors are gone", refused="axons that are absent|More than 50%")
def _(flow):
    flow.path("donors2", "donor1.h5").rename(flow.path("kept.h5"))
    flow.path("donors2", "donor0.h5").rename(flow.path("kept0.h5"))


@edit("axons: it is there again")
def _(flow):
    flow.path("kept.h5").rename(flow.path("donors2", "donor1.h5"))
    flow.path("kept0.h5").rename(flow.path("donors2", "donor0.h5"))


@edit("axons: another table")
def _(flow):
    text = flow.path("axons.tsv").read_text()
    flow.path("axons2.tsv").write_text(text.replace("donor0", "donor1"))
    flow.options.update(morph_axon="axons2.tsv")


@edit("no axons")
def _(flow):
    del flow.options["morph_axon"], flow.options["base_morph_dir"]


# Options that name files: a file of another name, with another content.


@edit("option: other parameters")
def _(flow):
    text = flow.path("parameters.json").read_text()
    flow.path("parameters2.json").write_text(text.replace("0.34", "0.2"))
    flow.options.update(tmd_parameters="parameters2.json")


@edit("option: other distributions")
def _(flow):
    text = flow.path("distributions.json").read_text()
    flow.path("distributions2.json").write_text(text.replace('"mean": 6.0', '"mean": 7.5'))
    flow.options.update(tmd_distributions="distributions2.json")


@edit("option: other cells")
def _(flow):
    shutil.copy2(flow.path("nodes.h5"), flow.path("nodes2.h5"))
    with h5py.File(flow.path("nodes2.h5"), "r+") as file:
        next(iter(file["nodes"].values()))["0/x"][...] += 20
    flow.options.update(input_cells="nodes2.h5")


@edit("option: another structure")
def _(flow):
    text = flow.path("atlas", "region_structure.yaml").read_text()
    flow.path("atlas", "structure2.yaml").write_text(text.replace("410.0", "390.0"))
    flow.options.update(region_structure="atlas/structure2.yaml")


@edit("option: the same files by absolute names")
def _(flow):
    for name in ("tmd_parameters", "input_cells", "region_structure"):
        flow.options[name] = str(flow.path(flow.options[name]))


@edit("option: and by relative ones")
def _(flow):
    for name in ("tmd_parameters", "input_cells", "region_structure"):
        flow.options[name] = os.path.relpath(flow.options[name], flow.folder)


options("option: another seed", seed=5)
options("option: the first seed", seed=1)
options("option: hard limits", stress=True, min_hard_scale=0.4)
options("option: depths", stress=True, min_depth=300.0)
options("option: one format", out_morph_ext="h5")
options("option: three formats", out_morph_ext="h5,swc,asc")
options("option: chunks", chunksize=3)
options("option: blocks", stress=True, block_size=1)


@edit("option: no container")
def _(flow):
    flow.options.update(container_path="")


options("option: a container again", container_path="out/container.h5")
options("option: indices of NEURON", stress=True, out_apical_nrn_sections="out/sections.yaml")
options("option: debug data", stress=True, out_debug_data="out/debug.jsonl")
options("option: all failures allowed", stress=True, max_failure_ratio=1)


@edit("option: other places of outputs")
def _(flow):
    flow.options.update(
        out_cells="elsewhere/nodes.h5",
        out_morph_dir="elsewhere/morphologies",
        out_apical="elsewhere/apical.yaml",
        container_path="elsewhere/container.h5",
        circuit_config="elsewhere/circuit.json",
        out_apical_nrn_sections="elsewhere/sections.yaml",
        out_debug_data="elsewhere/debug.jsonl",
    )
    shutil.rmtree(flow.path("out"))


@edit("option: another work folder, the same outputs", refused="does not know")
def _(flow):
    flow.options.update(work_dir="work2")


@edit("option: another work folder, which overwrites")
def _(flow):
    flow.options.update(overwrite="true", seed=6)


@edit("option: the first work folder, other seed, same outputs")
def _(flow):
    flow.options.update(work_dir="work", seed=7)


@edit("option: nothing is overwritten")
def _(flow):
    del flow.options["overwrite"]


# Outputs and the work folder.


def morphology(flow, place=0):
    return sorted(flow.path("elsewhere", "morphologies").rglob("*.h5"))[place]


@edit("output: a table is deleted")
def _(flow):
    flow.path("elsewhere", "apical.yaml").unlink()


@edit("output: a table is edited, same size and time")
def _(flow):
    def spoil(path):
        path.write_bytes(path.read_bytes()[::-1])

    keeping_time(flow.path("elsewhere", "nodes_ids.csv"), spoil)


@edit("output: the container is edited")
def _(flow):
    with open(flow.path("elsewhere", "container.h5"), "r+b") as file:
        file.seek(3000)
        file.write(b"edited")


@edit("output: a morphology is edited, same size and time")
def _(flow):
    def spoil(path):
        with open(path, "r+b") as file:
            file.seek(-40, 2)
            file.write(b"edited")

    keeping_time(morphology(flow), spoil)


@edit("output: a morphology is edited, then deleted")
def _(flow):
    path = morphology(flow)
    with open(path, "r+b") as file:
        file.seek(-40, 2)
        file.write(b"edited")
    path.unlink()


@edit("output: the folder is removed, a staged morphology has become zeros")
def _(flow):
    name = morphology(flow, 2).name
    shutil.rmtree(flow.path("elsewhere"))
    staged = next(flow.path("work", "morphologies").rglob(name))
    staged.write_bytes(bytes(staged.stat().st_size))


@edit("work: the table of a chunk is edited, an output deleted")
def _(flow):
    table = sorted(flow.path("work", "chunks").iterdir())[0]
    records = [json.loads(line) for line in table.read_text().splitlines()]
    next(r for r in records if r["apical_points"])["apical_points"][0][1] = 99.0
    table.write_text("".join(json.dumps(r) + "\n" for r in records))
    flow.path("elsewhere", "apical.yaml").unlink()


@edit("work: the table of a chunk is a folder")
def _(flow):
    table = sorted(flow.path("work", "chunks").iterdir())[0]
    table.unlink()
    table.mkdir()


@edit("work: the cell table is cut, other seed")
def _(flow):
    os.truncate(flow.path("work", "cells.h5"), 4000)
    flow.options.update(seed=8)


@edit("work: its memory of digests says other digests")
def _(flow):
    path = flow.path("work", "digests.json")
    content = json.loads(path.read_text())
    digests = [known[-1] for known in content["files"].values()]
    for known, digest in zip(content["files"].values(), digests[1:] + digests[:1], strict=True):
        known[-1] = digest
    path.write_text(json.dumps(content))


@edit("work: all manifests are gone")
def _(flow):
    for path in flow.path("work", "manifests").glob("*.json"):
        path.unlink()


@edit("work: the listing names files outside, and is damaged, other seed")
def _(flow):
    flow.path("keep.txt").write_text("mine")
    for path in flow.path("work", "manifests").glob("morphologies*.txt"):
        path.write_text(path.read_text() + "../../keep.txt\t4\t1\t0\t0\t0\n")
    flow.options.update(seed=9)


@edit("work and outputs: everything is gone")
def _(flow):
    assert flow.path("keep.txt").read_text() == "mine"
    for name in ("work", "out", "elsewhere"):
        shutil.rmtree(flow.path(name), ignore_errors=True)


@edit("the project is moved")
def _(flow):
    moved = flow.folder.with_name("moved")
    flow.folder.rename(moved)
    flow.folder = moved
    flow.options.update(seed=10)


@edit("the project is copied, and its mesh is edited")
def _(flow):
    copy = flow.folder.with_name("copied")
    shutil.copytree(flow.folder, copy, copy_function=shutil.copy2, symlinks=True)
    flow.folder = copy
    box(flow.path("atlas", "meshes", "hull.obj"), (20, 250, 20))


def test_there_are_many_edits():
    assert len(EDITS) >= 60


@pytest.mark.longest
@pytest.mark.timeout(3600)
def test_each_edit_gives_what_a_clean_run_gives(tmp_path, kernels):
    flow = make_rich_flow(tmp_path / "project" / "flow")
    run(flow)
    for name, (change, refused) in EDITS.items():
        change(flow)
        process = flow.luigi()
        text = text_of(process)
        assert "Traceback" not in text, f"{name}: {text}"
        if refused is not None:
            wrong = told_in_words(process, refused)
            assert wrong is None, f"{name}: {wrong}"
            continue
        assert process.returncode == 0, f"{name}: {text}"
        clean = clean_outputs(flow, tmp_path / "clean" / "flow")
        assert differing(outputs_of(flow), clean) == [], f"{name}: silently wrong"


def told_in_words(process, words):
    import re

    if process.returncode == 0 or not re.search(words, text_of(process)):
        return f"not refused in its words: exit {process.returncode}, {text_of(process)[-1500:]}"
    return None


def run(flow):
    process = flow.luigi()
    assert process.returncode == 0, text_of(process)
