"""Apical sections are numbered as NEURON numbers them."""

import numpy as np
import pytest
import yaml

from helpers.factories import random_morphology
from helpers.odd_morphologies import odd_morphology
from region_grower_flow.cell.order import nrn_ordered
from region_grower_flow.io.morphologies import read_morphology, write_morphology
from region_grower_flow.io.nrn import apical_nrn_sections
from region_grower_flow.morphology import APICAL_DENDRITE, BASAL_DENDRITE, FlatMorphology


def end(morphology, section):
    return morphology.section(section)[-1].tolist()


def chain(*counts, kind=APICAL_DENDRITE, parents=None):
    """Sections along x, each of ``counts`` points; by default each the child of the one before."""
    points, start = [], 0.0
    for count in counts:
        points.append([[start + i, 0, 0] for i in range(count)])
        start += count - 1
    n = len(counts)
    return FlatMorphology(
        points=np.concatenate(points).astype("f4"),
        diameters=np.ones(sum(counts), "f4"),
        offsets=np.concatenate([[0], np.cumsum(counts)]),
        types=np.full(n, kind, "i4"),
        parents=np.array(parents or range(-1, n - 1)),
        soma_points=np.array([[-1, 0, 0], [0, 1, 0], [0, -1, 0]], "f4"),
        soma_diameters=np.zeros(3, "f4"),
    )


@pytest.mark.parametrize("text_format", ["asc", "swc"])
def test_apical_sections_count_from_zero_in_the_order_of_the_file(text_format):
    morphology = random_morphology(seed=2, trees=((BASAL_DENDRITE, 5), (APICAL_DENDRITE, 7)))
    apical = np.flatnonzero(morphology.types == APICAL_DENDRITE)
    points = [end(morphology, section) for section in apical]
    assert apical_nrn_sections(morphology, points, text_format) == list(range(7))


def test_other_points_have_no_section():
    morphology = random_morphology(seed=2, trees=((BASAL_DENDRITE, 5), (APICAL_DENDRITE, 7)))
    basal_end = end(morphology, 0)
    inside = morphology.section(6)[1]
    assert apical_nrn_sections(morphology, [basal_end, inside, None]) == [None, None, None]
    assert apical_nrn_sections(morphology, []) == []
    assert apical_nrn_sections(random_morphology(trees=()), [basal_end]) == [None]


def test_nearness_is_relative_and_the_first_section_counts():
    morphology = chain(2, 2, 2, parents=[-1, 0, 0])
    morphology.points += np.float32(1000)
    points = [[1001.005, 1000, 1000], [1001.5, 1000, 1000], [1002.0, 1000, 1000]]
    # At 1000 um, points up to 0.01 um away are the same.
    assert apical_nrn_sections(morphology, points) == [0, None, 1]


def test_sections_with_one_child():
    morphology = chain(3, 3, 3)
    ends = [end(morphology, section) for section in range(3)]
    assert apical_nrn_sections(morphology, ends, "asc") == [0, 1, 2]
    # In SWC they are one section.
    assert apical_nrn_sections(morphology, ends, "swc") == [None, None, 0]


def test_sections_without_length_are_left_out():
    morphology = chain(3, 2, 3, 2, parents=[-1, 0, 0, 2])
    morphology.points[3:5] = morphology.points[2]
    morphology.points[5:] = morphology.points[5:] - morphology.points[5] + morphology.points[2]
    ends = [end(morphology, section) for section in (0, 2, 3)]
    assert apical_nrn_sections(morphology, ends, "asc") == [0, 1, 2]


@pytest.mark.golden
def test_sections_of_the_reference(shared):
    golden = shared / "golden" / "peer_suite" / "golden"
    points = yaml.safe_load((golden / "apical.yaml").read_text())
    sections = yaml.safe_load((golden / "apical_nrn_sections.yaml").read_text())
    assert points.keys() == sections.keys()
    for name, expected in sections.items():
        morphology = read_morphology(golden / "morphologies" / f"{name}.h5")
        given = [] if points[name] is None else [points[name]]
        assert apical_nrn_sections(morphology, given) == expected


@pytest.mark.parametrize("odd", [False, True])
def test_neuron_numbers_them_alike(tmp_path, odd):
    """With NEURON where it is installed (it is not among our requirements)."""
    pytest.importorskip("neuron")
    ephys = pytest.importorskip("bluepyopt.ephys")
    for seed in range(60):
        morphology, _ = nrn_ordered(odd_morphology(seed, odd))
        write_morphology(tmp_path, "m", morphology, ["asc", "swc"])
        points = [end(morphology, section) for section in range(morphology.n_sections)]
        for kind in ("asc", "swc"):
            file = ephys.morphologies.NrnFileMorphology(str(tmp_path / f"m.{kind}"))
            cell = ephys.models.CellModel("cell", morph=file, mechs=[])
            cell.instantiate(sim=ephys.simulators.NrnSimulator())
            ends = [_neuron_end(section) for section in cell.icell.apical]
            expected = [
                next((i for i, e in enumerate(ends) if np.isclose(p, e).all()), None)
                for p in points
            ]
            assert apical_nrn_sections(morphology, points, kind) == expected, (seed, kind)


def _neuron_end(section):
    last = section.n3d() - 1
    return [section.x3d(last), section.y3d(last), section.z3d(last)]
