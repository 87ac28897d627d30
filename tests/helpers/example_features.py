"""The features of a cell that the targets are stated in (NeuroM's definitions, on flat arrays)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from region_grower_flow.example.growth import RALL
from region_grower_flow.example.overrides import section_lengths
from region_grower_flow.morphology import APICAL_DENDRITE, AXON, BASAL_DENDRITE, FlatMorphology

NEAR_SOMA = 10
"""Points of a trunk that its diameter is averaged over."""
NAMES = {"basal": BASAL_DENDRITE, "apical": APICAL_DENDRITE, "axon": AXON}


def measure(morphology: FlatMorphology) -> dict[str, float]:
    """Measure one cell.

    Args:
        morphology: :class:`~region_grower_flow.morphology.FlatMorphology`, soma at the origin.

    Returns:
        {feature: value}: for ``basal``, ``apical`` and ``axon`` when it has them, ``*_trees``,
        ``*_length`` (um), ``*_bifurcations``, ``*_trunk_diameter``
        (um), ``*_radius`` (um, farthest point from the soma);
        ``soma_radius`` (um), ``top`` (um above the soma), ``verticality`` (vertical extent over
        the larger horizontal one), and over its dendrites the medians of ``tortuosity``,
        ``tip_diameter`` (um), ``rall_ratio``, and the mean ``bifurcation_angle`` (rad, remote).
    """
    contour = morphology.soma_points
    features = {"soma_radius": float(np.linalg.norm(contour - contour.mean(axis=0), axis=1).mean())}
    lengths = section_lengths(morphology)
    children = children_of(morphology)
    for name, section_type in NAMES.items():
        chosen = np.flatnonzero(morphology.types == section_type)
        if len(chosen):
            features.update(_of_type(name, chosen, morphology, lengths, children))
    dendrites = np.flatnonzero(morphology.types != AXON)
    points = np.concatenate([morphology.section(i) for i in dendrites])
    extent = points.max(axis=0) - points.min(axis=0)
    features["top"] = float(points[:, 1].max())
    features["verticality"] = float(extent[1] / max(extent[0], extent[2]))
    features.update(_of_branches(dendrites, morphology, lengths, children))
    return features


def children_of(morphology: FlatMorphology) -> list[list[int]]:
    """The list of child sections of each section."""
    children: list[list[int]] = [[] for _ in range(morphology.n_sections)]
    for section, parent in enumerate(morphology.parents):
        if parent >= 0:
            children[parent].append(section)
    return children


def _of_type(
    name: str,
    chosen: np.ndarray,
    morphology: FlatMorphology,
    lengths: np.ndarray,
    children: Sequence[Sequence[int]],
) -> dict[str, float]:
    points = np.concatenate([morphology.section(i) for i in chosen])
    roots = chosen[morphology.parents[chosen] < 0]
    near = [morphology.diameters[morphology.offsets[i] :][:NEAR_SOMA].mean() for i in roots]
    return {
        f"{name}_trees": len(roots),
        f"{name}_length": float(lengths[chosen].sum()),
        f"{name}_bifurcations": sum(len(children[i]) > 1 for i in chosen),
        f"{name}_trunk_diameter": float(np.mean(near)),
        f"{name}_radius": float(np.linalg.norm(points, axis=1).max()),
    }


def _of_branches(
    dendrites: np.ndarray,
    morphology: FlatMorphology,
    lengths: np.ndarray,
    children: Sequence[Sequence[int]],
) -> dict[str, float]:
    tortuosity, tips, rall, angles = [], [], [], []
    for i in dendrites:
        points = morphology.section(i)
        tortuosity.append(lengths[i] / max(np.linalg.norm(points[-1] - points[0]), 1e-6))
        end = morphology.diameters[morphology.offsets[i + 1] - 1]
        if not children[i]:
            tips.append(end)
            continue
        starts = np.array([morphology.diameters[morphology.offsets[c]] for c in children[i]])
        rall.append((starts**RALL).sum() / end**RALL)
        chords = [morphology.section(c)[-1] - morphology.section(c)[0] for c in children[i][:2]]
        cosine = chords[0] @ chords[1] / np.prod([np.linalg.norm(chord) for chord in chords])
        angles.append(np.arccos(np.clip(cosine, -1.0, 1.0)))
    return {
        "tortuosity": float(np.median(tortuosity)),
        "tip_diameter": float(np.median(tips)),
        "rall_ratio": float(np.median(rall)) if rall else 1.0,
        "bifurcation_angle": float(np.mean(angles)) if angles else float("nan"),
    }
