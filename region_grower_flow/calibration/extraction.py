"""NeuroTS's distributions of one mtype: the unit of work of the extraction's processes."""

import contextlib
import io
import math
import warnings
from dataclasses import dataclass

from region_grower_flow.calibration.diameter_model import DiameterModel
from region_grower_flow.calibration.populations import BASAL

BARCODE_KEYS = ("persistence_diagram", "min_bar_length")


@dataclass(frozen=True)
class ExtractionTask:
    """What one process needs to extract the distributions of an mtype.

    Attributes:
        mtype: its name.
        paths: the files of its cells.
        neurite_types: the neurite types to extract.
        thresholds: {neurite type: the least number of terminations, exclusive}.
        diameter: the DiameterModel.
        feature: TMD's filtration, one for all neurite types or {neurite type: filtration}.
        min_basal_trees: cells with one basal dendrite less count as having this number.
    """

    mtype: str
    paths: tuple
    neurite_types: tuple
    thresholds: dict
    diameter: DiameterModel
    feature: str | dict
    min_basal_trees: int = 1


def extract_mtype(task):
    """The distributions of one mtype.

    Returns:
        (mtype, distributions or None, the reason of a failure or None). What NeuroTS and the
        libraries below it raise is returned as a sentence, since most of it is about the data and
        all mtypes are to be reported together.
    """
    try:
        # NeuroTS prints about cells without basal dendrites and NumPy warns about short fits;
        # the report says both better.
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            distributions = _extract(task)
    except Exception as error:
        return task.mtype, None, f"{type(error).__name__}: {error}"
    bad = _not_finite(distributions)
    if bad:
        return task.mtype, None, f"{bad} is not a finite number"
    return task.mtype, distributions, None


def _extract(task):
    thresholds = [task.thresholds[name] for name in task.neurite_types]
    distributions = _call_neurots(task, task.neurite_types, min(thresholds))
    # NeuroTS has one threshold for all neurite types. Where one type needs a lower one, the
    # others still get the bar codes of their own.
    for threshold in sorted(set(thresholds))[1:]:
        names = tuple(name for name in task.neurite_types if task.thresholds[name] == threshold)
        stricter = _call_neurots(task, names, threshold)
        for name in names:
            kept = {key: stricter[name][key] for key in BARCODE_KEYS if key in stricter[name]}
            distributions[name].update(kept)
    if BASAL not in task.neurite_types:
        # NeuroTS's schema requires the trunk of basal dendrites even when none are grown.
        distributions[BASAL] = {"trunk": None}
    fitted = task.diameter.complete(distributions["diameter"], task.neurite_types)
    distributions["diameter"] = fitted
    return distributions


def _call_neurots(task, neurite_types, threshold):
    import morphio
    from neurots import extract_input

    morphio.set_maximum_warnings(0)
    paths = list(task.paths)
    return extract_input.distributions(
        paths,
        neurite_types=list(neurite_types),
        threshold_sec=threshold,
        diameter_input_morph=paths,
        feature=task.feature,
        diameter_model=task.diameter.fitter(task.neurite_types),
        min_n_basals=task.min_basal_trees,
    )


def _not_finite(value, path=""):
    """The path of the first number that is NaN or infinite, or None.

    Bar codes are left out: NeuroTS itself puts NaN for the angles of a tree's first bar.
    """
    if isinstance(value, float):
        return None if math.isfinite(value) else path
    if isinstance(value, dict):
        items = [
            (f"{path}.{key}" if path else str(key), inner)
            for key, inner in value.items()
            if key != BARCODE_KEYS[0]
        ]
    elif isinstance(value, list | tuple):
        items = [(f"{path}[{i}]", inner) for i, inner in enumerate(value)]
    else:
        return None
    return next(filter(None, (_not_finite(inner, inner_path) for inner_path, inner in items)), None)
