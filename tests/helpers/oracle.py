"""The libraries that the engine's results are defined by: are they installed?"""

from importlib.metadata import version

import pytest


def _release(package):
    return tuple(int(part) for part in version(package).split(".")[:2])


needs_oracle = pytest.mark.skipif(
    _release("neurots") < (3, 7) or _release("numpy") >= (2, 0),
    reason="the growth of NeuroTS before 3.7 ignores the atlas, and numpy 2 rounds otherwise: "
    "the oracle is NeuroTS 3.7 with numpy 1 (Python 3.10 to 3.12)",
)
