"""The options of how a cell is grown: all of them reach every worker."""

from region_grower_flow.layout import MORPHOLOGY_EXTENSIONS
from region_grower_flow.options.group import Group
from region_grower_flow.options.kinds import Choice, Extensions, Number, Whole
from region_grower_flow.options.model import Model


class Growth(Group):
    """Growth of cells, with or without an atlas, and the form of their morphologies."""

    TITLE = "Growth"

    seed = Whole[int]("Seed; each cell adds its row to it", default=0, shown=True)
    engine = Choice(
        "What grows cells: the compiled engine, or NeuroTS itself", ("compiled", "neurots")
    )
    extra_apicals = Choice(
        "Cells with more trees than their parameters have orientations: drop them, as "
        "region-grower does, or sample the orientations from the reconstructions",
        ("drop", "sample"),
    )
    synthesize_axons = Model.synthesize_axons
    scaling_jitter_std = Number["float | None"](
        "Standard deviation of the scale of grafted axons' sections", optional=True, least=0.0
    )
    rotational_jitter_std = Number["float | None"](
        "Standard deviation (degrees) of the rotation of grafted axons' sections",
        optional=True,
        least=0.0,
    )
    min_hard_scale = Number[float](
        "A neurite that the limits would scale by less than this is removed",
        default=0.2,
        least=0.0,
    )
    out_morph_ext = Extensions(
        f"Formats of the morphologies: {', '.join(MORPHOLOGY_EXTENSIONS)}", default=("h5",)
    )
