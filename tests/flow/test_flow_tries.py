"""A try with some of the cells: they are those that the run of all cells has, and keeps."""

import csv
import json

import pytest

pytestmark = pytest.mark.slow


def rows(flow, folder):
    with open(flow.path(folder, "nodes_ids.csv"), encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_what_was_tried_is_kept(flow):
    flow.write_cfg()
    tried = flow.command("run", "luigi.cfg", "--limit", "3", "--no-page")
    assert tried.returncode == 0, tried.stdout + tried.stderr
    assert "3 cells asked, 3 made, 0 dropped." in tried.stdout
    assert "In this run 3 cells were grown and 0 kept" in tried.stdout
    few = rows(flow, "out_limit_3")
    assert len(few) == 3
    whole = flow.command("run", "luigi.cfg", "--no-page")
    assert whole.returncode == 0, whole.stdout + whole.stderr
    assert "In this run 5 cells were grown and 3 kept" in whole.stdout
    all_rows = {row["input_id"]: row["morphology"] for row in rows(flow, "out")}
    assert len(all_rows) == 8
    assert all(all_rows[row["input_id"]] == row["morphology"] for row in few)
    # Nothing of Luigi's account is in the terminal; it is in its file.
    assert "Luigi Execution Summary" not in whole.stdout + whole.stderr
    assert "Luigi Execution Summary" in flow.path("work", "logs", "luigi.log").read_text()
    lines = [line.split()[0] for line in whole.stderr.splitlines()]
    assert lines == ["CheckInputs", "LoadAtlas", "SynthesizeChunk", "SynthesizeMorphologies"]


def test_a_try_leaves_the_table_of_all_cells_alone(flow):
    flow.options["out_morphs_df"] = "out/cells.csv"
    flow.write_cfg()
    tried = flow.command("run", "luigi.cfg", "--limit", "3", "--no-page")
    assert tried.returncode == 0, tried.stdout + tried.stderr
    assert len(rows(flow, "out_limit_3")) == 3
    assert flow.path("out_limit_3", "cells.csv").is_file()
    assert not flow.path("out", "cells.csv").exists()


def test_a_configuration_of_luigi_beside_it_does_not_count(flow):
    flow.write_cfg()
    flow.path("luigi.cfg").rename(flow.path("flow.cfg"))
    flow.path("luigi.cfg").write_text("[region_grower_flow]\nmin_hard_scale = 7\nseed = 9\n")
    done = flow.command("run", "flow.cfg", "--no-page")
    assert done.returncode == 0, done.stdout + done.stderr
    manifest = next(flow.path("work/manifests").glob("SynthesizeChunk_*.json"))
    recipe = json.loads(manifest.read_text())["recipe"]
    assert recipe["parameters"]["min_hard_scale"] == pytest.approx(0.2)
    status = flow.command("status", "flow.cfg")
    assert "A run would do nothing" in status.stdout, status.stdout
    again = flow.command("run", "flow.cfg", "--no-page")
    assert "Nothing to do" in again.stdout


def test_status_names_tries(flow):
    flow.write_cfg()
    assert flow.command("run", "luigi.cfg", "--limit", "3", "--no-page").returncode == 0
    shown = flow.command("status", "luigi.cfg").stdout.splitlines()
    place = shown.index("Tries with some of the cells:")
    assert shown[place + 1].startswith("  work_limit_3: 3 cells, made 20")
    assert len(shown) == place + 2
    of_try = flow.command("status", "--work-dir", "work_limit_3")
    assert of_try.returncode == 0
    assert "Tries" not in of_try.stdout
    assert flow.command("status", "luigi.cfg", "--limit", "3").stdout == of_try.stdout
    other = flow.command("status", "luigi.cfg", "--limit", "2").stdout
    assert "fresh" not in other
    assert "work_limit_2" in other


def test_a_try_of_a_work_folder_is_told(flow):
    flow.path("work").mkdir()
    for command in ("status", "clean"):
        process = flow.command(command, "work", "--mtypes", "PC")
        assert process.returncode == 2
        assert "options --limit and --mtypes: choose a try of a flow.cfg" in process.stderr


def test_a_try_of_an_mtype_that_no_cell_has_is_refused(flow):
    flow.write_cfg()
    process = flow.command("run", "luigi.cfg", "--mtypes", "PK")
    assert process.returncode == 2
    assert "no cell is of the mtype 'PK'" in process.stderr
    assert not flow.path("out_PK").exists()
