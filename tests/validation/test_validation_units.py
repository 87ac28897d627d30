"""The unit of an mtype compares neurite types, laws, halves, tables."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from helpers.made_cells import make_cells
from region_grower_flow import PlotVacuumMorphologies, ValidateSynthesis
from region_grower_flow.calibration.dataset import (
    FIT,
    TEST,
    Dataset,
    ReferenceCell,
    split_dataset,
)
from region_grower_flow.errors import InvalidInput
from region_grower_flow.options.validation import TIERS
from region_grower_flow.report import placed
from region_grower_flow.report.run_page import gather
from region_grower_flow.tasks.base import stages_above
from region_grower_flow.validation import mtype, populations, validate
from region_grower_flow.validation.statistics import named_seed

BASAL, APICAL = "basal_dendrite", "apical_dendrite"


@pytest.mark.parametrize(
    ("grown", "with_apicals", "expected"),
    [
        ([BASAL], 8, [BASAL, APICAL]),
        # A few cells could not be tested, and their mtype would never pass.
        ([BASAL], 7, [BASAL]),
        ([APICAL, BASAL], 1, [APICAL, BASAL]),
        ([APICAL, BASAL], 0, [BASAL]),
        (["axon", BASAL], 0, [BASAL]),
    ],
)
def test_dendrites_that_enough_reference_cells_have_are_compared(grown, with_apicals, expected):
    reference = [*make_cells(with_apicals, 0, apicals=1), *make_cells(4, 1)]
    assert mtype.compared_types(grown, reference, make_cells(3, 2)) == expected


def of_regions(first, second):
    """A part with cells of one mtype in two regions, with these orientations of basal trunks."""
    regions = {"A": first, "B": second}
    return SimpleNamespace(
        _table=SimpleNamespace(synthesis_regions=["A", "A", "B"], regions=["A", "A", "B"]),
        _parameters={
            region: {"PC": {"grow_types": [BASAL], BASAL: {"orientation": orientation}}}
            for region, orientation in regions.items()
        },
    )


def test_trunks_of_regions_with_different_laws_have_no_one_law():
    laws = validate._OpenPart._laws
    same, other = of_regions("flat", "flat"), of_regions("flat", "step")
    assert laws(same, "PC", [0, 1, 2])[BASAL] == {"orientation": "flat"}
    assert laws(other, "PC", [0, 1])[BASAL] == {"orientation": "flat"}
    assert laws(other, "PC", [2])[BASAL] == {"orientation": "step"}
    assert laws(other, "PC", [0, 2]) is None


def test_the_other_mtype_has_the_same_neurite_types_where_there_is_one():
    both, basal = frozenset([BASAL, APICAL]), frozenset([BASAL])
    sizes = {"PC": (both, 100.0), "IN": (basal, 120.0), "TPC": (both, 900.0), "LBC": (basal, 80.0)}

    def other(of, known=sizes):
        return validate._OpenPart._other(SimpleNamespace(_sizes=known), of)

    assert other("PC") == "TPC"
    assert other("IN") in ("LBC", "TPC", "PC")
    assert other("PC", {name: sizes[name] for name in ("PC", "IN")}) == "IN"
    assert other("few cells") is None


def barcodes(cells, lengths):
    """Distributions of basal trees of one bar each, of so many cells."""
    barcode = [[[length, 0.0]] for length in lengths]
    weights = {"data": {"bins": [1], "weights": [cells]}}
    return {BASAL: {"persistence_diagram": barcode, "num_trees": weights}}


def test_mtypes_of_few_cells_serve_no_control():
    entries = {"many": barcodes(9, [10.0, 30.0]), "few": barcodes(7, [5.0])}
    part = SimpleNamespace(
        synthesized=SimpleNamespace(mtypes=entries),
        _entry=lambda name: (None, entries[name]),
        _part=SimpleNamespace(references=None),
    )
    sizes = validate._OpenPart._sizes.func
    assert sizes(part) == {"many": (frozenset([BASAL]), 20.0)}
    part._part.references = {"few": range(8), "many": range(7)}
    assert list(sizes(part)) == ["few"]


@pytest.mark.slow
def test_each_test_has_one_verdict():
    reference, cells = make_cells(9, 0, apicals=1), make_cells(12, 1, apicals=1)
    about = {"seed": 0, "mtype": "PC", "parameters": None, "inverted": False}
    unit = SimpleNamespace(reference=mtype.MtypeReference(()), **about)
    found = mtype.statistics(unit, reference, cells, [BASAL, APICAL])
    tests = [(v.tier, v.test, v.neurite_type) for v in found]
    assert len(tests) == len(set(tests))
    assert {tier for tier, *_ in tests} == set(TIERS) - {"structure", "space"}


def test_a_table_of_ids_that_is_something_else(tmp_path):
    path = tmp_path / "ids.csv"
    path.write_text("a,b\n1,2\n")
    with pytest.raises(InvalidInput, match="lacks input_id"):
        populations._read_ids(path)
    with pytest.raises(InvalidInput, match="cannot be read"):
        populations._read_ids(tmp_path)


def test_samples_are_all_or_some_in_order():
    rng = np.random.default_rng(0)
    assert populations.sample(5, 0, rng) == populations.sample(5, 9, rng) == [0, 1, 2, 3, 4]
    found = populations.sample(100, 10, rng)
    assert len(set(found)) == 10
    assert found == sorted(found)


@pytest.fixture
def task(tmp_path):
    """A validation with the hold-out, of 6 reconstructions of an mtype."""
    from helpers.reference_cells import make_cell, write_cell, write_dat

    rng = np.random.default_rng(0)
    for i in range(6):
        write_cell(make_cell(rng, basals=2), tmp_path / "cells", f"c{i}")
    dat = write_dat(tmp_path, [f"c{i} 1 PC" for i in range(6)])
    return ValidateSynthesis(
        validation_of="vacuum",
        holdout=True,
        morphologies_dir=str(tmp_path / "cells"),
        dat_file=str(dat),
        work_dir=str(tmp_path / "work"),
        vacuum_dir=str(tmp_path / "vacuum"),
        hide_progress_bar=True,
    )


def names(task, part):
    references, _ = task._references(part)
    return {cell.name for cell in references["PC"]}


def test_the_hold_out_is_grown_from_one_half_and_compared_with_the_other(task):
    from region_grower_flow.calibration.sources import read_reconstructions

    grown_from = task.syntheses()["holdout"]
    assert grown_from.reference_part == FIT
    assert grown_from.tmd_parameters is grown_from.tmd_distributions is None
    fitted = {cell.name for cell in read_reconstructions(grown_from).mtypes["PC"]}
    part = task.part("holdout", grown_from)
    compared = {cell.name for cell in part.references["PC"]}
    assert compared == names(task, TEST)
    assert not fitted & compared
    assert len(fitted | compared) == 6
    assert len(task.part("full", task.syntheses()["full"]).references["PC"]) == 6


def test_no_two_purposes_of_a_seed_share_a_stream():
    run = SimpleNamespace(settings=SimpleNamespace(seed=0))
    streams = [named_seed(0, part, "PC") for part in ("full", "holdout")]
    streams += [placed._rng("PC", 0), *(gather._rng(run, to) for to in ("layers", "section"))]
    orders = {tuple(np.random.default_rng(stream).permutation(50)) for stream in streams}
    cells = [ReferenceCell(str(i), f"{i}.h5") for i in range(50)]
    halves = split_dataset(Dataset(Path(), Path(), ".h5", {"PC": cells}), FIT, 0).mtypes["PC"]
    half = {int(cell.name) for cell in halves}
    assert len(orders) == len(streams) == 5
    assert all(set(order[:25]) != half for order in orders)


def recipes(task):
    """{stage: fingerprint} of the stages above a task."""
    return {f"{s.label} in {s.work_dir}": s.recipe().fingerprint() for s in stages_above(task)}


@pytest.mark.parametrize("kind", [ValidateSynthesis, PlotVacuumMorphologies])
def test_another_validation_seed_grows_nothing_anew_of_whole_reconstructions(task, kind):
    whole = task.clone(kind, holdout=False, report_of="vacuum", morphology_frame="center")
    other = whole.clone(validation_seed=1)
    assert recipes(other) == recipes(whole)
    assert len(recipes(whole)) == 5
    assert other.recipe() != whole.recipe()
    halves = recipes(whole.clone(reference_part=FIT)), recipes(other.clone(reference_part=FIT))
    same = [name for name in halves[0] if halves[0][name] == halves[1][name]]
    assert [name.split()[0] for name in same] == ["PrepareReconstructions"]
    assert not set(halves[0].values()) & set(recipes(whole).values()) - {halves[0][same[0]]}


def test_another_validation_seed_draws_another_hold_out(task):
    drawn = task.clone(validation_seed=2)
    assert names(drawn, FIT) != names(task, FIT)
    before, after = recipes(task), recipes(drawn)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {name for name in before if name.endswith("holdout")}


def test_models_that_are_spread_over_files_are_read_file_by_file(task, tmp_path):
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    for prefix in ("params_", "distr_"):
        for name in ("PC", "IN"):
            (inputs / f"{prefix}luigi_rat_SSCX_{name}.json").write_text("{}")
    spread = task.clone(tmd_parameters=str(inputs), tmd_distributions=f"{inputs}/*luigi_rat*")
    roles = [role for role in spread.external_files() if role.startswith("tmd")]
    assert len(roles) == 4
    assert spread.recipe().files["tmd_parameters params_luigi_rat_SSCX_PC.json"]
