"""Diameters by NeuroTS's own diametrizers, for want of prepared ones."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from region_grower_flow.errors import DropCell, GrowthFailed
from region_grower_flow.morphology import FlatMorphology

if TYPE_CHECKING:
    import numpy as np

    from region_grower_flow.engine.model import Params


class NeurotsDiameters:
    """Sets diameters as neurots.NeuronGrower does after the growth.

    Args:
        params: NeuroTS parameters of the mtype.
        distributions: NeuroTS distributions of the mtype.
    """

    def __init__(self, params: Params, distributions: Params) -> None:
        self._params = params
        self._distributions = distributions

    def apply(
        self,
        morphology: FlatMorphology,
        apical_sections: Sequence[int | None],
        rng: np.random.Generator,
    ) -> None:
        """Set the diameters of a FlatMorphology in place.

        Args:
            morphology: the FlatMorphology.
            apical_sections: sections that end at the apical points, None where there is none.
            rng: the cell's generator.

        Raises:
            GrowthFailed: NeuroTS raised ValueError or its own error.
            DropCell: NeuroTS raised anything else.
        """
        method = self._distributions["diameter"]["method"]
        if method == "no_diameters":
            return
        from neurots.generate import diametrizer
        from neurots.utils import NeuroTSError

        model = {**copy.deepcopy(self._distributions["diameter"])}
        model["apical_point_sec_ids"] = apical_sections
        settings = copy.deepcopy(self._params.get("diameter_params", {}))
        neuron = morphology.to_morphio()
        try:
            diametrizer.build(
                neuron,
                model,
                neurite_types=settings.get("neurite_types") or self._params["grow_types"],
                diam_method=self._method(method, settings),
                diam_params=settings,
                random_generator=rng,
            )
        except (NeuroTSError, ValueError) as error:
            raise GrowthFailed(f"{type(error).__name__}: {error}") from error
        except Exception as error:
            message = f"NeuroTS's diametrizer failed with {type(error).__name__}: {error}"
            raise DropCell(message) from error
        morphology.diameters[:] = FlatMorphology.from_morphio(neuron).diameters

    def _method(self, method: str, settings: dict[str, Any]) -> Any:
        """The diametrizer's name or function (mirrors NeuronGrower._init_diametrizer)."""
        from diameter_synthesis import build_diameters

        if method == "external":
            if self._params["diameter_params"]["method"] != "external":
                raise GrowthFailed("the diameters are external but their parameters are not")
            return build_diameters.build
        if method == "default":
            settings["models"] = ["simpler"]
            return build_diameters.build
        return method
