"""The options that all tasks have."""

from region_grower_flow.options.group import Group
from region_grower_flow.options.kinds import Choice, Place, Switch


class Work(Group):
    """Folder of intermediates."""

    TITLE = "Run"

    work_dir = Place[str](
        "Folder of the intermediates, logs and manifests",
        default="region_grower_flow_work",
        shown=True,
    )
    worker_log_level = Choice(
        "How much the workers log",
        ("debug", "info", "warning", "error", "critical"),
        default="info",
        identity=False,
    )
    hide_progress_bar = Switch("Show no progress bar", identity=False)
    example_dir = Place["str | None"](
        "Folder of the package's own example inputs, created when it is not there",
        identity=False,
    )
