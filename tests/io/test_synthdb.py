"""Parameters and distributions in the layout of synthdb: a file per mtype and region."""

import json
import sqlite3

import pytest

from helpers.mtype_factory import mtype_distributions, mtype_parameters
from helpers.sentences import saying
from region_grower_flow.engine.parameters import check_mtypes, load_distributions, load_parameters
from region_grower_flow.errors import InvalidInput
from region_grower_flow.io import synthdb

PREFIX = {synthdb.PARAMETERS: "params", synthdb.DISTRIBUTIONS: "distr"}
LOAD = {synthdb.PARAMETERS: load_parameters, synthdb.DISTRIBUTIONS: load_distributions}


def split(folder, data, kind, config="luigi_rat"):
    """Write {region: {mtype: entry}} as synthdb does; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for region, mtypes in data.items():
        for mtype, entry in mtypes.items():
            path = folder / f"{PREFIX[kind]}_{config}_{region}_{mtype}.json"
            path.write_text(json.dumps({region: {mtype: entry}}), encoding="utf-8")
    return folder


def models():
    parameters = {"S1": {"L5_PC:A": mtype_parameters(), "L1_IN": mtype_parameters()}}
    distributions = {"S1": {"L5_PC:A": mtype_distributions(), "L1_IN": mtype_distributions()}}
    parameters["S1"]["L1_IN"]["basal_dendrite"]["randomness"] = 0.5
    return {synthdb.PARAMETERS: parameters, synthdb.DISTRIBUTIONS: distributions}


@pytest.fixture
def database(tmp_path):
    """A folder of both kinds of files, beside others."""
    folder = tmp_path / "synthdb" / "synthesis_inputs" / "inputs"
    for kind, data in models().items():
        split(folder, data, kind)
    (folder / "README.txt").write_text("not read", encoding="utf-8")
    (folder / "annotations.json").write_text("[", encoding="utf-8")
    return folder


@pytest.mark.parametrize("kind", list(PREFIX))
def test_a_folder_is_its_merged_files(database, kind):
    wanted = models()[kind]
    assert LOAD[kind](database) == wanted
    assert LOAD[kind](database.parents[1]) == wanted  # the package's folder
    assert LOAD[kind](database.parents[2]) == wanted  # a checkout
    assert LOAD[kind](f"{database}/*luigi_rat*") == wanted
    assert [p.name for p in synthdb.model_files(database, kind)] == [
        f"{PREFIX[kind]}_luigi_rat_S1_L1_IN.json",
        f"{PREFIX[kind]}_luigi_rat_S1_L5_PC:A.json",
    ]


def test_files_as_synthdb_pulls_them(tmp_path):
    entry = mtype_parameters()
    path = tmp_path / "tmd_parameters_luigi_rat_S1_L5_PC:A.json"
    path.write_text(json.dumps({"S1": {"L5_PC:A": entry}}), encoding="utf-8")
    assert load_parameters(tmp_path) == {"S1": {"L5_PC:A": entry}}


def test_the_region_default_fills_gaps_across_files(database):
    split(database, {"default": {"GEN": mtype_parameters()}}, synthdb.PARAMETERS)
    assert set(load_parameters(database)["S1"]) == {"L5_PC:A", "L1_IN", "GEN"}


def test_an_mtype_twice_is_a_problem_unless_it_is_the_same(database):
    same = {"S1": {"L5_PC:A": mtype_parameters()}}
    split(database, same, synthdb.PARAMETERS, "luigi_again")
    load_parameters(database)
    same["S1"]["L5_PC:A"]["basal_dendrite"]["randomness"] = 0.9
    split(database, same, synthdb.PARAMETERS, "luigi_mouse")
    with pytest.raises(InvalidInput) as caught:
        load_parameters(database)
    (problem,) = caught.value.problems
    assert "L5_PC:A" in str(problem)
    assert "luigi_again" in str(problem)
    assert "params_luigi_" in problem.hint
    kept = load_parameters(f"{database}/*luigi_rat*")
    assert kept == models()[synthdb.PARAMETERS]


def test_problems_name_their_files(database):
    broken = database / "params_luigi_rat_S1_L5_PC:A.json"
    broken.write_text("{", encoding="utf-8")
    wrong = database / "params_luigi_rat_S1_L1_IN.json"
    wrong.write_text(json.dumps({"S1": {"L1_IN": {"grow_types": ["leaf"]}}}), encoding="utf-8")
    with pytest.raises(InvalidInput) as caught:
        load_parameters(database)
    assert {str(problem.where) for problem in caught.value.problems} == {str(broken), str(wrong)}


def test_what_keeps_an_mtype_from_growing_names_its_file(database):
    data = models()[synthdb.PARAMETERS]
    data["S1"]["L1_IN"]["basal_dendrite"]["randomness"] = 7
    split(database, data, synthdb.PARAMETERS)
    problems = check_mtypes(
        load_parameters(database),
        load_distributions(database),
        [("S1", "S1", "L1_IN"), ("S1", "S1", "L5_PC:A")],
        (str(database), str(database)),
    )
    assert [str(p.where) for p in problems] == [str(database / "params_luigi_rat_S1_L1_IN.json")]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("", saying("is a folder | file | of parameters")),
        ("nothing_*", r"it fits no file of parameters \(params_\*"),
    ],
)
def test_nothing_to_read(tmp_path, path, message):
    with pytest.raises(InvalidInput, match=message):
        load_parameters(tmp_path / path)


def write_index(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    columns = ("species", "brain_region", "mtype", "luigi_config", *synthdb.COLUMNS.values())
    connection = sqlite3.connect(path)
    connection.execute(f"CREATE TABLE synthesis_inputs ({', '.join(columns)})")
    marks = ", ".join("?" * len(columns))
    connection.executemany(f"INSERT INTO synthesis_inputs VALUES ({marks})", rows)
    connection.commit()
    connection.close()
    return path


def row(species, mtype, config):
    ending = f"{config}_S1_{mtype}.json"
    return (species, "S1", mtype, config, f"params_{ending}", f"distr_{ending}")


@pytest.fixture
def index(database):
    other = {"S1": {"L5_PC:A": mtype_parameters() | {"origin": [1.0, 0.0, 0.0]}}}
    split(database, other, synthdb.PARAMETERS, "luigi_mouse")
    path = database.parents[1] / "data" / "internal_db.sqlite"
    rows = [row("rat", m, "luigi_rat") for m in ("L5_PC:A", "L1_IN")]
    rows.append(row("mouse", "L5_PC:A", "luigi_mouse"))
    return write_index(path, rows)


def test_the_index_chooses_files(index):
    assert load_parameters(f"{index}#species=rat") == models()[synthdb.PARAMETERS]
    mouse = load_parameters(f"{index}#species=mouse&brain_region=S1")["S1"]
    assert list(mouse) == ["L5_PC:A"]
    assert mouse["L5_PC:A"]["origin"][0] == 1.0
    with pytest.raises(InvalidInput, match="is another one in"):
        load_parameters(index)


@pytest.mark.parametrize(
    ("filters", "message"),
    [("#species=cat", "no row for species=cat.*mouse, rat"), ("#kind=rat", "no column 'kind'")],
)
def test_bad_filters_of_the_index(index, filters, message):
    with pytest.raises(InvalidInput, match=message):
        load_parameters(f"{index}{filters}")


def test_bad_indices(tmp_path):
    path = tmp_path / "a.sqlite"
    with pytest.raises(InvalidInput, match="does not exist"):
        load_parameters(path)
    path.write_text("no database", encoding="utf-8")
    with pytest.raises(InvalidInput, match="cannot be read as synthdb's index"):
        load_parameters(path)
    path.unlink()
    write_index(path, [("rat", "S1", "A", "c", "../secret.json", "x.json")])
    with pytest.raises(InvalidInput, match="outside of its folder"):
        load_parameters(path)


@pytest.mark.slow
@pytest.mark.golden
def test_the_published_mtypes_split_into_files(shared, tmp_path):
    inputs = shared / "golden" / "synthdb_rat" / "inputs"
    for kind, name in ((synthdb.PARAMETERS, "tmd_parameters.json"),
                       (synthdb.DISTRIBUTIONS, "tmd_distributions.json")):  # fmt: skip
        # repr: the distributions hold NaN, which no NaN equals
        whole = LOAD[kind](inputs / name)
        folder = split(tmp_path / kind, json.loads((inputs / name).read_text()), kind)
        assert len(synthdb.model_files(folder, kind)) == 58
        merged = LOAD[kind](folder)
        assert {region: set(found) for region, found in merged.items()} == {
            region: set(found) for region, found in whole.items()
        }
        for region, mtypes in whole.items():
            for mtype, entry in mtypes.items():
                assert repr(merged[region][mtype]) == repr(entry)
