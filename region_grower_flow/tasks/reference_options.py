"""The options that say which reconstructions are calibrated, and in which frame."""

import luigi

from region_grower_flow import layout
from region_grower_flow.tasks.option_types import Choice, Option, Text, Whole


class Names(Option, luigi.Parameter):
    """Some names, separated by commas; none by default."""

    def __init__(self, *args, **kwargs):
        kwargs.setdefault("default", ())
        super().__init__(*args, **kwargs)

    def parse(self, x):
        """Split the text."""
        return tuple(word.strip() for word in x.split(",") if word.strip())

    def normalize(self, x):
        """A tuple of names, each once."""
        words = self.parse(x) if isinstance(x, str) else tuple(x or ())
        if not all(isinstance(word, str) and word for word in words):
            raise self._wrong(x, "names separated by commas are expected")
        return tuple(dict.fromkeys(words))

    def serialize(self, x):
        """Join the names."""
        return ",".join(x)


class ReferenceOptions:
    """Which reconstructions are calibrated, and how they are prepared."""

    mtypes = Names(
        description="Mtypes to calibrate, or to grow without an atlas, separated by commas (all)",
    )
    substitutions = Text(
        optional=True,
        result=False,
        description="YAML or JSON file of mtypes that borrow the reconstructions of others: "
        "{mtype that has cells: [mtypes that borrow]}",
    )
    morphology_frame = Choice(
        default=layout.AS_GIVEN,
        choices=layout.MORPHOLOGY_FRAMES,
        description="Reconstructions straight from an image: use them as they are given, or copies "
        "with the soma at the origin, or copies that are also turned so that the apical dendrite "
        "is along +y",
    )
    inverted_mtypes = Names(
        description="The mtypes whose apical dendrites point away from the pia, separated by "
        "commas: where copies are turned, theirs are along -y",
    )
    reference_part = Choice(
        default="all",
        choices=("all", "fit", "test"),
        description="Reconstructions of each mtype that are used: all, or one of two halves, to "
        "fit on one and to validate on the other",
    )
    split_seed = Whole(
        default=0, least=0, description="Seed of the two halves of the reconstructions"
    )
