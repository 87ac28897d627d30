"""The package's own example inputs, as a task: created at first use."""

from pathlib import Path

import luigi

from region_grower_flow.tasks.option_types import Text


class CreateExample(luigi.Task):
    """Create the example's reconstructions, atlases and cells (see ``region_grower_flow.example``).

    The folder is written beside and renamed, so that it is whole when it exists.
    """

    priority = 2000
    example_dir = Text(shown=True, description="Folder of the example's inputs")

    def output(self):
        """The folder's table of reconstructions."""
        return luigi.LocalTarget(str(Path(self.example_dir) / "mtypes.dat"))

    def run(self):
        """See :func:`region_grower_flow.example.create.create_example`."""
        from region_grower_flow.example.create import create_example

        create_example(self.example_dir)
