"""Growth by NeuroTS itself: the oracle of the compiled engine, and what grows the rest.

``grow_with_neurots`` prepares NeuroTS's inputs for one cell as region-grower's ``SpaceWorker``
does, and returns the same flat arrays as the compiled engine.
"""

from __future__ import annotations

import copy
import functools
import warnings
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from region_grower_flow.engine.model import Grown, GrowthSite, Params, ScalingLog
from region_grower_flow.errors import DropCell, GrowthFailed
from region_grower_flow.morphology import FlatMorphology
from region_grower_flow.record.fingerprint import package_versions

if TYPE_CHECKING:
    from region_grower_flow.space.scaling import BarcodeScaling

SOUND_NEUROTS = (3, 7)
"""The first version (major, minor) whose growth heeds the atlas's orientation and boundaries."""


def is_sound(version: str | None, least: tuple[int, int] = SOUND_NEUROTS) -> bool:
    """True if a version of NeuroTS (a text, None when it is absent) is at least the given one."""
    return version is not None and tuple(int(part) for part in version.split(".")[:2]) >= least


@functools.cache
def installed_version() -> str | None:
    """The version of the installed NeuroTS, None when there is none."""
    return package_versions(["neurots"])["neurots"]


def grow_with_neurots(
    params: Params, distributions: Params, site: GrowthSite, rng: np.random.Generator
) -> Grown:
    """Grow and diametrize one cell with :class:`neurots.NeuronGrower`.

    Args:
        params: NeuroTS parameters of the mtype (left as they are).
        distributions: NeuroTS distributions of the mtype (left as they are).
        site: the GrowthSite of the cell.
        rng: the cell's :class:`numpy.random.Generator`.

    Returns:
        Grown, in the atlas's coordinates.

    Raises:
        GrowthFailed: NeuroTS raised NeuroTSError or ValueError; another attempt may do better.
        DropCell: NeuroTS raised anything else, or is of a version that would ignore the atlas.
    """
    if not is_sound(installed_version()):
        raise DropCell(
            f"only NeuroTS itself could grow it, and version {installed_version()} ignores the "
            "atlas's orientation and boundaries (3.7.0 is needed)"
        )
    import neurots
    from diameter_synthesis import build_diameters

    log: ScalingLog = {}
    own = cell_params(params, site, log)
    external = own["diameter_params"]["method"] == "external"
    try:
        with warnings.catch_warnings():
            # NeuroTS warns for each proposal that it gives up on: thousands of lines in a run.
            warnings.simplefilter("ignore")
            grower = neurots.NeuronGrower(
                input_parameters=own,
                input_distributions=distributions,
                context=growth_context(own, site),
                external_diametrizer=build_diameters.build if external else None,
                skip_preprocessing=True,
                rng_or_seed=rng,
            )
            grower.grow()
    except (neurots.NeuroTSError, ValueError) as error:
        raise GrowthFailed(f"{type(error).__name__}: {error}") from error
    except Exception as error:
        raise DropCell(f"NeuroTS failed with {type(error).__name__}: {error}") from error
    return Grown(
        morphology=FlatMorphology.from_morphio(grower.neuron),
        apical_sections=list(grower.apical_sections),
        engine="neurots",
        scaling_log=log,
    )


def cell_params(params: Params, site: GrowthSite, log: ScalingLog) -> dict[str, Any]:
    """The mtype's parameters as NeuroTS needs them for one cell (a copy).

    Lists of orientations are turned into the atlas's frame; barcode scaling becomes NeuroTS's
    ``modify``. ``log`` receives what the debug data say about the scaling.
    """
    own = copy.deepcopy(dict(params))
    for kind in own["grow_types"]:
        orientation = own[kind]["orientation"]
        if isinstance(orientation, list):
            own[kind]["orientation"] = [
                np.dot(site.orientation, vector).tolist() for vector in orientation
            ]
        if kind in site.scaling:
            scaling = site.scaling[kind]
            funct = _scale_barcode(scaling, log.setdefault(scaling.kind, []))
            own[kind]["modify"] = {"funct": funct, "kwargs": {}}
    own["origin"] = np.asarray(site.position, dtype=float).tolist()
    return own


def growth_context(params: Params, site: GrowthSite) -> dict[str, Any]:
    """NeuroTS's context of one cell: the direction of the pia and the space constraints."""
    context = {}
    if any(isinstance(params[kind]["orientation"], dict) for kind in params["grow_types"]):
        context["y_direction"] = site.y_direction.tolist()
    if site.constraints:
        context["constraints"] = [constraint.as_neurots() for constraint in site.constraints]
    return context


def _scale_barcode(
    scaling: BarcodeScaling, log: list[dict[str, float]]
) -> Callable[..., list[list[float]]]:
    """A NeuroTS ``modify`` function: scale bifurcations and terminations by one factor.

    A closure, since NeuroTS deep-copies the parameters: the log must stay ours.
    """

    def scale(barcode: list[list[float]], _context: object) -> list[list[float]]:
        longest = float(np.nanmax([bar[0] for bar in barcode]))
        ratio = scaling.ratio(longest)
        log.append({"max_ph": longest, "scaling_ratio": ratio})
        return [[bar[0] * ratio, bar[1] * ratio, *bar[2:]] for bar in barcode]

    return scale
