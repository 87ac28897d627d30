"""Provenance of a page's numbers: versions, fingerprints, options."""

import json

from region_grower_flow.report.html import details, table, tag


def provenance_section(provenance, options):
    """The last section of a page.

    Args:
        provenance: a JSON-able dict; ``fingerprint``, ``recipe`` (with ``packages``) and
            ``seconds`` get tables of their own.
        options: {name: value}.
    """
    provenance = dict(provenance or {})
    recipe = provenance.get("recipe") or {}
    packages = provenance.get("versions") or provenance.get("packages") or recipe.get("packages")
    files = recipe.get("files")
    fingerprint = provenance.get("fingerprint") or recipe.get("fingerprint")
    return [
        tag("h2", "Provenance", id="provenance"),
        tag("p", "Fingerprint: ", tag("code", fingerprint)) if fingerprint else None,
        details("Options", _pairs(options)) if options else None,
        details("Versions of packages", _pairs(packages)) if packages else None,
        details("Files that were read", _pairs(files)) if files else None,
        details("All of it, as JSON", tag("pre", _json(provenance))) if provenance else None,
    ]


def _pairs(values):
    rows = [
        [tag("th", name, scope="row"), tag("td", _words(value), class_="words")]
        for name, value in sorted(values.items())
    ]
    return table(["name", "value"], rows)


def _words(value):
    if value is None:
        return "\u2013"
    if isinstance(value, dict | list | tuple):
        return _json(value, indent=None)
    return str(value)


def _json(value, indent=1):
    return json.dumps(value, indent=indent, sort_keys=True, ensure_ascii=False, default=str)
