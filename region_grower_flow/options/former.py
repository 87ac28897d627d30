"""Options under names that they once had, which configurations and commands may still give."""

from collections.abc import Mapping
from typing import Any

from region_grower_flow.errors import InvalidInput, InvalidInputs, Problems
from region_grower_flow.options.kinds import Option

FORMER_NAMES = {
    **dict.fromkeys(
        ("extraction_processes", "validation_processes", "report_processes"), "processes"
    ),
    **dict.fromkeys(("slice_seed", "axon_seed"), "placement_seed"),
    **dict.fromkeys(("split_seed", "report_seed"), "validation_seed"),
}
"""{former name of an option: its name}; several that were options of their own may have become one.
"""


def former_options(options: Mapping[str, Option]) -> dict[str, Option]:
    """{former name: option} of options {name: option}: None unless it is given."""
    former = {old: options[new] for old, new in FORMER_NAMES.items() if new in options}
    return {old: option.where_optional().but(name=old) for old, option in former.items()}


def handed_on(values: Mapping[str, Any], options: Mapping[str, Option]) -> dict[str, Any]:
    """{option: value} with the values under former names given to today's; the former are None.

    Args:
        values: {option: value} of all options.
        options: {name: option}.

    Raises:
        InvalidInputs: a value that changes results differs from that of today's name, which
            decides more than the former did: it would change what nobody asked to be changed.
    """
    found, problems = dict(values), Problems()
    for old, new in FORMER_NAMES.items():
        former = found.get(old)
        if former is None:
            continue
        found[old] = None
        if found[new] is None:
            found[new] = former
        elif options[new].result and found[new] != former:
            problem = f"{new} has taken its place, and is {found[new]}, not {former}"
            hint = f"Give {new} alone, the {options[new].description.lower()}"
            problems.append(InvalidInput(problem, f"option {old}", hint))
    if problems:
        raise InvalidInputs(problems)
    return found
