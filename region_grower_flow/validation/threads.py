"""One thread for linear algebra: validation runs an mtype in each process."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def one_thread(function: F) -> F:
    """A function whose linear algebra runs in one thread.

    Stacks of small matrices are many times slower in several threads, most of all where other
    processes want the same cores, and sums in another order differ in the last digit.
    """

    @wraps(function)
    def limited(*args: Any, **kwargs: Any) -> Any:
        from threadpoolctl import threadpool_limits

        with threadpool_limits(1):
            return function(*args, **kwargs)

    return limited  # type: ignore[return-value]
