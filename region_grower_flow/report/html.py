"""HTML by function calls: everything is escaped unless it was made here.

Pages are whole in one file: style inline, pictures as data, no script, nothing from outside; they
can be mailed, kept beside the data and read without a network.
"""

import base64
import html

from region_grower_flow.errors import printable

_VOID = {"meta", "img", "br", "hr", "col"}
_PARAGRAPHS = {"p", "tr", "section", "details", "table", "figure", "div", "ul", "li", "summary"}
_MEDIA = {"png": "image/png", "svg": "image/svg+xml"}


class Html(str):
    """Text that is HTML already, made by :func:`tag`."""

    __slots__ = ()


def tag(name, /, *children, **attributes):
    """An element; children that are no :class:`Html` are text, and escaped.

    Args:
        name: of the element.
        children: texts, Html, numbers, lists of these; None is left out.
        attributes: ``class_`` stands for ``class``; True gives an attribute without a value, None
            and False none.
    """
    words = [name]
    for key, value in attributes.items():
        key = key.rstrip("_").replace("_", "-")
        if value is True:
            words.append(key)
        elif value is not None and value is not False:
            words.append(f'{key}="{html.escape(printable(value, kept=""))}"')
    start = f"<{' '.join(words)}>"
    if name in _VOID:
        return Html(start)
    end = f"</{name}>" + ("\n" if name in _PARAGRAPHS else "")
    return Html(f"{start}{join(children)}{end}")


def join(children):
    """Some children one after the other, as Html."""
    return Html("".join(_child(child) for child in children))


def _child(child):
    if child is None:
        return ""
    if isinstance(child, Html):
        return child
    if isinstance(child, list | tuple):
        return join(child)
    return html.escape(_text(child))


def _text(child):
    """Line ends stay, other characters that steer a terminal or a reader are shown as escapes."""
    return printable(child, kept="\n")


def picture(data, kind, description, **attributes):
    """An image element that holds the bytes of a PNG or SVG file."""
    encoded = base64.b64encode(data).decode("ascii")
    source = f"data:{_MEDIA[kind]};base64,{encoded}"
    return Html(tag("img", alt=description, **attributes)[:-1] + f' src="{source}">')


def figure(data, kind, caption, description=None):
    """A picture with words below it."""
    return tag("figure", picture(data, kind, description or caption), tag("figcaption", caption))


def table(columns, rows, **attributes):
    """A table that scrolls by itself when it is wider than the page.

    Args:
        columns: the heads.
        rows: lists of cells: texts, Html, or elements ``td`` and ``th`` made by :func:`tag`.
    """
    head = tag("tr", [tag("th", column, scope="col") for column in columns])
    body = [tag("tr", [_table_cell(cell) for cell in row]) for row in rows]
    whole = tag("table", tag("thead", head), tag("tbody", body), **attributes)
    return tag("div", whole, class_="scroll", tabindex="0")


def _table_cell(cell):
    if isinstance(cell, Html) and cell.startswith(("<td", "<th")):
        return cell
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        return tag("td", number(cell), class_="number")
    return tag("td", cell)


def number(value, digits=3):
    """A number for people: thousands apart, few digits, a dash for none."""
    if value is None or value != value:
        return "\u2013"
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if value != 0 and abs(value) < 10**-digits:
        return f"{value:.1e}"
    if abs(value) >= 10_000:
        return f"{value:,.0f}"
    return f"{value:.{digits}g}" if abs(value) >= 1 else f"{value:.{digits}f}"


def details(summary, *children, open_=False, **attributes):
    """A part that is shown on demand (and whole when printed)."""
    return tag("details", tag("summary", summary), *children, open=open_, **attributes)


def document(title, *children):
    """The whole page."""
    head = [
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        # No script, no request: a browser that is told so holds to it.
        tag("meta", http_equiv="Content-Security-Policy", content=POLICY),
        tag("title", title),
        tag("style", Html(STYLE)),
    ]
    body = tag("body", tag("main", *children))
    return Html(f"<!DOCTYPE html>\n{tag('html', tag('head', head), body, lang='en')}\n")


POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

STYLE = """
:root { --ink: #1f2933; --muted: #5b6770; --line: #d9dee3; --soft: #f4f7f9; --accent: #2563c9;
  --good: #11663a; --good-fill: #e2f4e9; --bad: #a11f18; --bad-fill: #fbe6e4;
  --weak: #8a5a00; --weak-fill: #fdf1d6; --none: #5b6770; --none-fill: #eceff2; }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: #fff; color: var(--ink);
  font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif; }
main { max-width: 82rem; margin: 0 auto; padding: 1.5rem 1.25rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .3rem; }
h2 { font-size: 1.25rem; margin: 2.4rem 0 .6rem; padding-top: .6rem;
  border-top: 1px solid var(--line); }
h3 { font-size: 1.02rem; margin: 1.2rem 0 .4rem; }
p { margin: .4rem 0 .8rem; max-width: 48rem; }
a { color: var(--accent); }
.lead { color: var(--muted); margin-top: 0; overflow-wrap: anywhere; }
.small, figcaption { color: var(--muted); font-size: .86rem; }
.cards { display: flex; flex-wrap: wrap; gap: .7rem; margin: 1rem 0; padding: 0; list-style: none; }
.cards li { flex: 1 1 8rem; border: 1px solid var(--line); border-radius: .5rem;
  padding: .6rem .8rem; background: var(--soft); }
.cards b { display: block; font-size: 1.5rem; line-height: 1.2; }
.cards span { color: var(--muted); font-size: .86rem; }
.scroll { overflow-x: auto; margin: .5rem 0 1rem; }
table { border-collapse: collapse; font-size: .88rem; }
th, td { border-bottom: 1px solid var(--line); padding: .32rem .4rem; text-align: left;
  vertical-align: top; }
thead th { position: sticky; top: 0; background: #fff; white-space: nowrap; color: var(--muted);
  font-weight: 600; border-bottom: 2px solid var(--line); }
tbody th { font-weight: 600; white-space: nowrap; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
td.words { min-width: 15rem; }
td.words, tbody th { overflow-wrap: anywhere; }
.verdict { display: inline-block; border-radius: .3rem; padding: .05rem .45rem; font-weight: 600;
  font-size: .82rem; white-space: nowrap; }
.pass { color: var(--good); background: var(--good-fill); }
.fail { color: var(--bad); background: var(--bad-fill); }
.no-power { color: var(--weak); background: var(--weak-fill); }
.not-testable { color: var(--none); background: var(--none-fill); }
.banner { border-left: .35rem solid; border-radius: .3rem; padding: .7rem 1rem; margin: 1rem 0; }
.banner b { font-size: 1.1rem; }
ul.plain { padding-left: 1.1rem; } ul.plain li { margin: .15rem 0; overflow-wrap: anywhere; }
.bar { display: block; height: .55rem; min-width: 6rem; background: var(--none-fill);
  border-radius: .3rem; overflow: hidden; }
.bar i { display: block; height: 100%; background: var(--accent); }
.bar i.lost { background: var(--bad); }
details { border: 1px solid var(--line); border-radius: .5rem; margin: .5rem 0;
  padding: 0 .9rem; background: #fff; }
code { overflow-wrap: anywhere; }
details[open] { padding-bottom: .6rem; }
summary { cursor: pointer; padding: .5rem 0; font-weight: 600; overflow-wrap: anywhere; }
summary .verdict { margin-left: .35rem; }
figure { margin: 1rem 0 1.4rem; }
figure img { max-width: 100%; height: auto; display: block; border: 1px solid var(--line);
  border-radius: .4rem; background: #fff; }
figcaption { margin-top: .35rem; max-width: 56rem; }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: .4rem;
  padding: .7rem; overflow-x: auto; font-size: .8rem; white-space: pre-wrap;
  overflow-wrap: anywhere; }
nav { margin: .8rem 0; display: flex; flex-wrap: wrap; gap: .3rem 1rem; font-size: .92rem; }
footer { margin-top: 3rem; color: var(--muted); font-size: .84rem; }
@media (max-width: 40rem) { main { padding: 1rem .8rem 3rem; } h1 { font-size: 1.35rem; }
  .cards li { flex-basis: 6.5rem; } details { padding: 0 .6rem; } }
@media print { body { font-size: 10pt; } main { max-width: none; padding: 0; }
  nav { display: none; } h2 { break-after: avoid; } figure, tr, .banner { break-inside: avoid; }
  .scroll { overflow: visible; } thead th { position: static; }
  details > summary { list-style: none; } details { border: 0; padding: 0; }
  details::details-content { content-visibility: visible; display: block; }
  * { -webkit-print-color-adjust: exact; print-color-adjust: exact; } }
"""
