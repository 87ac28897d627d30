"""The options of placing cells, of slicing them, and of choosing their axons."""

import math

import luigi

from region_grower_flow.tasks.option_types import Choice, Number, Option, Switch, Text, Whole
from region_grower_flow.tasks.options import WorkOptions


class Names(Option, luigi.Parameter):
    """Some names, separated by commas or white space."""

    def parse(self, x):
        """Split the text."""
        if x is None:
            return None
        return tuple(x.replace(",", " ").split()) or None

    def normalize(self, x):
        """A tuple of different names, None for none."""
        words = self.parse(x) if isinstance(x, str) else x
        return None if not words else tuple(dict.fromkeys(str(word) for word in words))

    def serialize(self, x):
        """Join the names."""
        return "" if x is None else ",".join(x)


class Numbers(Option, luigi.Parameter):
    """Some finite numbers, separated by commas or white space.

    Args:
        count: how many there must be, None for any number of them.
    """

    def __init__(self, *args, count=None, **kwargs):
        self.count = count
        super().__init__(*args, **kwargs)

    def parse(self, x):
        """Split the text."""
        return None if x is None else self.normalize(x.replace(",", " ").split())

    def normalize(self, x):
        """A tuple of numbers, None for none."""
        if isinstance(x, str):
            return self.parse(x)
        if x is None or not len(x):
            return None
        try:
            values = tuple(float(value) for value in x)
        except (ValueError, TypeError) as error:
            raise self._wrong(x, "numbers are expected") from error
        if not all(map(math.isfinite, values)):
            raise self._wrong(x, "finite numbers are expected")
        if self.count is not None and len(values) != self.count:
            raise self._wrong(x, f"{self.count} numbers are expected")
        if self.least is not None and min(values) < self.least:
            raise self._wrong(x, f"they must be at least {self.least}")
        return values

    def serialize(self, x):
        """Join the numbers."""
        return "" if x is None else ",".join(f"{value!r}" for value in x)


class PlacementOptions(WorkOptions):
    """Where cells are placed, and how many."""

    densities = Text(
        result=False,
        description="YAML file of the densities (cells/mm3) of each mtype: brainbuilder's cell "
        "composition, or {mtype: {region: density}}; a density is a number or a volume",
    )
    atlas = Text(result=False, description="Folder of the atlas")
    density_factor = Number(
        default=1.0, least=0.0, description="Factor of all densities, for fewer or more cells"
    )
    density_rounding = Choice(
        default="nearest",
        choices=("nearest", "stochastic"),
        description="How the expected number of cells of an entry becomes a whole one: the "
        "nearest, or down or up at random with the expected mean",
    )
    placed_region = Text(
        optional=True,
        description="Region that all cells must be in: an acronym, or '@' and a regular "
        "expression (without it all regions of the densities)",
    )
    boundary_distance = Number(
        default=0.0,
        least=0.0,
        description="Least distance (um) of cells from the boundary of placed_region, or of all "
        "regions of the densities together",
    )
    placement_mask = Text(
        optional=True,
        result=False,
        description="Volume that is not 0 where cells may be: its name in the atlas, or a file",
    )
    placement_seed = Whole(
        default=0, least=0, shown=True, description="Seed of the cells' voxels and positions"
    )
    region_structure = Text(
        optional=True,
        result=False,
        description="YAML file of the regions, that the cells' layers are found with; without it "
        "only the densities can give layers",
    )
    mtype_taxonomy = Text(
        optional=True,
        result=False,
        description="Table with the columns mtype, mClass and sClass, for the properties "
        "morph_class and synapse_class",
    )
    hemisphere_volume = Text(
        optional=True,
        result=False,
        description="Volume of 1 (left), 2 (right) and 0, for the property hemisphere: its name "
        "in the atlas, or a file",
    )
    placed_orientations = Choice(
        default="identity",
        choices=("identity", "atlas"),
        description="Orientations of the placed cells; synthesis looks them up in the atlas itself",
    )
    placed_population = Text(default="default", description="Name of the cells' SONATA population")
    placed_cells = Text(
        optional=True,
        result=False,
        shown=True,
        description="File of the placed cells (.h5 or .mvd3; in the work folder)",
    )
    out_placement_mask = Text(
        optional=True,
        result=False,
        description="NRRD file for the voxels that may hold cells (1) after region, mask and "
        "distance",
    )


class PlanesOptions(WorkOptions):
    """Planes across an atlas."""

    atlas = Text(result=False, description="Folder of the atlas")
    planes_region = Text(
        description="Region that is cut: an acronym, or '@' and a regular expression"
    )
    planes_type = Choice(
        default="aligned",
        choices=("aligned", "straight", "curved"),
        description="The line that the planes are at right angles to: along an axis, straight "
        "between two ends of the region, or along the region",
    )
    planes_count = Whole(default=10, least=1, description="Number of slices")
    planes_thickness = Number(default=100.0, least=1e-3, description="Thickness of a slice (um)")
    planes_axis = Whole(
        default=0, least=0, most=2, description="Axis of aligned planes: 0 (x), 1 (y) or 2 (z)"
    )
    planes_first = Numbers(
        optional=True,
        count=3,
        description="First end of the line, x,y,z in um (found from the region without it)",
    )
    planes_last = Numbers(optional=True, count=3, description="Last end of the line, x,y,z in um")
    planes_hemisphere = Choice(
        default="both",
        choices=("both", "left", "right"),
        description="Half of the atlas that is cut: left is below the middle of the third axis",
    )
    out_planes = Text(
        optional=True,
        result=False,
        shown=True,
        description="JSON file of the planes (in the work folder)",
    )


class SliceOptions(WorkOptions):
    """Which of the cells are taken."""

    slice_from = Text(result=False, description="File of the cells to take some of (.h5, .mvd3)")
    sliced_cells = Text(
        optional=True,
        result=False,
        shown=True,
        description="File of the cells that were taken (.h5 or .mvd3; in the work folder)",
    )
    slice_mtypes = Names(
        optional=True, description="Mtypes that are taken, separated by commas (all without it)"
    )
    slice_n_cells = Whole(
        default=0,
        least=0,
        description="Cells of each mtype that are taken at random, in each slice when there are "
        "planes (0: all)",
    )
    slice_seed = Whole(default=0, least=0, description="Seed of what is taken at random")
    slice_every = Whole(
        default=1, least=1, description="Take every so manieth of the cells (1: all)"
    )
    slice_box = Numbers(
        optional=True,
        count=6,
        description="Box that the cells are in: least x,y,z and greatest x,y,z (um)",
    )
    slice_hemisphere = Choice(
        default="both",
        choices=("both", "left", "right"),
        description="Half that the cells are in, by their property hemisphere, else by the plane "
        "in the middle of the atlas",
    )
    slice_midplane = Number(
        optional=True,
        description="Where the plane between left (below) and right is on the third axis (um), "
        "instead of the middle of the atlas",
    )
    atlas = Text(
        optional=True,
        result=False,
        description="Folder of the atlas, for the plane in its middle",
    )
    slice_planes = Text(
        optional=True,
        result=False,
        description="JSON or YAML file of pairs of planes: cells between the planes of a pair are "
        "taken",
    )


class AxonChoiceOptions(WorkOptions):
    """Which axon is grafted on which cell."""

    input_cells = Text(result=False, description="File of the cells that need axons (.h5, .mvd3)")
    axon_donors = Text(
        result=False,
        description="Table of the donors: dat (name, layer, mtype), neuronDB XML, or CSV with "
        "name, mtype and perhaps layer and use_axon",
    )
    base_morph_dir = Text(
        optional=True,
        result=False,
        description="Folder of the donors' morphologies (h5), which scores are computed from",
    )
    axon_choice = Choice(
        default="random",
        choices=("random", "layers", "rules"),
        description="How a donor is chosen: at random, by how its axon fits the layers, or by "
        "placement rules and annotations",
    )
    axon_seed = Whole(default=0, least=0, shown=True, description="Seed of the choice")
    axon_alpha = Number(
        default=1.0, least=0.0, description="A donor's weight is its score to this power"
    )
    axon_scales = Numbers(
        optional=True,
        least=1e-3,
        description="Scales of each donor that are tried (not scaled without them)",
    )
    axon_bias = Choice(
        default="linear",
        choices=("uniform", "linear", "gaussian"),
        description="How scales other than 1 lower a score",
    )
    axon_tolerance = Number(
        default=30.0,
        least=0.0,
        description="An axon that would pass the pia by this much (um) is not chosen; below it the "
        "score falls linearly",
    )
    axon_limits_only = Switch(
        description="Of placement rules only the limits count, not the intervals"
    )
    axon_home = Text(
        optional=True,
        result=False,
        description="YAML file of the column that the donors come from: {layer: thickness in um}, "
        "or {thicknesses: ..., soma_depths: {donor or mtype: um}} (the thicknesses of the region "
        "structure without it)",
    )
    placement_rules = Text(
        optional=True, result=False, description="XML file of placement rules, for the choice rules"
    )
    placement_annotations = Text(
        optional=True,
        result=False,
        description="JSON file, or folder of XML files, of the donors' annotations",
    )
    atlas = Text(optional=True, result=False, description="Folder of the atlas, for the scores")
    region_structure = Text(
        optional=True,
        result=False,
        description="YAML file of the regions: layers, thicknesses, for the scores",
    )
    max_without_axon = Number(
        default=1.0,
        least=0.0,
        most=1.0,
        description="Greatest ratio, per mtype, of cells that get no axon",
    )
    chosen_axons = Text(
        optional=True,
        result=False,
        shown=True,
        description="Table of each cell's axon morphology, for morph_axon (in the work folder)",
    )
