"""The merge tells of cells that failed."""

import pytest

from region_grower_flow.stages.merge import TooManyFailures, check_failures
from region_grower_flow.stages.results import WITHOUT_AXON


def summary(asked=10, **reasons):
    reasons = {WITHOUT_AXON if why == "axon" else why: n for why, n in reasons.items()}
    dropped, without = sum(reasons.values()), reasons.get(WITHOUT_AXON, 0)
    counts = {"asked": asked, "made": asked - dropped, "dropped": dropped}
    return {"mtypes": {"L5": {**counts, "without_axon": without, "reasons": reasons}}}


@pytest.mark.parametrize("reasons", [{}, {"axon": 9}, {"odd": 1}, {"odd": 1, "axon": 9}])
def test_few_failures_are_accepted(reasons):
    check_failures(summary(**reasons), max_ratio=0.1)


def test_no_cells_asked():
    check_failures(summary(asked=0), max_ratio=0.0)


def test_too_many_failures_name_the_commonest_of_them():
    with pytest.raises(TooManyFailures, match=r"L5 \(3 of 10, mostly: odd\)") as raised:
        check_failures(summary(odd=2, rare=1, axon=5), max_ratio=0.2)
    assert "More than 20%" in str(raised.value)
