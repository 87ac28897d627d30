"""Options of what is added to generated parameters."""

from region_grower_flow.tasks.option_types import Choice, Text


class FitOptions:
    """Fits and rules that complete the parameters."""

    trunk_fits = Choice(
        default="none",
        choices=("none", "asked", "all"),
        description="Laws of trunk angles in 3D fitted to the reconstructions: none; those asked "
        "for by rules, overrides or base parameters that name a mode without values; or all",
    )
    trunk_rules = Text(
        optional=True,
        result=False,
        description="YAML or JSON file of the mode and form of trunk angles, by mtype (or "
        "'default') and neurite type",
    )
    scaling_rules = Text(
        optional=True,
        result=False,
        description="YAML or JSON file of limits and targets in the layers, by mtype (or "
        "'default') and neurite type",
    )
    path_fit_trees = Choice(
        default="first",
        choices=("first", "all"),
        description="Trees of a reconstruction that count in the fit of path distances against "
        "extents, for targets: the first of its type, or all",
    )
