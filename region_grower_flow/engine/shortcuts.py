"""Ways around work of Numba's that a process does not need which compiles kernels to be cached.

They change nothing of the code that is kept. Each is taken where Numba is built as it is known from
0.60 on, and left where it is not: compilation then takes longer.
"""

import contextlib
from typing import Any


def take() -> None:
    """Take them all, in this process from now on."""
    for shortcut in (_leave_inner_code_out, _tell_nobody, _compare_flags_quickly):
        with contextlib.suppress(AttributeError, ImportError, ValueError):
            shortcut()


def _leave_inner_code_out() -> None:
    """Make no machine code of functions that only compiled ones call.

    A kernel is kept with each entry that calls it, as LLVM's code. Numba makes machine code of it
    as well, by itself, which nobody ever runs: a sixth of the time of compilation.
    """
    from numba.core import codegen, cpu

    library, context = codegen.JITCodeLibrary, cpu.CPUContext
    finish, make, function = (
        library._finalize_final_module,
        context.get_executable,
        cpu._dynfunc.make_function,
    )
    _ = library._finalize_dynamic_globals, library._verify_declare_only_symbols

    def get_executable(self: Any, own: Any, fndesc: Any, env: Any) -> Any:
        own.is_inner = _is_inner(own, fndesc)
        if not own.is_inner:
            return make(self, own, fndesc, env)
        # What stands for it among Numba's tables; it has no address.
        name = fndesc.qualname.split(".")[-1]
        return function(fndesc.lookup_module(), name, "", 0, env, (own,))

    def finalize(self: Any) -> None:
        if getattr(self, "is_inner", False):
            self._finalize_dynamic_globals()
            self._verify_declare_only_symbols()
            self._finalized = True
        else:
            finish(self)

    context.get_executable = get_executable
    library._finalize_final_module = finalize


def _is_inner(library: Any, fndesc: Any) -> bool:
    """True if a function is compiled here, without a wrapper by which Python calls it.

    One that has been loaded from a cache is not among those of its library: it has its code.
    """
    wrapper = fndesc.llvm_cpython_wrapper_name
    return _defines(library, fndesc.mangled_name) and not _defines(library, wrapper)


def _defines(library: Any, name: str) -> bool:
    try:
        return not library._final_module.get_function(name).is_declaration
    except NameError:
        return False


def _tell_nobody() -> None:
    """Broadcast no event at each of the 40,000 calls of LLVM: nobody listens."""
    from llvmlite.binding import ffi

    for callbacks in list(ffi.lib._lock._cblist):
        ffi.unregister_lock_callback(*callbacks)


def _compare_flags_quickly() -> None:
    """The values of a set of flags without a property for each; they are compared 100,000 times."""
    from numba.core.targetconfig import TargetConfig

    _ = TargetConfig.values
    defaults: dict[Any, Any] = {}

    def values(self: Any) -> dict[str, Any]:
        kind = type(self)
        if kind not in defaults:
            defaults[kind] = {name: option.default for name, option in kind.options.items()}
        return {**defaults[kind], **self._values}

    TargetConfig.values = values
