"""Bad atlases, region structures and meshes."""

import math

import h5py
import numpy as np

from helpers.bad.bases import (
    NAN,
    all_nan,
    both,
    cut,
    file,
    folder,
    link,
    missing,
    nodes,
    noise,
    options,
    secret,
    structure,
    text,
    volume,
)
from helpers.bad.harness import Bad
from helpers.nested import LEFT_OUT

STRUCTURE = "atlas/region_structure.yaml"
VOLUMES = ("brain_regions", "orientation", "[PH]y", "[PH]1", "[PH]2")
INFINITE = math.inf


def rim_only(raw):
    return raw[:, :-1]


def no_payload(raw):
    return raw[..., 0]


def fortran_like(raw):
    return np.moveaxis(raw, -1, 0).copy() if raw.ndim > 3 else raw[..., None]


def coarser(name):
    def spoil(flow):
        from helpers.atlas_factory import load_raw, save_volume

        path = flow.path("atlas", f"{name}.nrrd")
        save_volume(path, load_raw(path), voxel=50.0)

    return spoil


def shifted(name):
    def spoil(flow):
        from helpers.atlas_factory import load_raw, save_volume

        path = flow.path("atlas", f"{name}.nrrd")
        save_volume(path, load_raw(path), offset=(0.0, 1e6, 0.0))

    return spoil


def header(name, old, new):
    """Another line in the header of a volume."""

    def spoil(flow):
        path = flow.path("atlas", f"{name}.nrrd")
        content = path.read_bytes()
        assert old in content
        path.write_bytes(content.replace(old, new, 1))

    return spoil


def _volume_cases():
    for name in VOLUMES:
        path = f"atlas/{name}.nrrd"
        label = name.strip("[]").replace("]", "")
        yield Bad(f"{label}-missing", missing(path), (name,))
        yield Bad(f"{label}-folder", folder(path), (name,))
        yield Bad(f"{label}-empty", text(path, ""), (path,))
        yield Bad(f"{label}-text", text(path, "no volume"), (path,))
        yield Bad(f"{label}-cut-header", cut(path, 60), (path,))
        yield Bad(f"{label}-cut-data", cut(path, 0.8), (path,))
    for name in VOLUMES[1:]:
        label = name.strip("[]").replace("]", "")
        yield Bad(f"{label}-smaller", volume(name, rim_only), (
            f"the volume {name!r} | 4 x 11 x 4 voxels | 'brain_regions' | 4 x 12 x 4",
        ))  # fmt: skip
        yield Bad(f"{label}-nan", volume(name, all_nan), ("NaN | 8 of 8 cells", "atlas"))


def mesh(content):
    return text("atlas/box.obj", content)


def boundary(index, key, value):
    return structure("boundaries", index, key, value=value)


def direction(key, value):
    return structure("directions", 0, "params", key, value=value)


def open_box(flow):
    import trimesh

    box = trimesh.creation.box(extents=(100, 100, 100))
    box.update_faces(np.arange(len(box.faces)) > 2)
    box.export(flow.path("atlas", "balls", "open.stl"))


def _number_cases():
    for name, value in {"nan": NAN, "infinite": INFINITE, "negative": -3.0}.items():
        yield Bad(f"thickness-{name}", structure("thicknesses", 2, value=value), (
            STRUCTURE, "COL -> thicknesses -> 2",
        ))  # fmt: skip
        yield Bad(f"direction-power-{name}", direction("power", value), (
            STRUCTURE, "directions", "power",
        ), "meshes")  # fmt: skip
        yield Bad(f"boundary-d_max-{name}", boundary(0, "params_section", {"d_max": value}), (
            STRUCTURE, "boundaries", "d_max",
        ), "meshes")  # fmt: skip
    for name, value in {"nan": NAN, "infinite": INFINITE}.items():
        yield Bad(f"direction-vector-{name}", direction("direction", [0.0, value, 0.0]), (
            STRUCTURE, "direction",
        ), "meshes")  # fmt: skip
        yield Bad(f"boundary-d_min-{name}", boundary(0, "params_trunk", {"d_min": value}), (
            STRUCTURE, "boundaries", "d_min",
        ), "meshes")  # fmt: skip


def detached(flow):
    """The volumes as headers (.nhdr) with files of values."""
    import nrrd

    for path in flow.path("atlas").glob("*.nrrd"):
        values, header = nrrd.read(str(path))
        header["encoding"] = "raw"
        nrrd.write(str(path.with_suffix(".nhdr")), values, header, detached_header=True)
        path.unlink()


def rewritten(change):
    """All volumes with another header: ``change`` gets it as a dict, and gives it."""

    def spoil(flow):
        import nrrd

        for path in flow.path("atlas").glob("*.nrrd"):
            values, header = nrrd.read(str(path))
            nrrd.write(str(path), values, change(dict(header)))

    return spoil


def scaled(header):
    directions = np.array(header["space directions"], dtype=float)
    return {**header, "space directions": directions / 1000}


def without_sizes(header):
    return {name: value for name, value in header.items() if name != "space directions"}


def exchanged(first, second):
    """Each of two volumes under the name of the other."""

    def spoil(flow):
        one, other = (flow.path("atlas", f"{name}.nrrd") for name in (first, second))
        content = one.read_bytes()
        one.write_bytes(other.read_bytes())
        other.write_bytes(content)

    return spoil


def turned(raw):
    return raw[..., ::-1]


def renamed(old, new):
    return lambda flow: flow.path("atlas", old).rename(flow.path("atlas", new))


def in_a_list(*more):
    """The hierarchy as a list of its root, stripped of children, and of other regions."""

    def spoil(flow):
        root = flow.json("atlas/hierarchy.json")
        flow.write_json("atlas/hierarchy.json", [{**root, "children": []}, *more])

    return spoil


def without_regions(population):
    group = population["0"]
    for place in ("region", "@library/region"):
        if place in group:
            del group[place]
    group.create_dataset("region", data=[""] * 8, dtype=h5py.string_dtype())


SPACE = [
    *_volume_cases(),
    *_number_cases(),
    # Atlases as others write them
    Bad("volumes-detached", detached, ("no volumes | There is | .nhdr: write header and values",)),
    Bad("volume-nifti", renamed("[PH]y.nrrd", "[PH]y.nii.gz"), (
        "no volume '[PH]y' | There is [PH]y.nii.gz: convert it to NRRD",
    )),
    Bad("volumes-without-sizes", rewritten(without_sizes), (
        "atlas: (6 volumes: | and 3 more) its header has neither | Write the size of its voxels",
    )),
    Bad("volumes-in-mm", rewritten(scaled), (
        "8 of 8 cells are outside the atlas | Is the header of the atlas in um?",
    )),
    Bad("hierarchy-name", renamed("hierarchy.json", "1.json"), (
        "hierarchy.json: | not exist | 1.json | Name it hierarchy.json",
    )),
    Bad("hierarchy-regions", in_a_list({"id": 9, "acronym": "X", "name": "x", "children": []}), (
        "hierarchy.json: holds a list of regions (2) | all others below it as 'children'",
    )),
    Bad("layers-turned", both(*(volume(f"[PH]{n}", turned) for n in (1, 2, 3))), (
        "bounds of layer 2 | order | 8 cells | lower one first",
    )),
    Bad("layers-exchanged", exchanged("[PH]1", "[PH]3"), (
        "8 of 8 cells | 50 um above | first layer",
    )),
    Bad("heights-infinite", volume("[PH]y", lambda raw: raw * INFINITE), (
        "[PH]y | no value | 8 of 8 cells",
    )),
    Bad("regions-without-names", nodes(without_regions), (
        "region_structure.yaml: the region of 8 of 8 cells is empty | allow_no_layers",
    )),
    Bad("atlas-missing", missing("atlas"), ("atlas | does not exist",)),
    Bad("atlas-file", file("atlas"), ("atlas",)),
    Bad("atlas-loop", both(options(atlas="loop"), link("loop", "loop")), ("loop",)),
    Bad("atlas-elsewhere", options(atlas="http://example.org/atlas"), ("example.org/atlas",)),
    Bad("volume-secret", secret("atlas/orientation.nrrd"), ("orientation.nrrd",), humble=True),
    Bad("volume-noise", noise("atlas/[PH]2.nrrd"), ("atlas/[PH]2.nrrd",)),
    Bad("orientation-no-payload", volume("orientation", no_payload), (
        "'orientation' | 1 number | expected 4",
    )),
    Bad("layer-no-payload", volume("[PH]2", no_payload), (
        "'[PH]2' | 1 number | expected 2",
    )),
    Bad("orientation-other-axes", volume("orientation", fortran_like), ("orientation",)),
    Bad("volume-coarser", coarser("[PH]y"), ("'[PH]y' | 50, 50, 50 um",)),
    Bad("volume-shifted", shifted("orientation"), ("'orientation' | corner at",)),
    Bad("layer-infinite", volume("[PH]2", lambda raw: np.full_like(raw, INFINITE)), ("atlas",)),
    Bad("volume-huge-header", header("[PH]2", b"sizes: 2 4 12 4", b"sizes: 2 40000 12000 40000"), (
        "atlas", "[PH]2",
    )),
    Bad("all-volumes-huge", both(
        header("orientation", b"sizes: 4 4 12 4", b"sizes: 4 40000 12000 40000"),
        header("brain_regions", b"sizes: 4 12 4", b"sizes: 40000 12000 40000"),
    ), ("atlas",)),
    Bad("volume-unknown-type", header("[PH]2", b"type: float", b"type: quark"), ("[PH]2",)),
    Bad("volume-unknown-encoding", header("[PH]2", b"encoding: gzip", b"encoding: jpeg"), (
        "[PH]2",
    )),
    Bad("volume-data-elsewhere", header("[PH]2", b"encoding: gzip",
        b"encoding: gzip\ndata file: /etc/passwd"), ("[PH]2",)),
    # Region structure
    Bad("layers-unknown", both(structure("layers", value=["L1", "L2", "L3"]),
        structure("thicknesses", value={"L1": 300, "L2": 400, "L3": 500})), (
        "COL -> layers | atlas | 'L1'", "no layer 'L3'",
    )),
    Bad("layers-twice", structure("layers", value=[1, 2, 2]), ("layer 2 | twice",)),
    Bad("layers-empty", structure("layers", value=[]), ("COL -> layers",)),
    Bad("layers-text", structure("layers", value="123"), (
        'COL -> layers | list | "123"',
    )),
    Bad("layers-outside", both(structure("layers", value=["../../x", 2, 3]),
        structure("thicknesses", value={"../../x": 300, 2: 400, 3: 500})), ("'../../x'",)),
    Bad("thickness-missing", structure("thicknesses", 3, value=LEFT_OUT), (
        "COL -> thicknesses | layer 3",
    )),
    Bad("thickness-text", structure("thicknesses", 3, value="thick"), (
        "COL -> thicknesses -> 3 | a number",
    )),
    Bad("thickness-zero", structure("thicknesses", 3, value=0), ("COL -> thicknesses -> 3",)),
    Bad("thickness-order", structure("thicknesses", value={2: 400.0, 1: 300.0, 3: 500.0}), (
        "COL -> thicknesses", "layers | 1, 2, 3",
    )),
    Bad("structure-misspelt", structure("boundarys", value=[]), (
        "unknown key 'boundarys'", "Did you mean 'boundaries'",
    )),
    # Directions and boundaries
    Bad("direction-zero", direction("direction", [0, 0, 0]), ("zero vector",), "meshes"),
    Bad("direction-flat", direction("direction", [0, 1]), ("direction",), "meshes"),
    Bad("direction-mode", direction("mode", "perpendiculer"), (
        "expected 'parallel' or 'perpendicular'",
    ), "meshes"),
    Bad("direction-layers", direction("layers", [9]), ("layer 9 | has 3",),
        "meshes"),
    Bad("direction-without-params", structure("directions", 0, "params", value=LEFT_OUT), (
        "directions", "'params' is missing",
    ), "meshes"),
    Bad("boundary-no-path", boundary(0, "path", LEFT_OUT), ("'path' is missing",), "meshes"),
    Bad("boundary-number-path", boundary(0, "path", 5), ("path", "5"), "meshes"),
    Bad("boundary-mode", boundary(0, "mode", "repulsiv"), ("repulsiv",), "meshes"),
    Bad("boundary-mesh-type", boundary(0, "mesh_type", "pixel"), ("pixel",), "meshes"),
    Bad("boundary-multimesh", boundary(1, "multimesh_mode", "nearest"), ("nearest",), "meshes"),
    Bad("boundary-tries", boundary(0, "params_section", {"max_tries": 10**12}), ("max_tries",),
        "meshes"),
    Bad("boundary-no-tries", boundary(0, "params_section", {"max_tries": 0}), ("max_tries",),
        "meshes"),
    Bad("boundary-distances", boundary(0, "params_section", {"d_min": 50, "d_max": 5}), (
        "'d_max' | greater | 'd_min'",
    ), "meshes"),
    Bad("mesh-missing", missing("atlas/box.obj"), ("box.obj", "does not exist"), "meshes"),
    Bad("mesh-empty", mesh(""), ("box.obj",), "meshes"),
    Bad("mesh-text", mesh("hello\n"), ("box.obj",), "meshes"),
    Bad("mesh-binary", mesh(bytes(range(256)) * 20), ("box.obj",), "meshes"),
    Bad("mesh-points-only", mesh("v 0 0 0\nv 1 1 1\n"), ("box.obj",), "meshes"),
    Bad("mesh-nan", mesh("v 0 0 nan\nv 1 0 0\nv 0 1 0\nf 1 2 3\n"), (
        "box.obj | no triangles",
    ), "meshes"),
    Bad("mesh-face-beyond", mesh("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 99\n"), ("box.obj",), "meshes"),
    Bad("mesh-unknown-kind", boundary(0, "path", "region_structure.yaml"), (
        "region_structure.yaml", "mesh",
    ), "meshes"),
    Bad("mesh-link-loop", link("atlas/box.obj", "box.obj"), ("box.obj",), "meshes"),
    Bad("meshes-missing", missing("atlas/balls"), ("balls",), "meshes"),
    Bad("meshes-empty", both(missing("atlas/balls"), lambda flow: flow.path("atlas/balls").mkdir()),
        ("balls",), "meshes"),
    Bad("meshes-one-damaged", text("atlas/balls/ball1.stl", "solid nothing"), ("ball1.stl",),
        "meshes"),
    Bad("meshes-cut", cut("atlas/balls/ball1.stl", 0.5), ("ball1.stl",), "meshes"),
    Bad("meshes-open", both(open_box, boundary(1, "multimesh_mode", "inside")), (
        "open.stl | not closed",
    ), "meshes"),
    Bad("meshes-of-territories", boundary(1, "multimesh_mode", "territories"), (
        "glomeruli_000.obj",
    ), "meshes"),
]  # fmt: skip
