"""Parts of the real world that tests need, and machines may lack."""

import os

import pytest


def needs(program, present):
    """Skip when a real part is absent, or fail where it has been promised."""
    if not present:
        if os.environ.get("RGF_REQUIRE_REAL_PARTS") == "1":
            pytest.fail(f"{program} is required here but is not installed")
        pytest.skip(f"{program} is not installed")
