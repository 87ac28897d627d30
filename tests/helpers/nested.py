"""Other values deep in JSON and YAML content."""

LEFT_OUT = object()
"""Stands for a key that is taken away."""


def set_at(content, keys, value):
    """Set ``content[k1][k2]...`` to a value, or take the last key away when that is LEFT_OUT."""
    *way, last = keys
    for key in way:
        content = content[key]
    if value is LEFT_OUT:
        del content[last]
    else:
        content[last] = value
