"""A table of bad inputs: each gets a sentence that names the place, and nothing else happens."""

import pytest
from bad_bases import make_bases
from bad_documents import DOCUMENTS
from bad_growth import GROWTH
from bad_harness import copied, synthesize
from bad_places import PLACES
from bad_space import SPACE
from bad_tables import TABLES

CASES = [*DOCUMENTS, *TABLES, *SPACE, *GROWTH, *PLACES]


@pytest.fixture(scope="module")
def bases(tmp_path_factory):
    return make_bases(tmp_path_factory.mktemp("bases"))


def marked(case):
    return pytest.param(case, id=case.name, marks=[pytest.mark.slow] if case.slow else [])


@pytest.mark.parametrize("case", map(marked, CASES))
def test_a_bad_input_is_refused(case, bases, tmp_path):
    flow = copied(bases[case.base], tmp_path / "flow")
    case.spoil(flow)
    synthesize(flow, humble=case.humble).assert_refused(case.words)
