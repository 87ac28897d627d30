"""Groups of kernels: compiled and loaded together, and only where a run needs them.

To add a group: name it here, mark its kernels ``@entry("name")`` (in modules of their own, if it
shall be compiled anew alone when they change), and add its function to ``warm.WARM``.
"""

GROUPS = {
    "core": "growth",
    "space": "boundaries and directions",
    "diameters": "diameters",
    "diameters_sampled": "sampled diameters",
    "axon": "grafted axons",
    "levers": "diameters that bars bring",
}
"""{name: the words for it in messages}; the longest to compile come first but for ``core``."""

CORE = "core"
"""The group that every cell needs."""
