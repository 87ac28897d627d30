"""A small flow that uses much: a mesh, a direction, axons, a container, two formats."""

import hashlib
import shutil
import subprocess

import numpy as np

from helpers.bad.bases import meshes, write_axons
from helpers.factories import random_morphology
from helpers.flow_factory import Flow
from region_grower_flow.io.morphologies import write_morphology
from region_grower_flow.morphology import AXON

OUTPUTS = ("work", "out", "elsewhere", "work2")
DONORS = 2


def make_rich_flow(folder, **more):
    """Write its inputs: 8 cells, which grow within a second or two."""
    flow = meshes(folder)
    flow.options.update(
        morph_axon="axons.tsv",
        base_morph_dir="donors",
        container_path="out/container.h5",
        circuit_config="out/circuit.json",
        out_morph_ext="h5,swc",
    )
    flow.path("donors").mkdir()
    write_donors(flow.path("donors"))
    write_axons(flow, [f"donor{i % DONORS}" for i in range(8)])
    flow.options.update(more)
    return flow


def write_donors(folder, seed=0, count=DONORS):
    for i in range(count):
        donor = random_morphology(seed=seed + i, trees=((AXON, 5), (3, 3)))
        write_morphology(folder, f"donor{i}", donor, ["h5"])


def outputs_of(flow, folders=("out", "elsewhere")):
    """{path: bytes} of all that was written for users, but the summary with its times."""
    found = {}
    for name in folders:
        for path in sorted(flow.path(name).rglob("*")):
            if path.is_file() and not path.name.endswith("_summary.json"):
                found[path.relative_to(flow.folder).as_posix()] = path.read_bytes()
    return found


def clean_outputs(flow, scratch):
    """The outputs of a run of the same inputs and options into empty folders."""
    known = _state(flow)
    if known not in _clean:
        _clean[known] = _run_clean(flow, scratch)
    return _clean[known]


_clean = {}
"""{digest of inputs and options: outputs}: many edits change nothing, or change it back."""


def _state(flow):
    """Digest of all that may count: options, and every file but outputs, by name and content."""
    digest = hashlib.sha256(repr(sorted(flow.options.items())).encode())
    for path in sorted(flow.folder.rglob("*")):
        name = path.relative_to(flow.folder)
        if name.parts[0] not in (*OUTPUTS, "luigi.cfg") and path.is_file():
            digest.update(str(name).encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def _run_clean(flow, scratch):
    shutil.rmtree(scratch, ignore_errors=True)
    skip = shutil.ignore_patterns(*OUTPUTS)
    shutil.copytree(flow.folder, scratch, ignore=skip, symlinks=True)
    other = Flow(scratch, dict(flow.options))
    process = other.luigi()
    assert process.returncode == 0, text_of(process)
    return outputs_of(other)


def text_of(process: subprocess.CompletedProcess):
    return process.stdout + process.stderr


def differing(first, second):
    """The names of what is not the same in two sets of outputs."""
    return sorted(name for name in {*first, *second} if first.get(name) != second.get(name))


def change_volume(path, change):
    """Another array in an NRRD file."""
    import nrrd

    raw, header = nrrd.read(str(path))
    raw = np.array(raw)
    change(raw)
    nrrd.write(str(path), raw, header)
