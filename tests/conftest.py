"""Fixtures that all tests share."""

from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared():
    """The folder of golden scenarios and real data beside the checkout; skips when absent."""
    if not (SHARED / "golden").is_dir():
        pytest.skip("no folder 'shared' beside the checkout")
    return SHARED


@pytest.fixture(scope="session")
def kernels():
    """Compiled kernels on disk, before anything that is timed out starts a process."""
    from region_grower_flow.engine import cache

    cache.fill()
