"""Places of the parts of an example dataset."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from region_grower_flow.io.atomic import PathLike

ATLASES = ("column", "curved")
BOTH = "both"


@dataclass(frozen=True)
class ExamplePaths:
    """Places of the parts of an example (None: not asked for).

    ``nodes``, ``atlas`` and ``axons`` belong to the column, ``*_curved`` to the curved atlas,
    ``*_field`` to the hippocampal field, which comes with both.
    """

    folder: Path
    morphologies: Path
    mtypes: Path
    donors: Path
    donor_table: Path
    densities: Path
    overrides: Path
    region_structure: Path
    region_structure_regions: Path
    region_structure_boundaries: Path
    atlas: Path | None
    nodes: Path | None
    axons: Path | None
    atlas_curved: Path | None
    nodes_curved: Path | None
    axons_curved: Path | None
    atlas_field: Path | None
    nodes_field: Path | None
    region_structure_field: Path | None
    overrides_field: Path | None
    substitutions_field: Path | None

    @classmethod
    def of(cls, folder: PathLike, atlas: str = BOTH) -> ExamplePaths:
        """The paths of an example in ``folder``."""
        folder = Path(folder)
        column = folder if atlas in (BOTH, "column") else None
        curved = folder if atlas in (BOTH, "curved") else None
        field = folder if atlas == BOTH else None
        return cls(
            folder=folder,
            morphologies=folder / "morphologies",
            mtypes=folder / "mtypes.dat",
            donors=folder / "donors",
            donor_table=folder / "donors.csv",
            densities=folder / "densities.yaml",
            overrides=folder / "parameter_overrides.json",
            region_structure=folder / "region_structure.yaml",
            region_structure_regions=folder / "region_structure_regions.yaml",
            region_structure_boundaries=folder / "region_structure_boundaries.yaml",
            atlas=column and column / "atlas_column",
            nodes=column and column / "nodes.h5",
            axons=column and column / "axons.tsv",
            atlas_curved=curved and curved / "atlas_curved",
            nodes_curved=curved and curved / "nodes_curved.h5",
            axons_curved=curved and curved / "axons_curved.tsv",
            atlas_field=field and field / "atlas_field",
            nodes_field=field and field / "nodes_field.h5",
            region_structure_field=field and field / "region_structure_field.yaml",
            overrides_field=field and field / "parameter_overrides_field.json",
            substitutions_field=field and field / "substitutions_field.yaml",
        )
