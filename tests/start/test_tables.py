"""The table that is made of folders and names of reconstructions."""

import csv
import io

import pytest

from helpers.sentences import says
from region_grower_flow.errors import InvalidInput
from region_grower_flow.start.tables import find_table


def test_a_table_that_is_made_holds_paths_below_the_folder(tmp_path):
    for name in ("L5_TPC/a.swc", "L5_TPC/b, left.swc", "L1_HAC/c.swc"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("1 1 0 0 0 1 -1\n2 3 0 1 0 1 1\n3 3 0 2 0 1 2\n")
    found = find_table(tmp_path, ["L5_TPC", "L1_HAC"])
    rows = list(csv.reader(io.StringIO(found.text)))
    assert sorted(rows[1:]) == [
        ["L1_HAC/c.swc", "L1_HAC"],
        ["L5_TPC/a.swc", "L5_TPC"],
        ["L5_TPC/b, left.swc", "L5_TPC"],
    ]


def test_cells_in_a_work_folder_among_the_reconstructions_are_none(tmp_path):
    cell = "1 1 0 0 0 1 -1\n2 3 0 1 0 1 1\n3 3 0 2 0 1 2\n"
    for place in ("L5_TPC/a.swc", "work/prepared_reconstructions/a.swc", "work/L5_TPC/b.swc"):
        (tmp_path / place).parent.mkdir(parents=True)
        (tmp_path / place).write_text(cell)
    for place in (tmp_path, tmp_path / "work"):  # of the folder itself nothing is passed over
        (place / "manifests").mkdir()
    assert find_table(tmp_path, ["L5_TPC"]).text.split() == ["path,mtype", "L5_TPC/a.swc,L5_TPC"]


def reconstructions(folder, *names):
    folder.mkdir()
    for name in names:
        (folder / f"{name}.swc").write_text("1 1 0 0 0 1 -1\n2 3 0 1 0 1 1\n3 3 0 2 0 1 2\n")
    return folder


@pytest.mark.parametrize("name", ["mtypes.dat", "index.dat", "neuronDB.dat"])
def test_a_table_beside_the_folder_is_found(tmp_path, name):
    folder = reconstructions(tmp_path / "cells", "a", "b")
    (tmp_path / name).write_text("a 1 L1_HAC\nb 5 L5_TPC\n")
    found = find_table(folder, [])
    assert (found.path, found.how) == (tmp_path / name, f"{name} beside the folder")
    (folder / "own.dat").write_text("a 1 L1_HAC\n")
    assert find_table(folder, []).path == folder / "own.dat"


def test_a_table_of_other_cells_beside_the_folder_is_not_taken(tmp_path):
    folder = reconstructions(tmp_path / "cells", "L1_HAC_a", "L5_TPC_b")
    (tmp_path / "mtypes.dat").write_text("x 1 L1_HAC\ny 5 L5_TPC\nL1_HAC_a 1 L1_HAC\n")
    assert find_table(folder, ["L1_HAC", "L5_TPC"]).how == "made of names of files"


TABLES = {
    "a,b\nL1_HAC_a,L1_HAC\n": "no column 'mtype'",
    "name,mtype\nL1_HAC_a,L1_HAC\nL1_HAC_a,L5_TPC\n": "L1_HAC_a",
    "name,mtype,by\nL1_HAC_a,L1_HAC,M\xfcller\n": "it is no UTF-8 text",
}


@pytest.mark.parametrize(("text", "problem"), TABLES.items(), ids=range(len(TABLES)))
def test_a_table_in_the_folder_that_is_not_used_is_told(tmp_path, text, problem):
    """It may say what the names of the files do not."""
    folder = reconstructions(tmp_path / "cells", "L1_HAC_a", "L5_TPC_b")
    (folder / "mtypes.csv").write_text(text, encoding="latin-1")
    found = find_table(folder, ["L1_HAC", "L5_TPC"])
    assert found.how == "made of names of files"
    (told,) = found.passed_over
    assert says(told, "mtypes.csv | folder of reconstructions | not used: ")
    assert problem in told
    with pytest.raises(InvalidInput, match="table mtypes"):
        find_table(reconstructions_of_no_mtype(tmp_path, text), [])


def reconstructions_of_no_mtype(tmp_path, text):
    folder = reconstructions(tmp_path / "others", "a", "b")
    (folder / "mtypes.csv").write_text(text, encoding="latin-1")
    return folder
