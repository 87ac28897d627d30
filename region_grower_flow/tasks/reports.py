"""Reports that users of synthesis-workflow know, each as figures and tables of numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from region_grower_flow import options
from region_grower_flow.checks import inputs
from region_grower_flow.errors import InvalidInput
from region_grower_flow.tasks.base import FlowTask
from region_grower_flow.tasks.fits import FitPathDistances
from region_grower_flow.tasks.models import model_paths
from region_grower_flow.tasks.reconstructions import of_cells
from region_grower_flow.tasks.report_base import SHOWN, ReportTask

if TYPE_CHECKING:
    from region_grower_flow.report.placed import SynthesizedCells
    from region_grower_flow.report.slices import SliceView


class PlotMorphometrics(ReportTask):
    """Violins of the features of synthesized and reference cells, per mtype."""

    folder_name = "morphometrics"

    def report(self) -> tuple[list[Path], list[str]]:
        """See :func:`region_grower_flow.report.by_mtype.morphometrics`."""
        from region_grower_flow.report import by_mtype

        results = self.run_units(by_mtype.morphometrics, self.units())
        tables = {
            "morphometrics.csv": ("cells", None),
            "summary.csv": ("summary", by_mtype.SUMMARY_COLUMNS),
        }
        return self.written(results, tables)


class PlotScoreMatrix(ReportTask):
    """The matrix of scores (MVS) of all mtypes and features, with numbers of cells and the null."""

    folder_name = "scores"

    def report(self) -> tuple[list[Path], list[str]]:
        """See :func:`region_grower_flow.report.scores.plot_score_matrix`."""
        from region_grower_flow.report import by_mtype, scores
        from region_grower_flow.report.style import save
        from region_grower_flow.report.units import gathered

        results = self.run_units(by_mtype.scores, self.units())
        paths, sentences = self.written(results, {"scores.csv": ("scores", scores.COLUMNS)})
        rows = gathered(results, "scores")
        figure = scores.plot_score_matrix(rows)
        path = self.folder / f"scores.{self.figure_format}"
        above = sum(row["above"] for row in rows)
        tested = sum(row["mvs"] is not None for row in rows)
        words = f"{above} of {tested} scores are above their limit, {len(rows)} in all."
        return [save(figure, path, self.figure_dpi), *paths], [*sentences, words]


class PlotDensityProfiles(ReportTask):
    """Length of neurites along depth, per mtype: in the atlas with its layers, or in vacuum."""

    folder_name = "density_profiles"

    def report(self) -> tuple[list[Path], list[str]]:
        """See :func:`region_grower_flow.report.by_mtype.density_profiles`."""
        from region_grower_flow.report import by_mtype, profiles

        results = self.run_units(by_mtype.density_profiles, self.units())
        tables: dict[str, tuple[str, Sequence[str]]] = {
            "profiles.csv": ("profiles", profiles.COLUMNS)
        }
        if self.in_atlas:
            tables["layers.csv"] = ("layers", profiles.LAYER_COLUMNS)
        return self.written(results, tables)


class WithParameters(ReportTask):
    """Reports that show what the parameters ask for."""

    def external_files(self) -> dict[str, Any]:
        """The reconstructions, and the parameters that are given."""
        return {**super().external_files(), **inputs.given_files(self, *inputs.GIVEN)}

    def parameters(self, cells: SynthesizedCells) -> Callable[[str], dict[str, Any] | None]:
        """The parameters of an mtype, by the region of its first cell; None where it has none."""
        from region_grower_flow.engine.parameters import load_parameters, mtype_entry

        loaded = load_parameters(model_paths(self)["parameters"], validate=False)

        def of(mtype: str) -> dict[str, Any] | None:
            served, region = cells.region(mtype) or (self.region, self.region)
            try:
                return mtype_entry(loaded, served, region, mtype)
            except (InvalidInput, KeyError):
                return None

        return of


class PlotPathDistanceFits(WithParameters):
    """Fits of path distances against extents, per mtype, with the synthesized cells."""

    folder_name = "path_distance_fits"
    results_of = (*SHOWN, options.Model.path_fit_trees)

    def stages(self) -> list[FlowTask]:
        """The fits."""
        return [of_cells(self, FitPathDistances)]

    def report(self) -> tuple[list[Path], list[str]]:
        """See :func:`region_grower_flow.report.by_mtype.path_distances`."""
        from region_grower_flow.report import by_mtype, path_fits

        regions = self.load_input("FitPathDistances")
        fits: dict[str, Any] = next(iter(regions.values()), {})
        parameters = self.parameters(self.placed())

        def extra(mtype: str) -> dict[str, Any]:
            asked = (parameters(mtype) or {}).get("context_constraints") or {}
            slopes = {
                kind: (entry.get("extent_to_target") or {}).get("slope")
                for kind, entry in asked.items()
                if entry
            }
            return {"fits": fits.get(mtype, {}), "slopes": slopes, "trees": self.path_fit_trees}

        units = [unit for unit in self.units(extra=extra) if unit.extra["fits"]]
        results = self.run_units(by_mtype.path_distances, units)
        tables = {
            "trees.csv": ("trees", path_fits.COLUMNS),
            "fits.csv": ("fits", path_fits.FIT_COLUMNS),
        }
        return self.written(results, tables)


class ValidateTrunks(WithParameters):
    """Angles of trunks with the pia and between each other, against the fitted laws."""

    folder_name = "trunks"

    def report(self) -> tuple[list[Path], list[str]]:
        """See :func:`region_grower_flow.report.by_mtype.trunk_angle_report`."""
        from region_grower_flow.report import by_mtype, trunk_angles

        parameters = self.parameters(self.placed())
        units = self.units(extra=lambda mtype: {"parameters": parameters(mtype)})
        results = self.run_units(by_mtype.trunk_angle_report, units)
        tables = {
            "angles.csv": ("angles", trunk_angles.COLUMNS),
            "summary.csv": ("summary", trunk_angles.SUMMARY_COLUMNS),
        }
        return self.written(results, tables)


class PlotScales(ReportTask):
    """Scales of barcodes and neurites in the synthesis, per mtype."""

    folder_name = "scales"
    results_of = (SHOWN[0], SHOWN[1], options.Report.figure_format)

    def report(self) -> tuple[list[Path], list[str]]:
        """See :mod:`region_grower_flow.report.scales`."""
        from region_grower_flow.report import scales
        from region_grower_flow.report.names import write_table
        from region_grower_flow.report.style import save

        rows, cells = scales.read_scales(str(self.out_debug_data))
        mtypes = self.chosen(sorted(cells))
        cells = {mtype: cells[mtype] for mtype in mtypes}
        rows = [row for row in rows if row["mtype"] in cells]
        summary = scales.summarize_scales(rows, cells)
        folder = self.settings().folder
        paths = [
            save(
                scales.plot_scales(rows, cells),
                folder / f"scales.{self.figure_format}",
                self.figure_dpi,
            ),
            write_table(folder / "scales.csv", scales.COLUMNS, rows),
            write_table(folder / "summary.csv", scales.SUMMARY_COLUMNS, summary),
        ]
        return paths, [f"PlotScales: {sum(cells.values())} cells of {len(cells)} mtypes."]


class PlotVacuumMorphologies(ReportTask):
    """Pictures of cells grown without an atlas, per mtype, with reference cells below."""

    folder_name = "vacuum_morphologies"
    results_of = (*SHOWN, options.Report.report_pictures)

    def external_files(self) -> dict[str, Any]:
        """The reconstructions, where there are any."""
        given = inputs.has_reconstructions(self)
        return inputs.reconstruction_files(self) if given else {}

    def report(self) -> tuple[list[Path], list[str]]:
        """See :func:`region_grower_flow.report.by_mtype.pictures`."""
        from region_grower_flow.report import by_mtype

        results = self.run_units(by_mtype.pictures, self.units(sample=self.report_pictures))
        return self.written(results, {"pictures.csv": ("pictures", by_mtype.PICTURE_COLUMNS)})


class PlotCollage(ReportTask):
    """Cells in slices of the atlas with its layers, and upright side by side, per mtype."""

    folder_name = "collage"
    results_of = (*SHOWN, options.Report.report_pictures, options.Collage)

    def report(self) -> tuple[list[Path], list[str]]:
        """See :class:`region_grower_flow.report.collage.Collage`."""
        from region_grower_flow.calibration.pool import share_out
        from region_grower_flow.report import collage, slices

        placed, settings = self.placed(), self.settings()
        shown = self._slices(placed)
        self.show("reading the atlas")
        layers = slices.LayerMap.load(Path(self.atlas), self.structure() or {})
        units = collage.collage_units(
            placed, self.chosen(list(placed.mtypes)), shown, settings, self.collage_sample
        )
        # One process: the map of the layers is large.
        results = share_out(collage.Collage(shown, layers), units, 1, self._advance)
        return self.written(results, {"cells.csv": ("cells", collage.COLUMNS)})

    def external_files(self) -> dict[str, Any]:
        """The planes, where they are given."""
        planes = {"collage_planes": self.collage_planes} if self.collage_planes else {}
        return {**super().external_files(), **planes}

    def _slices(self, placed: SynthesizedCells) -> list[SliceView]:
        from region_grower_flow.placement.planes import load_slices
        from region_grower_flow.report import slices

        if self.collage_planes:
            slabs = load_slices(self.collage_planes)
            pia = placed.pia()
            return [slices.planes_slice(slab, i, pia) for i, slab in enumerate(slabs, start=1)]
        axis = slices.AXES.index(self.collage_axis) if self.collage_axis in slices.AXES else None
        return slices.choose_slices(
            placed.positions(), self.collage_slices, self.collage_thickness, axis, placed.pia()
        )
