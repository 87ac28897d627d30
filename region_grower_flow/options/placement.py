"""The options of placing cells, of slicing them, and of choosing their axons."""

from region_grower_flow.options.group import Group
from region_grower_flow.options.kinds import (
    Choice,
    Names,
    Number,
    Numbers,
    Place,
    Ratio,
    Seed,
    Switch,
    Text,
    Whole,
)
from region_grower_flow.options.space import Space


class Placement(Group):
    """Placement of cells: where, and how many."""

    TITLE = "Placement"

    densities = Place[str](
        "YAML file of the densities (cells/mm3) of each mtype: brainbuilder's cell composition, or "
        "{mtype: {region: density}}; a density is a number or a volume",
        optional=False,
    )
    atlas = Space.atlas
    density_factor = Number[float](
        "Factor of all densities, for fewer or more cells", default=1.0, least=0.0
    )
    density_rounding = Choice(
        "How the expected number of cells of an entry becomes a whole one: the nearest, or down or "
        "up at random with the expected mean",
        ("nearest", "stochastic"),
    )
    placed_region = Text["str | None"](
        "Region that all cells must be in: an acronym, or '@' and a regular expression (without it "
        "all regions of the densities)",
        optional=True,
    )
    boundary_distance = Number[float](
        "Least distance (um) of cells from the boundary of placed_region, or of all regions of the "
        "densities together",
        default=0.0,
        least=0.0,
    )
    placement_mask = Place["str | None"](
        "Volume that is not 0 where cells may be: its name in the atlas, or a file"
    )
    placement_seed = Seed(
        "Seed of what is placed: positions of cells, which of them a slice takes, and the choice "
        "of their axons",
        shown=True,
    )
    region_structure = Space.region_structure.where_optional(
        "YAML file of the regions, that the cells' layers are found with; without it only the "
        "densities can give layers"
    )
    mtype_taxonomy = Place["str | None"](
        "Table with the columns mtype, mClass and sClass, for the properties morph_class and "
        "synapse_class"
    )
    hemisphere_volume = Place["str | None"](
        "Volume of 1 (left), 2 (right) and 0, for the property hemisphere: its name in the atlas, "
        "or a file"
    )
    placed_orientations = Choice(
        "Orientations of the placed cells; synthesis looks them up in the atlas itself",
        ("identity", "atlas"),
    )
    placed_population = Text[str]("Name of the cells' SONATA population", default="default")
    placed_cells = Place["str | None"](
        "File of the placed cells (.h5 or .mvd3; in the work folder)", shown=True
    )
    out_placement_mask = Place["str | None"](
        "NRRD file for the voxels that may hold cells (1) after region, mask and distance"
    )


class Planes(Group):
    """Planes across an atlas."""

    TITLE = "Planes"

    atlas = Space.atlas
    planes_region = Text[str]("Region that is cut: an acronym, or '@' and a regular expression")
    planes_type = Choice(
        "The line that the planes are at right angles to: along an axis, straight between two ends "
        "of the region, or along the region",
        ("aligned", "straight", "curved"),
    )
    planes_count = Whole[int]("Number of slices", default=10, least=1)
    planes_thickness = Number[float]("Thickness of a slice (um)", default=100.0, least=1e-3)
    planes_axis = Whole[int](
        "Axis of aligned planes: 0 (x), 1 (y) or 2 (z)", default=0, least=0, most=2
    )
    planes_first = Numbers(
        "First end of the line, x,y,z in um (found from the region without it)", count=3
    )
    planes_last = Numbers("Last end of the line, x,y,z in um", count=3)
    planes_hemisphere = Choice(
        "Half of the atlas that is cut: left is below the middle of the third axis",
        ("both", "left", "right"),
    )
    out_planes = Place["str | None"]("JSON file of the planes (in the work folder)", shown=True)


class Slicing(Group):
    """Conditions that the cells of a slice meet."""

    TITLE = "Slices"

    slice_from = Place[str]("File of the cells to take some of (.h5, .mvd3)", optional=False)
    sliced_cells = Place["str | None"](
        "File of the cells that were taken (.h5 or .mvd3; in the work folder)", shown=True
    )
    slice_mtypes = Names("Mtypes that are taken, separated by commas (all without it)")
    slice_n_cells = Whole[int](
        "Cells of each mtype that are taken at random, in each slice where there are planes (0: "
        "all)",
        default=0,
        least=0,
    )
    placement_seed = Placement.placement_seed
    slice_every = Whole[int]("Take each n-th of the cells (1: all)", default=1, least=1)
    slice_box = Numbers("Box that the cells are in: least x,y,z and greatest x,y,z (um)", count=6)
    slice_hemisphere = Choice(
        "Half that the cells are in, by their property hemisphere, else by the plane in the middle "
        "of the atlas",
        ("both", "left", "right"),
    )
    slice_midplane = Number["float | None"](
        "Where the plane between left (below) and right is on the third axis (um), instead of the "
        "middle of the atlas",
        optional=True,
    )
    atlas = Space.atlas.where_optional("Folder of the atlas, for the plane in its middle")
    slice_planes = Place["str | None"](
        "JSON or YAML file of pairs of planes: cells between the planes of a pair are taken"
    )


class AxonChoice(Group):
    """Choice of the axon that is grafted on each cell."""

    TITLE = "Choice of axons"

    input_cells = Space.input_cells.but(
        description="File of the cells that need axons (.h5, .mvd3)"
    )
    axon_donors = Place[str](
        "Table of the donors: dat (name, layer, mtype), neuronDB XML, or CSV with name, mtype and "
        "perhaps layer and use_axon",
        optional=False,
    )
    base_morph_dir = Space.base_morph_dir.but(
        description="Folder of the donors' morphologies (h5), which scores are computed from"
    )
    axon_choice = Choice(
        "How a donor is chosen: at random, by how its axon fits the layers, or by placement rules "
        "and annotations",
        ("random", "layers", "rules"),
    )
    placement_seed = Placement.placement_seed
    axon_alpha = Number[float](
        "A donor's weight is its score to this power", default=1.0, least=0.0
    )
    axon_scales = Numbers(
        "Scales of each donor that are tried (not scaled without them)", least=1e-3
    )
    axon_bias = Choice(
        "How scales other than 1 lower a score",
        ("uniform", "linear", "gaussian"),
        default="linear",
    )
    axon_tolerance = Number[float](
        "An axon that would pass the pia by this much (um) is not chosen; below it the score falls "
        "linearly",
        default=30.0,
        least=0.0,
    )
    axon_limits_only = Switch("Of placement rules only the limits count, not the intervals")
    axon_home = Place["str | None"](
        "YAML file of the column that the donors come from: {layer: thickness in um}, or "
        "{thicknesses: ..., soma_depths: {donor or mtype: um}} (the thicknesses of the region "
        "structure without it)"
    )
    placement_rules = Place["str | None"]("XML file of placement rules, for the choice rules")
    placement_annotations = Place["str | None"](
        "JSON file, or folder of XML files, of the donors' annotations"
    )
    atlas = Space.atlas.where_optional("Folder of the atlas, for the scores")
    region_structure = Space.region_structure.where_optional(
        "YAML file of the regions: layers, thicknesses, for the scores"
    )
    max_without_axon = Ratio("Greatest ratio, per mtype, of cells that get no axon", default=1.0)
    chosen_axons = Place["str | None"](
        "Table of each cell's axon morphology, for morph_axon (in the work folder)", shown=True
    )
