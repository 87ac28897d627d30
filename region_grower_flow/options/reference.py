"""The options of the reconstructions."""

from region_grower_flow import layout
from region_grower_flow.options.group import Group
from region_grower_flow.options.kinds import Choice, Names, Number, Place, Seed, Text


class Reference(Group):
    """Reconstructions that are calibrated, and their preparation."""

    TITLE = "Reconstructions"

    morphologies_dir = Place["str | None"]("Folder of the reconstructed morphologies")
    dat_file = Place["str | None"](
        "Table of the reconstructions and their mtypes: dat (name, a layer that is ignored, "
        "mtype), neuronDB XML, or CSV or TSV with a header"
    )
    morphologies_ext = Choice(
        "Extension of the reconstructed morphologies that the table names without their paths",
        (*layout.MORPHOLOGY_EXTENSIONS, *(f".{kind}" for kind in layout.MORPHOLOGY_EXTENSIONS)),
    )
    use_axon_excludes = Choice(
        "What use_axon = false in the table leaves out: the axon of a cell, or the whole cell, as "
        "in synthesis-workflow",
        ("axon", "cell"),
    )
    on_bad_morphology = Choice(
        "What to do with a reconstruction that cannot be used: fail, or leave it out and say so",
        ("fail", "skip"),
    )
    mtypes = Names(
        "Mtypes to calibrate, or to grow without an atlas, separated by commas (those of the "
        "cells, or all)"
    )
    substitutions = Place["str | None"](
        "YAML or JSON file of mtypes that borrow the reconstructions of others: "
        "{mtype that has cells: [mtypes that borrow]}"
    )
    morphology_frame = Choice(
        "Reconstructions straight from an image: use them as they are given, or copies with the "
        "soma at the origin, or copies that are also turned so that the apical dendrite is along "
        "+y",
        layout.MORPHOLOGY_FRAMES,
    )
    pia_direction = Text["str | None"](
        "Direction of the pia in the files of the reconstructions, an axis (-y) or three numbers "
        "(0 -1 0), by which copies are turned (with morphology_frame = center_and_orient) even "
        "where nothing in a cell shows it, as in interneurons; a column pia_direction of the table "
        "says it for each cell",
        optional=True,
    )
    shrinkage_z = Number[float](
        "Factor by which slices were thicker, along z, than they are in the files: copies of the "
        "reconstructions are stretched by it about their somas (1: they are not)",
        default=1.0,
        least=0.1,
        most=10.0,
    )
    inverted_mtypes = Names(
        "The mtypes whose apical dendrites point to the white matter, separated by commas: they "
        "grow so, and where copies are turned theirs are along -y"
    )
    reference_part = Choice(
        "Reconstructions of each mtype that are used: all, or one of two halves, to fit on one and "
        "to validate on the other",
        ("all", "fit", "test"),
    )
    validation_seed = Seed(
        "Seed of what is compared and shown: halves of the reconstructions, samples, permutations, "
        "bootstraps, and the cells of reports"
    )
