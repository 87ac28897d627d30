import json
import multiprocessing
import os
from dataclasses import replace

import numpy as np
import pytest
from morphio import IterType
from neurots import extract_input
from neurots.validator import validate_neuron_distribs

from helpers import reference_cells
from helpers.reference_cells import INTERNEURON, PYRAMIDAL, make_cell, write_cell, write_dat
from helpers.sentences import saying, says
from region_grower_flow.calibration import distributions as module
from region_grower_flow.calibration.choices import CalibrationSettings
from region_grower_flow.calibration.dataset import read_dataset
from region_grower_flow.calibration.distributions import extract_distributions
from region_grower_flow.calibration.extraction import extract_mtype
from region_grower_flow.calibration.report import CalibrationReport
from region_grower_flow.errors import InvalidInput, WorkerFailed

BASAL, APICAL = "basal_dendrite", "apical_dendrite"
GENERIC = {
    "models": ["generic"],
    "terminal_threshold": 2.0,
    "taper": {"max": 1e-6, "min": -0.1, "max_residual": 100, "zeros": 1e-8},
}


def text(value):
    """Distributions as text: NaN (the angles of a tree's first bar) equals NaN."""
    return json.dumps(value, sort_keys=True)


def by_neurots(dataset, mtype, neurite_types, **options):
    paths = [cell.path for cell in dataset.mtypes[mtype]]
    return extract_input.distributions(
        paths, neurite_types=list(neurite_types), diameter_input_morph=paths, **options
    )


def extract(dataset, processes=None, **settings):
    return extract_distributions(dataset, CalibrationSettings(**settings), processes)


@pytest.fixture
def write(tmp_path):
    """A function cells -> Dataset; cells: {name: (mtype, keywords of make_cell)}."""

    def write_all(cells):
        rng = np.random.default_rng(11)
        lines = []
        for name, (mtype, options) in cells.items():
            write_cell(make_cell(rng, **options), tmp_path / "cells", name)
            lines.append(f"{name} 5 {mtype}")
        return read_dataset(tmp_path / "cells", write_dat(tmp_path, lines))

    return write_all


def test_equal_to_neurots(dataset):
    result, report = extract_distributions(dataset)
    assert list(result) == ["default"]
    found = result["default"]
    assert list(found) == [PYRAMIDAL, INTERNEURON]
    assert text(found[PYRAMIDAL]) == text(by_neurots(dataset, PYRAMIDAL, [BASAL, APICAL]))
    assert text(found[INTERNEURON]) == text(by_neurots(dataset, INTERNEURON, [BASAL]))
    assert report.processes == 1
    assert report.mtypes[PYRAMIDAL]["cells_with"] == {BASAL: 6, APICAL: 6}
    assert next(report.sentences()) == "distributions of 2 mtypes from 12 cells."
    for distributions in found.values():
        validate_neuron_distribs(distributions)


@pytest.mark.parametrize("extension", ["swc", "asc"])
def test_other_formats(tmp_path, extension):
    files = reference_cells.write_dataset(tmp_path, extension)
    dataset = read_dataset(*files, extension)
    found = extract(dataset, region="S1")[0]["S1"]
    assert text(found[PYRAMIDAL]) == text(by_neurots(dataset, PYRAMIDAL, [BASAL, APICAL]))


@pytest.mark.slow
def test_diameter_models(dataset):
    from diameter_synthesis import build_models

    config = {**GENERIC, "neurite_types": [BASAL, APICAL]}
    found = extract(dataset, diametrizer_config=config)[0]["default"]
    expected = by_neurots(
        dataset,
        PYRAMIDAL,
        [BASAL, APICAL],
        diameter_model=lambda cells: build_models.build(cells, config=config),
    )
    assert text(found[PYRAMIDAL]) == text(expected)
    found = extract(dataset, diametrizer_config="M1")[0]["default"]
    expected = by_neurots(dataset, INTERNEURON, [BASAL], diameter_model="M1")
    assert text(found[INTERNEURON]) == text(expected)
    uniform = {"method": "uniform", BASAL: 0.5, APICAL: 1.5}
    found = extract(dataset, diametrizer_config=uniform)[0]["default"]
    assert found[PYRAMIDAL]["diameter"] == {"method": "uniform"}


def test_feature_of_each_neurite_type(dataset):
    feature = {APICAL: "radial_distances"}
    found = extract(dataset, feature=feature)[0]["default"]
    assert found[PYRAMIDAL][APICAL]["filtration_metric"] == "radial_distances"
    assert found[PYRAMIDAL][BASAL]["filtration_metric"] == "path_distances"
    expected = by_neurots(dataset, PYRAMIDAL, [BASAL, APICAL], feature=feature)
    assert text(found[PYRAMIDAL]) == text(expected)


def test_apical_trees_only_when_most_cells_have_one(write):
    cells = {f"a{i}": ("HALF", {"apicals": i % 2}) for i in range(4)}
    cells |= {f"b{i}": ("MOST", {"apicals": int(i > 0)}) for i in range(3)}
    result, report = extract_distributions(write(cells))
    assert result["default"]["HALF"][APICAL] == {}
    assert result["default"]["MOST"][APICAL]["num_trees"]["data"]["bins"] == [0, 1]
    assert "2 of 4 cells have an apical dendrite" in report.mtypes["HALF"]["notes"][0]


def test_neurite_types_of_choice(write):
    dataset = write({f"a{i}": ("PC", {"apicals": 1, "axons": 1}) for i in range(2)})
    found = extract(dataset, neurite_types=["axon", "basal"])[0]["default"]["PC"]
    assert text(found) == text(by_neurots(dataset, "PC", [BASAL, "axon"]))
    found = extract(dataset, neurite_types={"PC": [APICAL]})[0]["default"]["PC"]
    assert found[BASAL] == {"trunk": None}
    validate_neuron_distribs(found)
    for wrong, expected in (
        ({"PX": [APICAL]}, "the mtype 'PX' is not among the 1"),
        (["dendrite"], "unknown neurite type 'dendrite'"),
        ("axon", "expected a list"),
    ):
        with pytest.raises(InvalidInput, match=expected):
            extract(dataset, neurite_types=wrong)


@pytest.mark.slow
def test_axons_that_the_table_rules_out_are_not_extracted(write):
    """use_axon is of the axons only: the dendrites of such a cell count."""
    dataset = write({f"a{i}": ("IN", {"basals": 2 + i, "axons": 1}) for i in range(4)})
    cells = [cell._replace(use_axon=i != 1) for i, cell in enumerate(dataset.mtypes["IN"])]
    marked = replace(dataset, mtypes={"IN": cells})
    used = replace(dataset, mtypes={"IN": [cell for cell in cells if cell.use_axon]})
    types = {"neurite_types": ["axon", "basal"]}
    for config in (None, GENERIC, "M1"):
        if config is GENERIC:
            config = {**GENERIC, "neurite_types": [BASAL, "axon"]}
        models = {**types, "diametrizer_config": config}
        found = extract(marked, **models)[0]["default"]["IN"]
        every = extract(dataset, **models)[0]["default"]["IN"]
        fewer = extract(used, **models)[0]["default"]["IN"]
        assert text(found["axon"]) == text(fewer["axon"]) != text(every["axon"])
        assert text(found[BASAL]) == text(every[BASAL]) != text(fewer[BASAL])
        assert found["soma"] == every["soma"]
        for quantity, values in found["diameter"].items():
            if quantity == "axon":
                assert values == fewer["diameter"]["axon"]
            elif quantity == BASAL:
                assert values == every["diameter"][BASAL]
            elif isinstance(values, dict):
                assert values["axon"] == fewer["diameter"][quantity]["axon"]
                assert values[BASAL] == every["diameter"][quantity][BASAL]
    _, report = extract(marked, **types)
    entry = report.mtypes["IN"]
    assert entry["notes"] == [
        "the axons of 1 of 4 cells are not used, as the table says (use_axon)"
    ]
    assert (entry["cells_with"], entry["trees"]["axon"]) == ({BASAL: 4, "axon": 3}, 3)


def test_axons_of_a_minority_are_told(write):
    cells = {f"a{i}": ("IN", {"axons": int(i == 0)}) for i in range(3)}
    result, report = extract(write(cells), neurite_types=["axon", "basal"])
    assert result["default"]["IN"]["axon"] == {}
    assert report.mtypes["IN"]["notes"] == [
        "1 of 3 cells have an axon; as these are not most of them, none is grown"
    ]


def test_neurite_types_that_no_cell_has(dataset):
    with pytest.raises(InvalidInput, match=saying("none of its cells | apical_dendrite")):
        extract(dataset, neurite_types={INTERNEURON: [BASAL, APICAL]})


def test_threshold_is_lowered_only_where_neurots_would_fail(write):
    cells = {"s0": ("SMALL", {"depth": 1, "apicals": 0}), "s1": ("SMALL", {"depth": 1})}
    dataset = write(cells)
    with pytest.raises(Exception, match="lower threshold"):
        by_neurots(dataset, "SMALL", [BASAL])
    result, report = extract_distributions(dataset)
    expected = by_neurots(dataset, "SMALL", [BASAL], threshold_sec=1)
    assert text(result["default"]["SMALL"]) == text(expected)
    assert "has more than 2 terminations" in report.mtypes["SMALL"]["notes"][0]


def test_threshold_of_one_type_leaves_the_other(tmp_path):
    rng = np.random.default_rng(5)
    lines = []
    for i in range(2):
        cell = make_cell(rng, apicals=1, depth=3)
        small = make_cell(rng, basals=2, depth=1)
        for tree in list(cell.root_sections):
            if int(tree.type) == 3:
                cell.delete_section(tree, recursive=True)
        for tree in small.root_sections:
            cell.append_root_section(tree, recursive=True)
        write_cell(cell, tmp_path / "cells", f"m{i}")
        lines.append(f"m{i} 5 MIXED")
    # A small apical tree that NeuroTS's threshold leaves out.
    write_cell(make_cell(rng, apicals=1, depth=1), tmp_path / "cells", "m2")
    dataset = read_dataset(tmp_path / "cells", write_dat(tmp_path, [*lines, "m2 5 MIXED"]))
    found = extract_distributions(dataset)[0]["default"]["MIXED"]
    loose = by_neurots(dataset, "MIXED", [BASAL, APICAL], threshold_sec=1)
    strict = by_neurots(dataset, "MIXED", [APICAL])
    assert len(loose[APICAL]["persistence_diagram"]) == 3
    assert len(found[APICAL]["persistence_diagram"]) == 2
    assert text(found[APICAL]) == text(strict[APICAL])
    assert text(found[BASAL]) == text(loose[BASAL])
    assert text(found["diameter"]) == text(loose["diameter"])


def test_cells_with_one_basal_dendrite(write):
    dataset = write({"a": ("BP", {"basals": 1}), "b": ("BP", {"basals": 1})})
    result, report = extract_distributions(dataset)
    assert result["default"]["BP"][BASAL]["num_trees"]["data"]["bins"] == [1]
    assert "no reference cell has two basal dendrites" in report.notes[0]
    result, report = extract(dataset, min_basal_trees=2)
    assert result["default"]["BP"][BASAL]["num_trees"]["data"]["bins"] == [2]
    assert report.notes == []


def test_fitted_diameters_that_are_negative_are_told(tmp_path):
    """A line through diameters that fall steeply from the soma passes below 0 at the tips."""
    rng, lines = np.random.default_rng(5), []
    for i in range(3):
        cell = make_cell(rng)
        for root in cell.root_sections:
            for section in root.iter():
                order = len(list(section.iter(IterType.upstream))) - 1
                section.diameters = np.full(len(section.points), 10.0 * 0.2**order)
        write_cell(cell, tmp_path / "cells", f"c{i}")
        lines.append(f"c{i} 5 STEEP")
    dataset = read_dataset(tmp_path / "cells", write_dat(tmp_path, lines))
    result, report = extract_distributions(dataset)
    fitted = np.polynomial.Polynomial(result["default"]["STEEP"]["diameter"][BASAL])
    assert fitted(0.0) < 0.0
    (note,) = report.notes
    # Where bars bring the diameters, the fitted ones are not used.
    assert extract_distributions(dataset, CalibrationSettings(measured=True))[1].notes == []
    assert says(note, f"STEEP: | {BASAL} | {fitted(0.0):.2f} um")
    assert note in list(report.sentences())


def test_remarks_say_once_what_is_true_of_several_mtypes():
    notes = ["borrows the 5 cells of X", "1 of 6 cells have an apical dendrite; none is grown"]
    other = ["2 of 9 cells have an apical dendrite; none is grown", "c1: it is flat"]
    mtypes = {"A": {"notes": notes, "lost": []}, "B": {"notes": other, "lost": []}}
    thin = ["A: diameters go down to 0.1 um.", "B:C: diameters go down to 0.2 um."]
    assert list(CalibrationReport("distributions", mtypes, notes=thin).remarks()) == [
        "A: diameters go down to 0.1 um (the like in B:C).",
        "A: 1 of 6 cells have an apical dendrite; none is grown (the like in B).",
        "B: c1: it is flat.",
    ]


def test_bad_cells_fail_or_are_skipped(write, capfd):
    cells = {
        "good": ("PC", {"apicals": 1}),
        "bad": ("PC", {"basals": 0, "axons": 1}),
        "worse": ("IN", {"diameter": 0.0}),
    }
    dataset = write(cells)
    with pytest.raises(InvalidInput) as error:
        extract_distributions(dataset)
    first, second = str(error.value).splitlines()
    assert says(first, "bad.h5: | mtype PC | no dendrites | 1 axon")
    assert "worse.h5: (mtype IN)" in second
    result, report = extract(dataset, on_bad_morphology="skip")
    assert list(result["default"]) == ["PC"]
    assert [(name, mtype) for name, mtype, _ in report.lost] == [("bad", "PC"), ("worse", "IN")]
    sentences = list(report.sentences())
    assert says("\n".join(sentences), "bad | PC: | no dendrites | 1 axon")
    assert "No cell is left of IN." in sentences
    first, second = report.remarks()
    assert first.startswith("PC: bad is left out: it has no dendrites")
    assert second.startswith("IN: worse is left out: ")
    assert json.loads(json.dumps(report.as_dict()))["lost_mtypes"]["IN"][0]["name"] == "worse"
    assert capfd.readouterr().out == ""


def test_no_cell_of_any_mtype(write):
    dataset = replace(write({"a": ("PC", {})}), mtypes={"PC": []})
    with pytest.raises(InvalidInput, match="no morphology can be used"):
        extract_distributions(dataset)


def test_no_cell_is_left(write):
    dataset = write({"a": ("PC", {"basals": 0}), "b": ("IN", {"basals": 0})})
    with pytest.raises(InvalidInput, match=r"no morphology can be used.*first, a: it has no"):
        extract(dataset, on_bad_morphology="skip")


def test_trees_too_small_for_a_diameter_model_have_one_diameter(write, capfd):
    """Where diameter-synthesis fails, with messages of LAPACK on the terminal."""
    dataset = write({"a": ("ONE", {"basals": 1, "depth": 0}), "b": ("PC", {})})
    found, _ = extract_distributions(dataset, processes=1)
    (diameter,) = found["default"]["ONE"]["diameter"]["basal_dendrite"]
    assert 0.8 < diameter < 1.2
    assert len(found["default"]["PC"]["diameter"]["basal_dendrite"]) == 2
    assert "DLASCL" not in "".join(capfd.readouterr())


def test_what_neurots_cannot_extract_is_named(write, monkeypatch):
    """The mtype and its bad cells are named; with skip, other mtypes go on."""

    def fail(task):
        if any(path.endswith("a1.h5") for path in task.paths):
            return task.mtype, None, "ValueError: no"
        return extract_mtype(task)

    monkeypatch.setattr(module, "extract_mtype", fail)
    dataset = write({"a0": ("A", {}), "a1": ("A", {}), "b": ("B", {})})
    expected = saying("mtype A: | NeuroTS | 2 cells | a1: | ValueError: no")
    with pytest.raises(InvalidInput, match=expected):
        extract_distributions(dataset, processes=1)
    settings = CalibrationSettings(on_bad_morphology="skip")
    found, report = extract_distributions(dataset, settings, processes=1)
    assert list(found["default"]) == ["B"]
    assert [name for name, mtype, _ in report.lost if mtype == "A"] == ["a0", "a1"]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"processes": 0}, "number of processes is 0"),
        ({"feature": "path_distance"}, "Did you mean 'path_distances'"),
        ({"feature": {"dendrite": "path_distances"}}, "unknown neurite type"),
        ({"min_basal_trees": 3}, "expected 1 or 2"),
        ({"diametrizer_config": {"models": ["simple"]}}, "unknown model 'simple'"),
    ],
)
def test_bad_options(dataset, options, expected):
    with pytest.raises(InvalidInput, match=expected):
        extract(dataset, **options)


def test_progress(dataset, capsys):
    calls = []
    extract_distributions(dataset, progress=lambda *call: calls.append(call))
    assert calls == [(0, 2), (1, 2), (2, 2)]
    assert capsys.readouterr().err == ""


@pytest.mark.slow
def test_processes_change_nothing(dataset):
    serial, _ = extract_distributions(dataset, processes=1)
    calls = []
    parallel, report = extract_distributions(
        dataset, processes=3, progress=lambda *call: calls.append(call)
    )
    assert report.processes == 2  # not more than mtypes
    assert text(parallel) == text(serial)
    assert list(parallel["default"]) == list(serial["default"])
    assert calls == [(0, 2), (1, 2), (2, 2)]


@pytest.mark.slow
def test_a_process_that_dies(dataset, monkeypatch):
    monkeypatch.setattr(module, "extract_mtype", reference_cells.die)
    with pytest.raises(WorkerFailed, match=r"died .* while 2 of 2 parts of the work were"):
        extract_distributions(dataset, processes=2)


@pytest.mark.slow
def test_an_interrupt_ends_the_processes(dataset):
    def interrupt(done, total):
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        extract_distributions(dataset, processes=2, progress=interrupt)
    assert multiprocessing.active_children() == []


@pytest.mark.slow
def test_the_reconstructed_mtypes_of_the_rat(shared, tmp_path):
    import csv

    source = shared / "realdata" / "rat_s1_nmc2015_dendrites"
    if not source.is_dir():
        pytest.skip("the reconstructions are absent")
    with open(source / "index.csv", newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 323
    cells = {}
    for row in rows:
        cells.setdefault(row["mtype"], []).append(f"{row['mtype']}/{row['name']} 0 {row['mtype']}")
    few = None if "RGF_STRESS" in os.environ else 3
    lines = [line for group in cells.values() for line in group[:few]]
    dataset = read_dataset(source, write_dat(tmp_path, lines))
    result, report = extract_distributions(dataset)
    assert len(result["default"]) == 55
    assert sum(entry["cells"] for entry in report.mtypes.values()) == len(lines)
    assert report.lost == []
    apical = {m for m, entry in report.mtypes.items() if APICAL in entry["neurite_types"]}
    assert {"L23_PC", "L4_SP", "L5_TTPC1", "L6_BPC", "L6_TPC_L1"} <= apical
    assert not {"L23_MC", "L5_LBC", "L1_DAC", "L6_DBC"} & apical
    for mtype, distributions in result["default"].items():
        validate_neuron_distribs(distributions)
        assert distributions["diameter"]["method"] == "default", mtype


def test_measured_trees_beside_the_distributions(write):
    depths = {"a": 1, "b": 2, "c": 1}
    dataset = write({n: ("X", {"basals": 2, "apicals": 1, "depth": d}) for n, d in depths.items()})
    plain = extract(dataset, 1)[0]["default"]["X"]
    entry = extract(dataset, 1, bar_threshold=0, measured=True)[0]["default"]["X"]
    assert set(entry) - set(plain) == {"measured"}
    assert [cell["name"] for cell in entry["measured"]["cells"]] == list("abc")
    assert len(entry["measured"]["basal_dendrite"]) == 6
    assert len(entry[BASAL]["persistence_diagram"]) == 6
    assert len(plain[BASAL]["persistence_diagram"]) == 2
    text(entry["measured"])


def test_inverted_mtypes_that_borrow_upright_cells_are_measured_upside_down(write):
    dataset = write({name: ("X", {"basals": 2, "apicals": 1}) for name in "abc"})

    def directions(**settings):
        entry = extract(dataset, 1, measured=True, bar_threshold=0, **settings)[0]["default"]["X"]
        return np.array([tree["direction"] for tree in entry["measured"]["apical_dendrite"]])

    upright = directions()
    assert (upright[:, 1] > 0.0).all()
    np.testing.assert_allclose(directions(inverted=("X",)), upright * (-1, -1, 1))
    np.testing.assert_allclose(directions(inverted=("Y",)), upright)


def test_a_threshold_of_barcodes_is_a_whole_number(dataset):
    with pytest.raises(InvalidInput, match="threshold"):
        extract(dataset, 1, bar_threshold=-1)
