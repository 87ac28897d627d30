"""The options of the cells and the space around them."""

from region_grower_flow import layout
from region_grower_flow.options.group import Group
from region_grower_flow.options.kinds import Names, Number, Place, Ratio, Switch, Text, Whole


class Space(Group):
    """The cells to place, the atlas, and the axons to graft on the cells."""

    TITLE = "Cells and atlas"

    input_cells = Place[str](
        "SONATA (.h5) or MVD3 (.mvd3) file of the cells to place: positions, mtypes, regions",
        optional=False,
    )
    population = Text["str | None"](
        "SONATA population of the cells to place, where their file holds several; with its node "
        "group (cortex/1) where it has several",
        optional=True,
    )
    atlas = Place[str]("Folder of the atlas", optional=False)
    atlas_cache = Place["str | None"](
        "Accepted for region-grower's sake; an atlas is a folder here, and nothing is fetched",
        identity=False,
    )
    region_structure = Place[str](
        "YAML file of the regions: layers, thicknesses, boundaries, directions",
        default=layout.REGION_STRUCTURE,
    )
    cells_limit = Whole["int | None"](
        "Grow only so many of the cells, of all mtypes in turn, for a try (all without)",
        optional=True,
        least=1,
    )
    cells_mtypes = Names("Grow only cells of these mtypes, for a try (all without any)")
    region_map = Names(
        "Regions of cells by the names of the atlas, as S1FL:SSCX, separated by commas; * stands "
        "for any text: *@left:*"
    )
    allow_no_layers = Switch(
        "Grow cells that no entry of the region structure serves, without layers and limits",
        identity=False,
    )
    min_depth = Number[float]("Least depth of a cell in its region (um)", default=25.0)
    max_depth = Number[float]("Greatest depth of a cell in its region (um)", default=5000.0)
    morph_axon = Place["str | None"](
        "Table of the axon morphology, and its scale, to graft on each cell"
    )
    base_morph_dir = Place["str | None"]("Folder of the axon morphologies (h5)")
    max_drop_ratio = Ratio(
        "Greatest ratio, per mtype, of cells without morphology in the axon table",
        default=0.0,
        identity=False,
    )
