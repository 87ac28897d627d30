"""Fixtures that all tests share."""

import os
from pathlib import Path

import pytest

SHARED = Path(__file__).resolve().parents[2] / "shared"


@pytest.fixture(scope="session")
def shared():
    """The folder of golden scenarios and real data beside the checkout; skips when absent."""
    if not (SHARED / "golden").is_dir():
        pytest.skip("no folder 'shared' beside the checkout")
    return SHARED


def needs(program, present):
    """Skip when a real part is absent, or fail where it has been promised."""
    if not present:
        if os.environ.get("RGF_REQUIRE_REAL_PARTS") == "1":
            pytest.fail(f"{program} is required here but is not installed")
        pytest.skip(f"{program} is not installed")


@pytest.fixture(scope="session")
def kernels():
    """Compiled kernels on disk, before anything that is timed out starts a process."""
    from region_grower_flow.engine import cache

    cache.fill()
