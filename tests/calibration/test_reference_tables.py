"""The forms of tables: neuronDB XML, CSV and TSV, and where their morphologies are found."""

import csv

import pytest

from helpers.sentences import saying, says
from region_grower_flow.calibration.dataset import read_dataset
from region_grower_flow.calibration.tables import parse_table
from region_grower_flow.errors import InvalidInputs

XML = """<?xml version="1.0" encoding="UTF-8"?>
<neurondb xmlns="http://www.example.org/neurondb">
  <listing>
    <morphology>
      <name>a</name><mtype>L5_TPC</mtype><msubtype>A</msubtype><layer>5</layer>
      <repair><use_axon>false</use_axon><use_dendrites/>
        <axon_sources><axoninput>z</axoninput></axon_sources></repair>
    </morphology>
    <morphology><name>b</name><mtype>L1_DAC</mtype><msubtype/><layer>1</layer></morphology>
    <morphology>
      <name>c</name><mtype>L1_DAC</mtype><layer>1</layer>
      <repair><use_dendrites>False</use_dendrites></repair>
    </morphology>
    <morphology/>
  </listing>
</neurondb>
"""


def parse(text, where="neurondb.xml"):
    rows, problems = parse_table(text, where)
    assert problems == []
    return rows


def found(text, where="neurondb.xml"):
    return [str(problem) for problem in parse_table(text, where)[1]]


@pytest.fixture
def cells(tmp_path):
    """A folder with the empty files of some morphologies."""
    folder = tmp_path / "cells"
    for path in ("a.h5", "b.h5", "c.h5", "L5/d.h5", "L5/e.swc", "L4/f.h5", "L5/f.h5", "X/g.h5"):
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).touch()
    return folder


def read(folder, text, name="table.csv"):
    table = folder.parent / name
    table.write_text(text, encoding="utf-8")
    return read_dataset(folder, table)


def paths(folder, dataset):
    cells = [cell for cells in dataset.mtypes.values() for cell in cells]
    return {cell.name: cell.path.removeprefix(f"{folder}/") for cell in cells}


def test_neurondb_xml(cells):
    rows = parse(XML)
    assert [(row.line, row.name, row.mtype, row.layer) for row in rows] == [
        (4, "a", "L5_TPC:A", "5"),
        (9, "b", "L1_DAC", "1"),
        (10, "c", "L1_DAC", "1"),
    ]
    assert [row.use_axon for row in rows] == [False, True, True]
    assert [row.use_dendrites for row in rows] == [True, True, False]
    dataset = read(cells, XML, "neurondb.xml")
    assert {m: [c.name for c in found] for m, found in dataset.mtypes.items()} == {
        "L5_TPC:A": ["a"],
        "L1_DAC": ["b"],
    }
    assert dataset.notes == {"L1_DAC": ["1 of its cells not used, as the table says: c"]}
    assert not dataset.mtypes["L5_TPC:A"][0].use_axon


def test_xml_is_told_by_its_content_too():
    assert parse(XML, "neurondb.dat") == parse(XML)
    assert parse("\n  " + XML.partition("?>")[2], "table") == [
        row._replace(line=row.line + 1) for row in parse(XML)
    ]


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE neurondb [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE neurondb SYSTEM "http://example.org/x.dtd">',
        '<!DOCTYPE a [<!ENTITY l "lol"><!ENTITY m "&l;&l;&l;">]>',
    ],
)
def test_entities_are_refused(doctype):
    text = XML.replace("<neurondb ", f"{doctype}\n<neurondb ").replace("<name>a", "<name>&x;")
    rows, problems = parse_table(text, "db.xml")
    assert rows == []
    (problem,) = map(str, problems)
    assert says(problem, "db.xml, line 2: | document type | entities")


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("</listing>", "", "line 16: not XML: mismatched tag"),
        ("<name>a</name>", "<name>&x;</name>", "line 5: not XML: undefined entity"),
        ("<name>a</name>", "", "line 4: the morphology has no name"),
        ("<name>a</name>", "<name>a</name><name>b</name>", "line 5: name is there twice"),
        ("<mtype>L5_TPC</mtype>", "<mtype> </mtype>", "line 4: | 'a' | no mtype"),
        ("False", "maybe", "line 10: use_dendrites | 'maybe' | true or false"),
        ("listing", "list", "db.xml: | no morphology | neurondb/listing"),
        ("<name>b", "<name>a", "line 9: | 'a' (L1_DAC) | line 4 (L5_TPC:A)"),
    ],
)
def test_bad_xml(old, new, expected):
    problems = found(XML.replace(old, new), "db.xml")
    assert any(says(problem, expected) for problem in problems), problems


def test_all_problems_of_xml_at_once():
    text = XML.replace("<name>a</name>", "").replace("False", "maybe")
    assert len(found(text)) == 2


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("name", ["table.csv", "table.tsv", "table.txt"])
def test_delimited(delimiter, name):
    header = ",Morphology,Layer,mtype,use_axon,use_dendrites,note"
    text = f'# made by hand\n{header}\n0, a ,5,"T",,False,x\n'
    text = text.replace(",", delimiter)
    if name == "table.txt" and delimiter == "\t":
        return  # is taken for a dat file, which may have tabs
    (row,) = parse(text, name)
    assert row[:7] == (3, "a", "T", "", "5", True, False)


def test_a_column_of_the_direction_of_the_pia(cells):
    dataset = read(cells, "name,mtype,pia_direction\na,T,-y\nb,T,\n")
    assert [cell.pia for cell in dataset.mtypes["T"]] == ["-y", ""]
    (problem,) = found("name,mtype,pia_direction\na,T,up\n", "t.csv")
    assert says(problem, "t.csv, line 2: pia_direction: | 'up' | direction")


def test_rows_of_combinations_are_one_cell(cells):
    dataset = read(cells, "name,mtype,etype\na,T,x\na,T,y\nb,T,x\n")
    assert [cell.name for cell in dataset.mtypes["T"]] == ["a", "b"]
    twice = XML.replace(
        "<morphology/>", XML[XML.index("<morphology>") : XML.index("<morphology><")]
    )
    assert [c.name for c in read(cells, twice, "db.xml").mtypes["L5_TPC:A"]] == ["a"]


def test_a_quoted_cell_may_hold_the_delimiter():
    (row,) = parse('name,mtype,note\na,T,"x, y"\n', "table.csv")
    assert row.mtype == "T"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("nome,mtype\na,T\n", "line 1: | header | 'name' | 'morphology'"),
        ("nome,mtype\na,T\n", "Did you mean 'nome'?"),
        ("name,type\na,T\n", "line 1: | header | 'mtype' | Did you mean 'type'?"),
        ("name,mtype\na,T,5\n", "line 2: | 3 columns | header 2"),
        ("name,mtype\na\n", "line 2: | 1 columns | header 2"),
        ("name,mtype\n,T\n", "line 2: the morphology has no name"),
        ("name,mtype\na,\n", "line 2: | 'a' | no mtype"),
        ("name,mtype,use_axon\na,T,2\n", "line 2: use_axon | '2' | true or false"),
        (
            "name,mtype,use_axon\na,T,\na,T,no\n",
            "line 3: | 'a' (T) | line 2 | other entries",
        ),
        ("name,mtype\na,T\na,U\n", "line 3: | 'a' (U) | line 2 (T)"),
        ('name,mtype\na,"T"x\n', "line 2: the table cannot be read"),
        ("name,mtype\n", "t.csv: no morphology is named"),
        ("", "t.csv: no morphology is named"),
        ("a 5 PC\n", "line 1: the header has no column"),
    ],
)
def test_bad_delimited(text, expected):
    problems = found(text, "t.csv")
    assert any(says(problem, expected) for problem in problems), problems


def test_a_column_that_is_named_twice():
    """The first counted, without a word."""
    assert says(found("name,mtype,MType\na,A,B\n", "t.csv")[0], "line 1 | column 'mtype' | once")


@pytest.mark.parametrize(
    ("text", "problems"),
    [
        ("a L5_TPC:A 5\nb L5_TPC:A 5\n", 1),
        ("a PC L5\nb PC L5\n", 1),
        ("a 5 17\nb 5 17\n", 0),
        ("a x 1\nb x IN\n", 0),
    ],
)
def test_a_dat_file_with_layers_in_the_place_of_mtypes(text, problems):
    """Its cells were those of an mtype 5."""
    told = found(text, "t.dat")
    assert len(told) == problems
    assert all(says(words, "third column | layers | in this order") for words in told)


def test_names_are_found_in_sub_folders(cells):
    dataset = read(cells, "name,mtype\na,T\nd,T\nf,L4\nL5/f,U\n")
    assert paths(cells, dataset) == {
        "a": "a.h5",
        "d": "L5/d.h5",
        "f": "L4/f.h5",  # the one in the folder of its mtype
        "L5/f": "L5/f.h5",
    }


def test_a_name_that_several_files_have(cells):
    with pytest.raises(InvalidInputs) as error:
        read(cells, "name,mtype\nf,T\n")
    assert says(error.value, "2 files | 'f' | L4, L5 | Give the table")


def test_a_dat_file_finds_sub_folders_too(cells):
    assert paths(cells, read(cells, "d 5 T\n", "x.dat")) == {"d": "L5/d.h5"}


def test_paths(cells):
    text = f"name,mtype,path\nx,T,L5/e.swc\ny,T,{cells}/L5/d.h5\nz,T,cells/a.h5\nb,T,\n"
    dataset = read(cells, text)  # the third starts from the folder of the table
    expected = {"x": "L5/e.swc", "y": "L5/d.h5", "z": "a.h5", "b": "b.h5"}
    assert paths(cells, dataset) == expected


def test_files_without_names_are_named_after_the_files(cells):
    dataset = read(cells, "file,mtype\na.h5,T\nL4/f.h5,T\nL5/f.h5,T\n")
    assert paths(cells, dataset) == {"a": "a.h5", "L4/f": "L4/f.h5", "L5/f": "L5/f.h5"}


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("../secret.h5", "'../secret.h5' | out of the folder"),
        ("/etc/passwd.h5", "'/etc/passwd.h5' | out of the folder"),
        ("L5", "'L5' | extensions .h5, .swc, .asc"),
        ("L5/zz.h5", "there is no"),
        ("L9.h5", "L9.h5 is not a file that can be read"),
    ],
)
def test_bad_paths(cells, path, expected):
    (cells / "L9.h5").mkdir()
    (cells.parent / "secret.h5").touch()
    with pytest.raises(InvalidInputs) as error:
        read(cells, f"name,mtype,path\na,T,{path}\n")
    assert says(error.value, expected)
    assert "table.csv, line 2" in str(error.value)


def test_one_file_under_two_names(cells):
    with pytest.raises(InvalidInputs) as error:
        read(cells, "name,mtype,path\na,T,\nb,T,L5/../a.h5\n")
    assert "a.h5 is already that of 'a' on line 2" in str(error.value)


def test_variants_of_a_reconstruction(cells):
    text = "name,mtype,parent_reconstruction\na,T,\nb,T,a\nc,U,1\nd,T,1\n"
    dataset = read(cells, text)
    groups = {c.name: c.group for found in dataset.mtypes.values() for c in found}
    assert groups == {"a": "", "b": "a", "c": "1 of U", "d": "1 of T"}


def test_use_axon_may_exclude_cells(cells):
    axons = read(cells, "name,mtype,use_axon\na,T,no\nb,T,\n")
    assert [cell.name for cell in axons.mtypes["T"]] == ["a", "b"]
    whole = read_dataset(cells, axons.dat_file, use_axon_excludes_cells=True)
    assert [cell.name for cell in whole.mtypes["T"]] == ["b"]
    assert whole.notes["T"] == ["1 of its cells not used, as the table says: a"]


def test_no_cell_is_left(cells):
    with pytest.raises(InvalidInputs, match=saying("use_dendrites | false | 2 morphologies")):
        read(cells, "name,mtype,use_dendrites\na,T,no\nb,T,0\n")


def test_a_cell_that_is_not_used_need_not_be_there(cells):
    dataset = read(cells, "name,mtype,use_dendrites\na,T,\nabsent,U,no\n")
    assert list(dataset.mtypes) == ["T"]
    assert list(dataset.notes) == ["U"]


@pytest.mark.parametrize(
    ("folder", "mtypes", "cells"),
    [
        ("mouse_L4_interneurons_scala", 8, 100),
        ("rat_s1_nmc2015_dendrites", 55, 323),
        ("rat_s1_sscx_obione", None, 22),
    ],
)
def test_published_tables_as_they_are(shared, folder, mtypes, cells):
    source = shared / "realdata" / folder
    dataset = read_dataset(source, source / "index.csv")
    assert dataset.n_cells == cells
    assert mtypes in (None, len(dataset.mtypes))
    with open(source / "index.csv", encoding="utf-8", newline="") as file:
        assert set(dataset.mtypes) == {row["mtype"] for row in csv.DictReader(file)}
