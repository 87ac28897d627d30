"""Pages: everything is escaped, whole in one file, and well formed."""

import re

import pytest

from helpers.page_reader import Page
from helpers.report_factory import HOSTILE, results, summary
from region_grower_flow.io.words import duration, size_words
from region_grower_flow.report.figures import ShownFigure
from region_grower_flow.report.page import SYMBOLS, threshold_words, validation_page, write_page
from region_grower_flow.report.run_page.words import warnings_of
from region_grower_flow.report.templates import number


@pytest.fixture(scope="module")
def page():
    return validation_page(results())


def test_pages_are_well_formed(page):
    read = Page(page)
    assert page.startswith("<!DOCTYPE html>")
    assert len(read.ids) == len(set(read.ids))
    assert all(not re.search(r"\s", name) for name in read.ids)
    assert read.tags.count("h1") == read.tags.count("title") == 1


def test_links_lead_to_places_of_the_page(page):
    read = Page(page)
    assert read.links
    assert all(link.startswith("#") and link[1:] in read.ids for link in read.links)


def test_hostile_names_are_words(page):
    read = Page(page)
    assert "script" not in read.tags
    assert '<script>alert("x")</script>' in read.text
    assert "<script" not in page
    assert "\u202e" not in page  # would turn the order of what follows


def test_nothing_comes_from_outside(page):
    read = Page(page)
    assert not {"link", "iframe", "object", "embed", "base", "form"} & set(read.tags)
    assert all(source.startswith("data:image/") for source in read.sources)
    assert not re.search(r"https?://|url\(|@import", page)
    assert "default-src &#39;none&#39;" in page


def test_the_parser_finds_faults():
    with pytest.raises(AssertionError):
        Page("<div><p></div></p>")
    with pytest.raises(AssertionError):
        Page('<p onclick="x">a</p>')


def test_verdicts_have_words_and_symbols():
    page = validation_page(results())
    for word, symbol in SYMBOLS.items():
        assert f"{symbol} {word}</span>" in page
    text = Page(page).text
    assert "All reconstructions: 2 of the 9 tests that decide fail, in 2 of 2 mtypes." in text
    assert "0.612" in text
    assert "0.100 to 0.900" in text
    assert not re.search(r"\bnan\b", text)


def test_every_test_is_on_the_page():
    found = results()
    text = Page(validation_page(found)).text
    for verdict in found.verdicts:
        assert verdict["test"] in text


def test_the_table_has_a_row_per_mtype_with_the_worst_verdict_of_each_tier():
    page = validation_page(results(["A", "B"]))
    table = page[page.index('<table class="verdicts">') :]
    table = table[: table.index("</table>")]
    assert table.count("<tr>") == 3
    row = table[table.index(">B<") :]
    assert re.findall(r'class="verdict [\w-]+">(.*?)</span>', row) == [
        "✓ pass",
        "✗ fail",
        "? no power",
        "○ not testable",
    ]
    assert "1/1" in row
    assert "0/2" in row


def test_what_is_reported_of_space_is_on_the_page():
    found = results(["A"])
    about = {"part": "full", "mtype": "A", "neurite_type": "basal_dendrite"}
    found.extend("profiles", [{**about, "wasserstein_um": 12.25, "inside": 0.875}])
    found.extend("layers", [{**about, "layer": "SP", "reference": 0.25, "synthesized": 0.75}])
    part = validation_page(found)
    part = part[part.index('id="full-A"') : part.index('id="part-holdout"')]
    cells = re.findall(r"<t[dh]\b[^>]*>([^<]*)</t[dh]>", part[part.index("without a threshold") :])
    assert cells == [
        *("neurites", "distance of the profiles (um)", "points inside the region"),
        *("basal", "12.2", "87.5%"),
        *("neurites", "layer", "length, reference", "length, synthesized"),
        *("basal", "SP", "25.0%", "75.0%"),
    ]


def test_populations_of_barcodes_are_said():
    found = results(["A"])
    about = {"part": "full", "mtype": "A", "neurite_type": "basal_dendrite"}
    found.extend("profiles", [{**about, "wasserstein_um": None, "inside": None}])
    found.populations["full"]["A"] |= {"reference": "barcodes", "n_reference": None}
    text = Page(validation_page(found)).text
    assert "12 synthesized cells; the reference is barcodes" in text
    assert "9 reference, 12 synthesized cells." in text
    assert "length along depth" not in text
    assert "None" not in text


def test_mtypes_without_a_test_do_not_hide_those_with_one():
    names = [f"M{i}" for i in range(12)]
    found = results(names)
    for name in names:
        found.populations["full"][name]["sentence"] = f"No test: 1 reconstruction of {name}."
    found.populations["full"]["M7"]["sentence"] = "Agrees with 24 reconstructions in length."
    text = validation_page(found)
    assert "<details><summary>11 mtypes without a test of shapes</summary>" in text
    places = [text.index(f"</a>: {words}") for words in ("Agrees with", "No test: 1")]
    assert places == sorted(places)
    few = results(["A"])
    few.populations["full"]["A"]["sentence"] = "No test: 1 reconstruction."
    assert "<details open><summary>1 mtype without a test" in validation_page(few)


def test_a_feature_that_differs_by_chance_does_not_decide():
    found = results(["A"])
    for verdict in found.verdicts:
        if verdict["test"] == "features":
            verdict["verdict"] = "pass"
    page = validation_page(found)
    table = page[page.index('<table class="verdicts">') :]
    row = table[table.index(">A<") :]
    assert re.findall(r'class="verdict [\w-]+">(.*?)</span>', row)[1] == "✓ pass"
    assert "no test that decides fails" in page


@pytest.mark.slow
def test_figures_of_a_validation_are_files_and_on_the_page(tmp_path):
    paths = write_page(results(["A", HOSTILE]), tmp_path / "validation")
    page = paths[-1]
    assert page.name == "validation.html"
    figures = paths[:-1]
    # Per part: the scores, and the features and depths of each mtype.
    assert len(figures) == 2 * (1 + 2 * 2)
    assert all(path.parent == tmp_path / "validation" / "figures" for path in figures)
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in figures)
    assert len(Page(page.read_text(encoding="utf-8")).sources) == len(figures)


def test_a_validation_without_mtypes_has_a_page():
    from region_grower_flow.validation.results import Results

    assert "0 tests of 0 mtypes" in Page(validation_page(Results())).text


def test_warnings_name_great_losses_and_fallbacks():
    sentences = list(warnings_of(summary()))
    assert sentences[0].endswith(
        "3 of 20 cells were dropped, mostly: the soma lies below its layers"
    )
    assert sentences[1].startswith("2 cells were grown by NeuroTS itself")
    assert len(sentences) == 2


def test_numbers_for_people():
    assert number(1234567) == "1,234,567"
    assert number(0.123456) == "0.123"
    assert number(0.00012) == "1.2e-04"
    assert number(12345.6) == "12,346"
    assert number(None) == number(float("nan")) == "\u2013"
    assert number(0.0) == "0.000"
    assert threshold_words({"mvs": 0.25, "cells": 8}) == "mvs 0.250, cells 8"
    assert threshold_words([0.0, 1.5]) == "0.000 to 1.5"
    expected = ["0.0 s", "59 s", "10 min 00 s", "2 h 30 min"]
    assert [duration(s, decimals=1) for s in (0.04, 59, 600, 9000)] == expected
    assert [size_words(s) for s in (None, 12, 2_500_000)] == ["\u2013", "12 B", "2.5 MB"]


def test_attributes_are_escaped():
    picture = ShownFigure(b"x", "png", '"><b>', part="full")
    page = validation_page(results(["A"]), [picture])
    assert 'alt="&#34;&gt;&lt;b&gt;"' in page
    assert Page(page).sources == ["data:image/png;base64,eA=="]


def test_columns_that_say_nothing_are_left_out():
    page = validation_page(results(["A"]))
    part = page[page.index('id="full-A"') :]
    heads = re.findall(r"<h3>(\w+) .*?<thead>(.*?)</thead>", part, flags=re.DOTALL)
    by_tier = {tier: re.findall(r'<th scope="col">(.*?)</th>', head) for tier, head in heads}
    assert by_tier["structure"] == ["test", "verdict", "what it says"]
    assert "90 % interval" in by_tier["morphometrics"]
    assert "p" not in by_tier["trunks"]
