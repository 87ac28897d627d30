"""The functions of the benchmarks; no timings."""

import json
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from region_grower_flow.engine.apical import NO_POINT, ApicalPoint
from region_grower_flow.io.ranges import count_cells

benchmarks = pytest.importorskip("benchmarks")

from benchmarks import __main__ as command  # noqa: E402
from benchmarks import (  # noqa: E402
    compute,
    finished,
    judge,
    judge_features,
    processes,
    report,
    runs,
    scenarios,
)

BARS = [[90.0, 0.0, 0.1, 0.2], [60.0, 20.0, 0.3, 0.4], [50.0, 45.0, 0.5, 0.6]]


@pytest.fixture(scope="module")
def example(tmp_path_factory):
    """The package's example as a scenario, with distributions that are never grown."""
    from region_grower_flow.example import create_example

    folder = tmp_path_factory.mktemp("benchmarks")
    paths = create_example(folder / "example", n_cells=12, atlas="column")
    names = {
        "input-cells": paths.nodes,
        "atlas": paths.atlas,
        "region-structure": paths.region_structure,
        "tmd-distributions": folder / "distributions.json",
        "tmd-parameters": folder / "parameters.json",
        "morph-axon": paths.axons,
    }
    content = {"CTX": {"L5": {"basal_dendrite": {"persistence_diagram": [BARS]}}}}
    names["tmd-distributions"].write_text(json.dumps(content), encoding="utf-8")
    options = {name: str(path) for name, path in names.items()} | {"seed": "3", "overwrite": True}
    return scenarios.Scenario("example", folder, options)


def test_scenarios_are_read_from_calls(tmp_path):
    call = ["synthesize-morphologies", "--atlas", "inputs/atlas", "--synthesize-axons"]
    folder = tmp_path / "one"
    folder.mkdir()
    more = ["--seed", "3", "--out-morph-ext", "h5"]
    (folder / "options.json").write_text(json.dumps(call + more), encoding="utf-8")
    (found,) = scenarios.find_scenarios(["one"], folder=tmp_path)
    assert found.options == {"atlas": "inputs/atlas", "synthesize-axons": True, "seed": "3"}
    assert scenarios.find_scenarios([], more=[tmp_path], folder=tmp_path) == [found]
    words = found.arguments("OUT", chunksize=7)
    assert words[:4] == call[:1] + call[1:3] + call[3:]
    assert words[words.index("--chunksize") + 1] == "7"
    keywords = found.keywords("OUT")
    assert keywords["atlas"] == str(folder.resolve() / "inputs/atlas")
    assert (keywords["seed"], keywords["synthesize_axons"]) == (3, True)


def test_more_cells_are_the_scenarios_own(example, tmp_path):
    from region_grower_flow.io.cells import read_cells

    more = scenarios.with_cells(example, 30, tmp_path)
    assert count_cells(more.path("input-cells")) == 30
    ours, theirs = (read_cells(s.path("input-cells")) for s in (example, more))
    np.testing.assert_array_equal(theirs.positions[:12], ours.positions)
    distance = np.abs(theirs.positions[12:24] - ours.positions).max()
    assert 0 < distance <= scenarios.JITTER + 1e-3
    assert list(theirs.properties["mtype"][12:24]) == list(ours.properties["mtype"])
    rows = [dict(axon_rows(s)) for s in (example, more)]
    assert rows[1] == {cell: rows[0][cell % 12] for cell in range(30) if cell % 12 in rows[0]}


def axon_rows(scenario):
    for line in scenario.path("morph-axon").read_text(encoding="utf-8").splitlines()[1:]:
        cell, rest = line.split("\t", 1)
        yield int(cell), rest


def test_small_cells_have_few_short_bars(example, tmp_path):
    small = scenarios.with_small_cells(example, tmp_path)
    content = json.loads(small.path("tmd-distributions").read_text(encoding="utf-8"))
    (bars,) = content["CTX"]["L5"]["basal_dendrite"]["persistence_diagram"]
    assert len(bars) == scenarios.FEW_BARS
    assert bars[0] == [scenarios.SHORT, 0.0, 0.1, 0.2]
    assert 6.7 < bars[1][0] <= 20.0
    assert ApicalPoint.prepare(np.array(bars)).bin not in (None, NO_POINT)


def test_chosen_rows_are_spread(example):
    assert compute.chosen_rows(example, 3) == [0, 5, 11]
    assert compute.chosen_rows(example, 100) == list(range(12))


def test_result_of_a_race():
    start = {"points": 300, "first_pass": 1.0, "fallbacks": 0, "dropped": 1}
    seconds = {"ours": [[0.1, 0.3], [0.2, 0.2]], "reference": [[20.0, 20.0], [10.0, 10.0]]}
    answers = {
        name: [{"seconds": one, "system": 0.02, "made": 2} for one in rounds]
        for name, rounds in seconds.items()
    }
    figures = compute.result(answers, start)
    assert (figures["ours"], figures["reference"]) == (0.2, 15.0)
    assert figures["ratio"] == pytest.approx(75.0)
    assert figures["points_per_second"] == pytest.approx(750.0)
    assert figures["ours_system"] == pytest.approx(0.01)
    assert "ratio" not in compute.result({"ours": answers["ours"]}, start)


def test_a_race_counts_the_cells_that_were_made():
    compute.check_made("plain", "ours", {"seconds": [1.0, 2.0], "made": 2})
    with pytest.raises(RuntimeError, match="plain, reference: 1 cells made, 2 timed"):
        compute.check_made("plain", "reference", {"seconds": [1.0, 2.0], "made": 1})


def test_extrapolation_is_a_line():
    assert runs.extrapolate({100: (10.0, 1.0)}, 1000) is None
    assert runs.extrapolate({400: (40.0, 1.0), 100: (10.0, 1.0)}, 1000) == pytest.approx(100.0)


def test_median_run():
    costs = [processes.Cost(wall, wall, 1.0, None, 0) for wall in (3.0, 1.0, 2.0, 9.0)]
    assert runs.median_cost(costs).wall == 2.0


def test_cost_of_a_command(tmp_path):
    program = "import time; t = time.process_time()\nwhile time.process_time() < t + 0.3: pass"
    cost = processes.run([sys.executable, "-c", program], tmp_path / "log")
    assert cost.wall >= 0.3 <= cost.cpu + 0.01
    assert cost.rank_memory is None
    assert json.loads(json.dumps(cost.as_dict()))["code"] == 0
    with pytest.raises(RuntimeError, match="ended with 3"):
        processes.run([sys.executable, "-c", "raise SystemExit(3)"], tmp_path / "log")


def test_tables():
    run = {"what": "plain", "cells": 10_000, "workers": 4, "wall": 20.0, "cpu": 70.0}
    run |= {"reference_wall": 1000.0, "extrapolated": True}
    lines = report.run_lines([run])
    assert "50" in lines[2].split()
    assert "(extrapolated)" in lines[2]
    assert "10,000" in lines[2]
    assert len(set(map(len, report.table(("a", "b"), [("x", 1.0), ("yy", 2)])))) == 1


def test_command_of_the_example():
    options = command.parse(["compute", "--scenarios", "plain", "--rounds", "1"])
    assert (options.part, options.scenarios, options.rounds) == ("compute", ["plain"], 1)


def test_every_part_is_called_with_options_and_a_folder(monkeypatch, tmp_path):
    found = []
    for module in (command.judge, command.levers):
        monkeypatch.setattr(module, "measure", lambda *given: found.append(given))
    for part in (command.JUDGE, command.LEVERS):
        command.MEASURES[part]("options", tmp_path)
    assert found == [("options", tmp_path, command.say)] * 2


def test_records_of_finished_chunks(example, tmp_path):

    words = example.arguments(tmp_path / "out", chunksize=5, **{"nb-processes": 0})
    task = finished.parsed_task([word for word in words if word != "--overwrite"])
    assert [(chunk.first, chunk.last) for chunk in task.chunks()] == [(0, 5), (5, 10), (10, 12)]
    assert task.manifest() is None
    assert SimpleNamespace(**task.param_kwargs).nb_processes == 0


def forked(lengths=(30.0, 40.0, 20.0), angle=np.pi / 2, kind=3):
    """A FlatMorphology of one tree with one fork in the x-y plane, its trunk along +y."""
    from region_grower_flow.morphology import FlatMorphology

    trunk = np.linspace((0, 5, 0), (0, 5 + lengths[0], 0), 4)
    sides = [
        trunk[-1] + np.outer(np.linspace(0, size, 5), (sign * np.sin(a), np.cos(a), 0.0))
        for size, sign, a in zip(lengths[1:], (1, -1), (angle / 2, angle / 2), strict=True)
    ]
    points = np.vstack([trunk, *sides]).astype(np.float32)
    diameters = np.repeat([2.0, 1.0, 0.5], [4, 5, 5]).astype(np.float32)
    soma = np.array([[0, 0, 0]], dtype=np.float32), np.array([10.0], dtype=np.float32)
    offsets, parents = np.array([0, 4, 9, 14]), np.array([-1, 0, 0])
    return FlatMorphology(points, diameters, offsets, np.full(3, kind), parents, *soma)


def test_the_judge_measures_a_cell_of_known_shape():
    found = dict(zip(judge_features.names(3), judge_features.measure(forked(), 3), strict=True))
    assert (found["trees"], found["tips"]) == (1, 2)
    assert found["total length"] == pytest.approx(90, rel=1e-5)
    assert found["remote angle"] == pytest.approx(np.pi / 2, rel=1e-5)
    assert found["local angle"] == pytest.approx(np.pi / 2, rel=1e-5)
    assert found["tortuosity"] == pytest.approx(1, abs=1e-6)
    assert found["siblings"] == pytest.approx(0.5)
    assert found["partition of length"] == pytest.approx(1 / 3, rel=1e-5)
    assert found["trunks up"] == pytest.approx(1)
    assert found["terminal sections"] == pytest.approx(30, rel=1e-5)
    assert judge_features.soma_radius(forked()) == 5


@pytest.mark.slow
def test_the_judge_tells_cells_that_differ_from_cells_that_do_not():
    rng = np.random.default_rng(0)

    def cells(mean, count):
        sizes = rng.normal(mean, 5, (count, 3))
        return [forked(s, a) for s, a in zip(sizes, rng.normal(1, 0.2, count), strict=True)]

    heads, real = judge_features.table(cells(40, 24), (3,))
    alike = judge_features.table(cells(40, 60), (3,))[1]
    other = judge_features.table(cells(60, 60), (3,))[1]
    assert not judge.failing(real, alike, heads)
    assert {"total length (3)", "terminal sections (3)"} <= judge.failing(real, other, heads).keys()
    assert judge.told_apart(real, alike) < 0.75
    assert judge.told_apart(real, other) > 0.9


def test_the_judge_keeps_variants_of_a_parent_in_one_half():
    cells = [judge.Real(f"{i}", "", "L5", f"p{i // 3}") for i in range(12)]
    first, second = judge.halves(cells, 0)
    assert not {c.parent for c in first} & {c.parent for c in second}
    assert len(first) == len(second) == 6
    assert judge.halves(cells[::-1], 0)[0] != judge.halves(cells, 3)[0]
