"""Parts of the real world that tests need, and machines may lack."""

import importlib
import importlib.util
import os

import pytest


def needs(present, sentence):
    """Skip with a sentence when a real part is absent, or fail where it has been promised."""
    if not present:
        if os.environ.get("RGF_REQUIRE_REAL_PARTS") == "1":
            pytest.fail(f"{sentence}; it is required here")
        pytest.skip(sentence)


def neuroc_scale():
    """The module of neuroc that region-grower jitters and scales trees with.

    neuroc pins scikit-learn before 1.5, which turns principal axes otherwise than later ones:
    ``make`` installs it without what it depends on.
    """
    sentence = "neuroc is not installed (pip install --no-deps neuroc==0.3.0)"
    needs(importlib.util.find_spec("neuroc"), sentence)
    return importlib.import_module("neuroc.scale")
