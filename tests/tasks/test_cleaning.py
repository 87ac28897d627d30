"""Removing intermediates (through the command: tests/flow/test_flow_status.py)."""

import pytest

from region_grower_flow import layout
from region_grower_flow.errors import InvalidInput
from region_grower_flow.tasks.cleaning import removing


def test_where_there_are_tries_only_they_are_named(tmp_path):
    (tmp_path / "work_limit_8" / layout.MANIFESTS).mkdir(parents=True)
    expected = r"only work_limit_8. .*clean .*work_limit_8"
    with pytest.raises(InvalidInput, match=expected), removing(tmp_path / "work", everything=True):
        pass
