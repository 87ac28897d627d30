"""Outputs open in the tools that come next: each with the real library."""

import importlib
import importlib.util
import json

import numpy as np
import pandas as pd
import pytest

from helpers.real_parts import needs
from helpers.report_factory import pyramid
from region_grower_flow.io.cell_files import write_cells
from region_grower_flow.io.cells import Cells
from region_grower_flow.io.circuit import circuit_config
from region_grower_flow.io.morphologies import write_morphology

pytestmark = pytest.mark.slow

COUNT = 7
SECTIONS, LENGTH = 6, 120.0
"""Sections and length (um) of the pyramid: two trees of a trunk (20 and 60) and two tips (10)."""


def library(name):
    """A library of the extra ``test-tools``."""
    needs(importlib.util.find_spec(name.split(".")[0]), f"{name} is not installed")
    return importlib.import_module(name)


@pytest.fixture(scope="module")
def outputs(tmp_path_factory):
    """Nodes, a circuit configuration and the morphologies of 7 cells, one of 8 was dropped."""
    folder = tmp_path_factory.mktemp("out")
    (folder / "morphologies").mkdir()
    names = [f"cell{i}" if i != 3 else None for i in range(COUNT + 1)]
    for name in names:
        if name:
            write_morphology(folder / "morphologies", name, pyramid(), ("swc", "h5", "asc"))
    properties = pd.DataFrame(
        {
            "mtype": ["L5_TPC:A", "L23_BTC"] * 4,
            "region": ["S1;L5", "S1;L2"] * 4,
            "number": np.arange(COUNT + 1),
        }
    )
    positions = np.arange(3.0 * (COUNT + 1)).reshape(-1, 3)
    cells = Cells(positions, None, properties, "cortex")
    write_cells(folder / "nodes.h5", cells, names)
    config = circuit_config(
        folder / "nodes.h5", "cortex", folder / "morphologies", ("swc", "h5", "asc"), folder=folder
    )
    (folder / "circuit_config.json").write_text(json.dumps(config))
    return folder


def test_bmtk_reads_the_nodes(outputs, tmp_path):
    sonata = library("bmtk.utils.sonata")
    # bmtk asks for a table of node types: all properties are with the nodes.
    types = tmp_path / "node_types.csv"
    types.write_text("node_type_id\n-1\n")
    file = sonata.File([str(outputs / "nodes.h5")], [str(types)])
    nodes = list(file.nodes["cortex"])
    assert [node["number"] for node in nodes] == [0, 1, 2, 4, 5, 6, 7]
    assert nodes[3]["x"] == 12.0
    assert [node.group_id for node in nodes] == [0] * COUNT


def test_snap_reads_the_circuit(outputs):
    circuit = library("bluepysnap").Circuit(str(outputs / "circuit_config.json"))
    cortex = circuit.nodes["cortex"]
    assert cortex.size == COUNT
    assert list(cortex.get(properties="mtype"))[:2] == ["L5_TPC:A", "L23_BTC"]
    assert cortex.positions(1).tolist() == [3.0, 4.0, 5.0]
    for extension in ("swc", "h5", "asc"):
        morphology = cortex.morph.get(1, extension=extension)
        assert len(morphology.sections) == SECTIONS


def test_libsonata_reads_the_nodes(outputs):
    storage = library("libsonata").NodeStorage(str(outputs / "nodes.h5"))
    nodes = storage.open_population("cortex")
    assert nodes.size == COUNT
    assert nodes.get_attribute("mtype", nodes.select_all())[1] == "L23_BTC"


def morphology(outputs, kind):
    return str(outputs / "morphologies" / f"cell0.{kind}")


@pytest.mark.parametrize("kind", ["swc", "asc"])
def test_neuron_loads_a_cell(outputs, kind):
    h = library("neuron").h
    h.load_file("stdlib.hoc")
    h.load_file("import3d.hoc")
    reader = {"swc": h.Import3d_SWC_read, "asc": h.Import3d_Neurolucida3}[kind]()
    reader.quiet = 1
    reader.input(morphology(outputs, kind))

    class Cell:
        pass

    cell = Cell()
    h.Import3d_GUI(reader, 0).instantiate(cell)
    assert len(cell.soma) == 1
    assert len(cell.dend) == 3
    assert len(cell.apic) == 3
    grown = sum(section.L for section in (*cell.dend, *cell.apic))
    # NEURON draws trunks from the soma's center or surface: they are longer by up to its radius.
    assert LENGTH - 1 <= grown <= LENGTH + 2 * 5.5


def test_arbor_loads_a_cell(outputs):
    arbor = library("arbor")
    for loaded in (
        arbor.load_swc_neuron(morphology(outputs, "swc")),
        arbor.load_asc(morphology(outputs, "asc")),
    ):
        assert loaded.morphology.num_branches >= SECTIONS


def test_neurom_measures_a_cell(outputs):
    neurom = library("neurom")
    for kind in ("swc", "asc", "h5"):
        cell = neurom.load_morphology(morphology(outputs, kind))
        assert neurom.get("number_of_sections", cell) == SECTIONS
        assert sum(neurom.get("section_lengths", cell)) == pytest.approx(LENGTH, abs=0.1)


def test_navis_loads_a_cell(outputs):
    navis = library("navis")
    neuron = navis.read_swc(morphology(outputs, "swc"))
    assert neuron.n_branches >= 2
    assert set(neuron.nodes.label.astype(int)) >= {1, 3, 4}
    assert neuron.cable_length >= LENGTH - 1
