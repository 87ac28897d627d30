from pathlib import Path

import pytest

from make_messages import page, sentences

SOURCE = '''
def f(count, name):
    """This docstring is no message at all."""
    problem = f"there are {count:,} cells of {name!r}"
    raise InvalidInput(problem, where, "leave one of them out")
    L.warning("these cells will be dropped")
'''


def test_sentences_are_read_from_source():
    assert sentences(SOURCE) == [
        "there are {count} cells of {name}",
        "leave one of them out",
        "these cells will be dropped",
    ]


@pytest.fixture(scope="module")
def text():
    """The page of today's source."""
    return page()


def test_the_page_has_the_sentences_of_all_rooms(text):
    for words in ("is there already, with another content", "no entry serves the regions of"):
        assert words in text


def test_the_page_in_the_docs_is_current(text):
    """``python docs/make_messages.py`` writes it anew."""
    committed = Path(__file__).resolve().parents[2] / "docs" / "messages.rst"
    assert committed.read_text(encoding="utf-8") == text
