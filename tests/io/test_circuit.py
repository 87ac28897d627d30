"""libsonata and morphio find nodes and morphologies through the circuit configuration."""

import json
import os

import libsonata
import morphio
import numpy as np
import pandas as pd
import pytest

from helpers.factories import random_morphology
from region_grower_flow.io.atomic import write_json_atomic
from region_grower_flow.io.cell_files import write_cells
from region_grower_flow.io.cells import Cells
from region_grower_flow.io.circuit import circuit_config
from region_grower_flow.io.containers import write_container
from region_grower_flow.io.morphologies import morphology_name, write_morphology


@pytest.fixture
def circuit(tmp_path):
    """Three cells in a folder: nodes.h5, morphologies/ and merged.h5."""
    names = [morphology_name(seed) for seed in range(3)]
    morphologies = [random_morphology(seed=seed) for seed in range(3)]
    for name, morphology in zip(names, morphologies, strict=True):
        write_morphology(tmp_path / "morphologies", name, morphology, ["h5", "swc", "asc"])
    write_container(tmp_path / "merged.h5", zip(names, morphologies, strict=True))
    properties = pd.DataFrame({"mtype": ["L1_A"] * 3, "region": ["r"] * 3})
    write_cells(tmp_path / "nodes.h5", Cells(np.zeros((3, 3)), None, properties, "cells"), names)
    return tmp_path


def load(folder, config):
    write_json_atomic(folder / "circuit_config.json", config)
    return libsonata.CircuitConfig.from_file(str(folder / "circuit_config.json"))


def test_all_kinds_of_files(circuit):
    config = circuit_config(
        circuit / "nodes.h5", "cells", circuit / "morphologies", ["h5", "swc", "asc"]
    )
    loaded = load(circuit, config)
    assert loaded.node_populations == {"cells"}
    assert loaded.edge_populations == set()
    assert loaded.config_status == libsonata.CircuitConfigStatus.partial
    population = loaded.node_population("cells")
    (name,) = population.get_attribute("morphology", libsonata.Selection([1]))
    found = loaded.node_population_properties("cells")
    assert found.type == "biophysical"
    folders = {
        "swc": found.morphologies_dir,
        "h5": found.alternate_morphology_formats["h5v1"],
        "asc": found.alternate_morphology_formats["neurolucida-asc"],
    }
    counts = {
        len(morphio.Morphology(f"{folder}/{name}.{extension}").points)
        for extension, folder in folders.items()
    }
    assert counts == {len(random_morphology(seed=1).points)}


def test_a_container_serves_h5(circuit):
    config = circuit_config(circuit / "nodes.h5", "cells", None, ["h5"], circuit / "merged.h5")
    found = load(circuit, config).node_population_properties("cells")
    assert found.morphologies_dir == ""
    container = morphio.Collection(found.alternate_morphology_formats["h5v1"])
    assert len(container.load(morphology_name(2)).points) == len(random_morphology(seed=2).points)


def test_files_and_container(circuit):
    config = circuit_config(
        circuit / "nodes.h5",
        "cells",
        circuit / "morphologies",
        ["h5", "swc"],
        circuit / "merged.h5",
    )
    found = load(circuit, config).node_population_properties("cells")
    assert found.morphologies_dir == str(circuit / "morphologies")
    assert found.alternate_morphology_formats == {"h5v1": str(circuit / "merged.h5")}


def test_the_outputs_can_be_moved(circuit, tmp_path_factory):
    config = circuit_config(circuit / "nodes.h5", "cells", circuit / "morphologies", ["swc"])
    assert str(circuit) not in json.dumps(config)
    write_json_atomic(circuit / "circuit_config.json", config)
    moved = tmp_path_factory.mktemp("moved") / "here"
    circuit.rename(moved)
    loaded = libsonata.CircuitConfig.from_file(str(moved / "circuit_config.json"))
    assert loaded.node_population("cells").size == 3


def test_a_configuration_in_a_folder_of_its_own_moves_with_the_rest(circuit, tmp_path_factory):
    folder = circuit / "config"
    folder.mkdir()
    config = circuit_config(
        circuit / "nodes.h5", "cells", circuit / "morphologies", ["swc"], folder=folder
    )
    assert str(circuit) not in json.dumps(config)
    write_json_atomic(folder / "circuit_config.json", config)
    moved = tmp_path_factory.mktemp("moved") / "here"
    circuit.rename(moved)
    loaded = libsonata.CircuitConfig.from_file(str(moved / "config" / "circuit_config.json"))
    assert loaded.node_population("cells").size == 3


def test_a_folder_that_is_a_link_is_left_by_where_it_is(circuit, tmp_path_factory):
    far = tmp_path_factory.mktemp("far")
    (circuit / "config").symlink_to(far)
    config = circuit_config(
        circuit / "nodes.h5", "cells", circuit / "morphologies", ["swc"], folder=circuit / "config"
    )
    name = config["networks"]["nodes"][0]["nodes_file"].replace("$BASE_DIR", str(far))
    assert os.path.samefile(name, circuit / "nodes.h5")


def test_no_morphologies(circuit):
    config = circuit_config(circuit / "nodes.h5", "cells", None, [])
    assert load(circuit, config).node_population("cells").size == 3
