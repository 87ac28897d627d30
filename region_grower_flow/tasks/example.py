"""The package's own example inputs, as a task: created at first use, renewed with the package."""

from __future__ import annotations

import luigi


class ExampleTarget(luigi.Target):
    """An example of this version of the package, whatever its user has done to it since.

    Args:
        folder: of the example.
    """

    def __init__(self, folder: str) -> None:
        self.path = folder

    def exists(self) -> bool:
        """True when all of its files are there."""
        from region_grower_flow.example.create import is_current

        return is_current(self.path)


class CreateExample(luigi.Task):
    """Create the example's reconstructions, atlases and cells (see ``region_grower_flow.example``).

    The folder is written beside and renamed, so that it is whole when it exists.
    """

    priority = 2000
    example_dir = luigi.Parameter(description="Folder of the example's inputs")

    def output(self) -> ExampleTarget:
        """The folder."""
        return ExampleTarget(self.example_dir)

    def run(self) -> None:
        """See :func:`region_grower_flow.example.create.renew_example`."""
        from region_grower_flow.example.create import renew_example

        renew_example(self.example_dir)
