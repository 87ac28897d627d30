"""Compilation of kernels: decorators for kernels and for those that Python calls.

``error_model="numpy"`` makes a division by zero give inf or NaN as in NumPy (and in NeuroTS). There
is no fastmath and no parallelism: the same draws must give the same cell, and ranks have one thread
each. With ``NUMBA_DISABLE_JIT=1`` the decorators leave the functions as they are.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from numba import config, njit, types
from numba.core import caching, cgutils
from numba.core.runtime import rtsys
from numba.extending import intrinsic

from region_grower_flow.engine import cache
from region_grower_flow.engine.target import is_generic, target_name

Function = TypeVar("Function", bound=Callable[..., Any])

if is_generic():
    config.CPU_NAME, config.CPU_FEATURES = target_name(), ""

SPACE = "space"
"""The group of kernels that grow under constraints."""

CACHE_FOLDERS: dict[str, Path | None] = {}
"""{group: the filled cache from which its kernels are loaded, None to compile in memory}."""


class HereLocator(getattr(caching, "UserProvidedCacheLocator", object)):  # type: ignore[misc]
    """Numba's locator of cached kernels, without the place of their sources in the path.

    The folder's name holds a hash of the sources: another checkout of the same ones finds it.
    """

    @classmethod
    def get_suitable_cache_subpath(cls, py_file: str) -> str:
        """The folder below the group's."""
        return "kernels"


@contextlib.contextmanager
def _caching_in(folder: Path) -> Iterator[None]:
    """Let Numba cache what is decorated in a folder; it looks at its settings then, not later."""
    settings = {"CACHE_DIR": str(folder)}
    if cache.places_are_free():
        settings["CACHE_LOCATOR_CLASSES"] = f"{__name__}.{HereLocator.__name__}"
    earlier = {name: getattr(config, name) for name in settings}
    try:
        for name, value in settings.items():
            setattr(config, name, value)
        yield
    finally:
        for name, value in earlier.items():
            setattr(config, name, value)


def kernel(function: Function) -> Function:
    """Compile a function that only other kernels call (it is stored with its callers).

    Without the wrappers by which Python or C would call it: they take a third of the compilation.
    """
    return njit(error_model="numpy", no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)


def inlined(function: Function) -> Function:
    """Compile a function into each of its callers: for what runs at every point or every draw.

    As a call of its own a step takes half as long again, for counting references to the arrays and
    handing the generator over. Not so where kernels of growth in space are compiled to be cached:
    there steps are little beside the look for space, but a tenth of the compilation.
    """
    if cache.group_to_fill() == SPACE:
        return kernel(function)
    return njit(error_model="numpy", inline="always")(function)


def entry(group: str) -> Callable[[Function], Function]:
    """Compile a function that Python calls, as one of a group (see :mod:`~..groups`).

    Only these are cached on disk, each group in a folder of its own. The same function may be an
    entry of several groups, for arguments of other types.
    """
    if group not in CACHE_FOLDERS:
        CACHE_FOLDERS[group] = cache.usable_folder(group)
    folder = CACHE_FOLDERS[group]

    def decorate(function: Function) -> Function:
        options = {"error_model": "numpy", "no_cfunc_wrapper": True}
        if folder is None:
            return njit(**options)(function)
        with _caching_in(folder):
            dispatcher = njit(cache=True, **options)(function)
        _load_without_registries(dispatcher)
        return dispatcher

    return decorate


_LOADING = ("load_overload", "_load_overload", "_guard_against_spurious_io_errors")


def _load_without_registries(dispatcher: Any) -> None:
    """Let a kernel that is cached be loaded without what only compilation needs.

    Numba first fills its tables of all functions that it can compile, for which it imports half of
    itself and SciPy's linear algebra: a third of the time in which a rank gets ready. A kernel that
    is not in the cache is compiled as ever, the tables are filled then. Nothing changes where Numba
    is built otherwise than it is known.
    """
    kept = getattr(dispatcher, "_cache", None)
    if kept is None or not all(hasattr(kept, name) for name in _LOADING):
        return

    def load_overload(sig: Any, target_context: Any) -> Any:
        rtsys.initialize(target_context)
        with kept._guard_against_spurious_io_errors():
            return kept._load_overload(sig, target_context)

    kept.load_overload = load_overload


@intrinsic
def _uncounted(typing_context: Any, value: Any) -> Any:
    def without_count(context: Any, builder: Any, kind: Any, content: Any) -> Any:
        if isinstance(kind, types.BaseTuple):
            parts = zip(kind, cgutils.unpack_tuple(builder, content, len(kind)), strict=True)
            fresh = [without_count(context, builder, *part) for part in parts]
            return context.make_tuple(builder, kind, fresh)
        if not isinstance(kind, types.Array | types.NumPyRandomGeneratorType):
            return content
        fields = cgutils.create_struct_proxy(kind)(context, builder, value=content)
        fields.meminfo = cgutils.get_null_value(fields.meminfo.type)
        return fields._getvalue()

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return without_count(context, builder, signature.args[0], arguments[0])

    return value(value), generate


def _as_it_is(value: Any) -> Any:
    return value


uncounted = _as_it_is if config.DISABLE_JIT else _uncounted
"""The same arrays and generators (or tuples of them), whose references are not counted.

For arguments of entries, which Python keeps meanwhile: to count references to them, at every call
and draw, takes half of the time of growth. What is returned must not be one of them.
"""
