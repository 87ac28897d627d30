"""A cell under test, and the same cell as NeuroM and TMD want it."""

import dataclasses
from dataclasses import dataclass, field

from region_grower_flow.morphology import FlatMorphology


@dataclass
class ValidationCell:
    """One cell of a population under test.

    Attributes:
        name: the cell.
        morphology: FlatMorphology (um), the soma's center near the origin and the pia along +y.
        measured: what has been measured of it, so that no tier measures twice: {key: value}.
    """

    name: str
    morphology: FlatMorphology
    measured: dict = field(default_factory=dict, repr=False, compare=False)

    def once(self, key, measure):
        """``measure()``, or what it returned the first time for this key."""
        if key not in self.measured:
            self.measured[key] = measure()
        return self.measured[key]

    def neurom(self):
        """The cell as :class:`neurom.core.Morphology`."""
        from neurom.core.morphology import Morphology

        return Morphology(self.morphology.to_morphio(), name=self.name)

    def tmd(self):
        """The cell as :class:`tmd.Neuron.Neuron` (its trees by neurite type)."""
        from tmd.io.io import load_neuron_from_morphio

        return load_neuron_from_morphio(self.morphology.to_morphio().as_immutable())

    def scaled(self, factor):
        """The cell with all lengths and diameters multiplied by ``factor``, nothing measured."""
        old = self.morphology
        morphology = dataclasses.replace(
            old,
            points=old.points * factor,
            diameters=old.diameters * factor,
            soma_points=old.soma_points * factor,
            soma_diameters=old.soma_diameters * factor,
        )
        return ValidationCell(f"{self.name} x {factor:g}", morphology)
