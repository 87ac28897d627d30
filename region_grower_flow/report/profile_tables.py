"""Places of a population's neurites, as tables of a validation's page: shown, not judged."""

from region_grower_flow.report.html import number, table, tag
from region_grower_flow.validation.results import LAYERS_TABLE, PROFILES_TABLE


def profile_tables(results, part, mtype):
    """Elements on the space of an mtype; an empty list when there is nothing to show.

    Args:
        results: Results.
        part, mtype: of the rows of its tables.
    """
    about = part, mtype
    profiles, layers = (
        [row for row in results.tables.get(name, ()) if (row["part"], row["mtype"]) == about]
        for name in (PROFILES_TABLE, LAYERS_TABLE)
    )
    profiles = [row for row in profiles if row["wasserstein_um"] is not None or _inside(row)]
    if not profiles:
        return []
    elements = [tag("h3", "length along depth, without a threshold"), _profiles(profiles)]
    return [*elements, _layers(layers)] if layers else elements


def _inside(row):
    return row["inside"] is not None


def _profiles(rows):
    inside = any(map(_inside, rows))
    heads = ["neurites", "distance of the profiles (um)", *["points inside the region"] * inside]
    return table(
        heads,
        [
            [
                tag("th", _neurites(row), scope="row"),
                _number(row["wasserstein_um"]),
                *[_share(row["inside"])] * inside,
            ]
            for row in rows
        ],
    )


def _layers(rows):
    """The share of the length in each layer, reference beside synthesized."""
    return table(
        ["neurites", "layer", "length, reference", "length, synthesized"],
        [
            [
                tag("th", _neurites(row), scope="row"),
                str(row["layer"]),
                _share(row["reference"]),
                _share(row["synthesized"]),
            ]
            for row in rows
        ],
    )


def _neurites(row):
    return row["neurite_type"].removesuffix("_dendrite").replace("_", " ")


def _number(value):
    return tag("td", number(value), class_="number")


def _share(value):
    return tag("td", "\u2013" if value is None else f"{value:.1%}", class_="number")
