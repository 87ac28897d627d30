"""Pages from templates: every text is escaped, and shown as words whatever it holds.

Pages are whole in one file: style inline, pictures as data, nothing from outside; they can be
mailed, kept beside the data and read without a network.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from region_grower_flow.errors import counted, printable
from region_grower_flow.io.atomic import PathLike

if TYPE_CHECKING:
    import jinja2

TEMPLATES = Path(__file__).with_name("templates")
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"
"""No script, no request: a browser that is told so holds to it."""
DASH = "\u2013"
"""Text in the place of a value that there is not."""

_MEDIA = {"svg": "svg+xml"}


def render(template: str, filters: Mapping[str, Callable[..., Any]], **values: Any) -> str:
    """The page that a template of this folder makes of some values, as text.

    Args:
        template: its name.
        filters: {name: function} of its own.
        values: {name: value}.
    """
    style = Markup((TEMPLATES / "style.css").read_text(encoding="utf-8"))
    found = environment(TEMPLATES, **filters).get_template(template)
    return found.render(style=style, policy=POLICY, **values)


def environment(*folders: PathLike, **filters: Callable[..., Any]) -> jinja2.Environment:
    """The jinja2 Environment of templates in some folders.

    Args:
        folders: where templates are looked for.
        filters: {name: function} beside ``number``, ``counted``, ``share`` and ``uri``.
    """
    import jinja2

    found = jinja2.Environment(
        loader=jinja2.FileSystemLoader([str(folder) for folder in folders]),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    found.filters.update(number=number, counted=counted, share=share, uri=data_uri, **filters)
    return found


def _shown(value: object) -> object:
    """Characters that steer a terminal or a reader are shown as escapes."""
    if value is None:
        return ""
    if isinstance(value, str) and not isinstance(value, Markup):
        return printable(value, kept="\n")
    return value


def data_uri(data: bytes, kind: str = "webp") -> Markup:
    """The bytes of a picture as an address."""
    encoded = base64.b64encode(data).decode("ascii")
    return Markup(f"data:image/{_MEDIA.get(kind, kind)};base64,{encoded}")


def number(value: object, digits: int = 3) -> str:
    """A number for people: thousands apart, few digits, a dash for none."""
    if value is None or value != value:
        return DASH
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if value != 0 and abs(value) < 10**-digits:
        return f"{value:.1e}"
    if abs(value) >= 10_000:
        return f"{value:,.0f}"
    return f"{value:.{digits}g}" if abs(value) >= 1 else f"{value:.{digits}f}"


def share(value: float | None) -> str:
    """A part of one in percent, a dash for none."""
    return DASH if value is None else f"{value:.1%}"
