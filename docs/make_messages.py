"""Make the page of every sentence that the package can print, read from its source.

``python docs/make_messages.py`` writes ``docs/messages.rst``. What is filled in is in braces.
"""

from __future__ import annotations

import ast
import re
from pathlib import Path

import region_grower_flow

LEAST_WORDS = 3
"""Words of a text from which it is a sentence, or part of one."""
INTRODUCTION = """\
Messages
========

Every sentence that the package can print, or part of one, by the room that says it; what is
filled in is in braces. An error begins with its place (a file, key, row or option), says what is
wrong, and ends with what to do. Made from the source by ``python docs/make_messages.py``.
"""


def sentences(source: str) -> list[str]:
    """The texts of a module that read like sentences, in the order of its lines; no docstrings."""
    tree = ast.parse(source)
    silent = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    inner = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
        if part is not node
    }
    found = []
    for node in ast.walk(tree):
        if id(node) in silent or id(node) in inner or not isinstance(node, ast.expr):
            continue
        text = _text(node)
        if text is not None and _is_sentence(text):
            found.append((node.lineno, node.col_offset, " ".join(text.split())))
    return list(dict.fromkeys(text for *_, text in sorted(found)))


def _text(node: ast.AST) -> str | None:
    """The text of an expression, with what is filled in in braces; None for no text."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(
            _filled(part.value) if isinstance(part, ast.FormattedValue) else str(part.value)
            for part in node.values
            if isinstance(part, ast.FormattedValue | ast.Constant)
        )
    return None


def _filled(expression: ast.AST) -> str:
    """Values that are filled in, by their last names."""
    names = re.findall(r"[A-Za-z_]+", ast.unparse(expression).split("(")[0])
    return "{" + (names[-1] if names else "...") + "}"


def _is_sentence(text: str) -> bool:
    words = re.findall(r"(?<![\\w{])[A-Za-z][a-z']*(?![\\w}])", text)
    markup = text.lstrip().startswith(("<", ".", "#", "[", "/")) or "http" in text
    return len(words) >= LEAST_WORDS and not markup


def page() -> str:
    """The page (reStructuredText)."""
    lines = [INTRODUCTION]
    package = Path(region_grower_flow.__file__).parent
    for room in sorted(p for p in package.iterdir() if p.is_dir() and p.name != "__pycache__"):
        found = []
        for path in sorted(room.rglob("*.py")):
            found += sentences(path.read_text(encoding="utf-8"))
        if found:
            lines += [room.name, "-" * len(room.name), ""]
            lines += [f"* ``{text.replace('``', chr(39))}``" for text in dict.fromkeys(found)]
            lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    Path(__file__).with_name("messages.rst").write_text(page(), encoding="utf-8")
