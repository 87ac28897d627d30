"""Print pip constraints to the oldest versions that setup.cfg allows, for this Python.

``make test-oldest`` installs the package with them and runs the quick half of the tests.
"""

import configparser
from pathlib import Path

# Every environment with pip has it; this script runs before anything is installed.
from pip._vendor.packaging.requirements import Requirement

SETUP = Path(__file__).resolve().parents[1] / "setup.cfg"


def oldest(lines):
    """``name==version`` of each requirement with a lower bound that holds for this Python."""
    for line in lines:
        requirement = Requirement(line)
        if requirement.marker is None or requirement.marker.evaluate():
            for bound in requirement.specifier:
                if bound.operator in (">=", "=="):
                    yield f"{requirement.name}=={bound.version}"


def requirements():
    """The lines of setup.cfg that name what is installed, extras included."""
    config = configparser.ConfigParser()
    config.read(SETUP, encoding="utf-8")
    texts = [config["options"]["install_requires"], *config["options.extras_require"].values()]
    return [line for text in texts for line in text.splitlines() if line.strip()]


if __name__ == "__main__":
    print(*oldest(requirements()), sep="\n")
