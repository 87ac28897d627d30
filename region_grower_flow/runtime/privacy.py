"""Keeps the values of environment variables out of what is shown and logged.

Launchers print what they like, some of them their whole environment when they fail; their words go
into messages and logs, which are sent around.
"""

import os
import re
from collections.abc import Mapping

HIDDEN = "..."

_SECRET_NAMES = re.compile("TOKEN|SECRET|PASSW|CREDENTIAL|PRIVATE|API_?KEY|AUTH", re.I)
"""Names of variables whose values are hidden wherever they stand."""

MIN_SECRET = 6
"""Characters: a shorter value, such as "1" or "yes", would be found in innocent words."""


def hide_environment(text: str, environment: Mapping[str, str] | None = None) -> str:
    """A text without the values of environment variables.

    The value is hidden where the text assigns it (``NAME=value``, as ``env``, ``set`` and
    ``export -p`` print it), and everywhere when the variable's name tells of a secret. Paths and
    other values stay where they stand alone: messages need them.

    Args:
        text: what a program has printed.
        environment: {name: value}, this process's own by default.
    """
    environment = os.environ if environment is None else environment
    if "=" in text:
        for name, value in environment.items():
            if value and f"{name}=" in text:
                text = _assignment(name, value).sub(rf"\g<1>{HIDDEN}", text)
    for name, value in environment.items():
        if len(value) >= MIN_SECRET and _SECRET_NAMES.search(name):
            text = text.replace(value, HIDDEN)
    return text


def _assignment(name: str, value: str) -> re.Pattern[str]:
    """Finds ``name=value``, with or without quotes; of a long value its first line is enough."""
    first = value.splitlines()[0] if value.splitlines() else value
    return re.compile(rf"(\b{re.escape(name)}=[\"']?){re.escape(first)}")
