"""Writing to the terminal above the bar of a run, by whoever writes."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import sys
import textwrap
from collections.abc import Callable, Collection, Iterator
from typing import Any, TextIO


def wrapped(text: str, stream: TextIO | None, indent: int = 4) -> str:
    """A line as several where a terminal is too narrow for it; words stay whole.

    Args:
        text: the line.
        stream: that it is written to.
        indent: columns before the lines that follow, beside those before the first.
    """
    if stream is None or not stream.isatty():
        return text
    width = shutil.get_terminal_size().columns - 1
    rest = " " * (len(text) - len(text.lstrip()) + indent)
    return textwrap.fill(
        text, width, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False,
        replace_whitespace=False, drop_whitespace=True,
    )  # fmt: skip


class AboveBar:
    """A stream whose whole lines appear above a bar; processes that are forked write as usual.

    Args:
        stream: the stream.
        bar: the bar (tqdm).
    """

    def __init__(self, stream: TextIO, bar: Any) -> None:
        self.stream, self._bar = stream, bar
        self._rest, self._pid = "", os.getpid()

    def write(self, text: str) -> int:
        """Write what is whole lines; the rest waits for its end."""
        if os.getpid() != self._pid:
            return self.stream.write(text)
        *lines, self._rest = (self._rest + text).split("\n")
        if lines:
            with self._bar.external_write_mode(file=self.stream):
                self.stream.write("\n".join(lines) + "\n")
                self.stream.flush()
        return len(text)

    def finish(self) -> None:
        """Write what waits."""
        if self._rest:
            self.stream.write(self._rest)
            self._rest = ""

    def __getattr__(self, name: str) -> Any:
        return getattr(self.stream, name)


@contextlib.contextmanager
def kept_above(bar: Any, told_otherwise: Callable[[logging.LogRecord], bool]) -> Iterator[None]:
    """Let standard streams, and handlers of logs that write to them, write above a bar.

    Args:
        bar: the bar; None for none.
        told_otherwise: function of a record of logs that is shown by others: handlers leave it out.
    """
    streams = {"stdout": sys.stdout, "stderr": sys.stderr}
    there = [] if bar is None else [n for n, stream in streams.items() if stream is not None]
    above = {name: AboveBar(streams[name], bar) for name in there}
    changed = []
    for handler in _stream_handlers(streams.values()):
        changed.append((handler, handler.stream))
        handler.addFilter(_Others(told_otherwise))
        for name, proxy in above.items():
            if streams[name] is handler.stream:
                handler.setStream(proxy)
                break
    for name, proxy in above.items():
        setattr(sys, name, proxy)
    try:
        yield
    finally:
        for name, proxy in above.items():
            proxy.finish()
            setattr(sys, name, streams[name])
        for handler, stream in changed:
            handler.setStream(stream)
            for each in [f for f in handler.filters if isinstance(f, _Others)]:
                handler.removeFilter(each)


class _Others(logging.Filter):
    """Leaves out records that are shown by others."""

    def __init__(self, shown: Callable[[logging.LogRecord], bool]) -> None:
        super().__init__()
        self._shown = shown

    def filter(self, record: logging.LogRecord) -> bool:
        """False for a record that is shown by others."""
        return not self._shown(record)


def _stream_handlers(streams: Collection[Any]) -> Iterator[logging.StreamHandler[Any]]:
    names = (None, "luigi", "luigi-interface", "region_grower_flow")
    for handler in [h for name in names for h in logging.getLogger(name).handlers]:
        if isinstance(handler, logging.StreamHandler) and handler.stream in streams:
            yield handler
