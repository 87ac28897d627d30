"""Lines of logs: what could steer a terminal is escaped in all of them."""

import logging

from region_grower_flow.errors import printable


class PlainFormatter(logging.Formatter):
    """A formatter whose lines, tracebacks too, hold no characters that steer a terminal."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        return printable(super().format(record))
