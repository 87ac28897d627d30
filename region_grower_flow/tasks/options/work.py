"""The options that all tasks have."""

from region_grower_flow.tasks.options.types import Choice, Place, Switch


class WorkOptions:
    """Where intermediates are kept."""

    work_dir = Place(
        "Folder of the intermediates, logs and manifests",
        default="region_grower_flow_work",
        shown=True,
    )
    worker_log_level = Choice(
        "How much the workers log",
        ("debug", "info", "warning", "error", "critical"),
        default="info",
        significant=False,
    )
    hide_progress_bar = Switch("Show no progress bar", significant=False)
    example_dir = Place(
        "Folder of the package's own example inputs, created when it is not there",
        significant=False,
    )
