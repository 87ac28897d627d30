"""Luigi's logs say our errors in a sentence: the tracebacks of what is unexpected stay."""

from __future__ import annotations

import configparser
import logging

from luigi.rpc import RPCError

from region_grower_flow.errors import FlowError, InputChanged, InvalidInput, MadeAgain, printable

LOGGERS = ("luigi-interface", "luigi")

UNFULFILLED = "Unfulfilled dependenc"
"""Beginning of Luigi's words on a stage that was complete and is not any more."""

CHANGED = (
    f"{InputChanged('an input or an output of a stage')} Where a run has several flows, give each "
    "a work_dir and outputs of its own."
)
NO_SCHEDULER = (
    "The scheduler does not answer. Start luigid again, or run with --local-scheduler: what is "
    "finished is kept."
)


class OneSentence(logging.Filter):
    """Strips the traceback of errors that already say all in a sentence; escapes the rest."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: set[type[BaseException]] = set()

    def filter(self, record: logging.LogRecord) -> bool:
        """Turn a record with a known error into its sentence, and show each of these once."""
        kind, sentence = _known(record.exc_info[1] if record.exc_info else None)
        if sentence is None:
            record.msg, record.args = printable(record.getMessage()), ()
            if record.exc_info:
                text = logging.Formatter().formatException(record.exc_info)
                record.exc_info, record.exc_text = None, printable(text)
            return True
        if kind is not None:
            if kind in self._shown:
                return False
            self._shown.add(kind)
        record.exc_info = record.exc_text = None
        record.msg, record.args = "%s", (sentence,)
        return True


def _known(error: BaseException | None) -> tuple[type[BaseException] | None, str | None]:
    """(what is shown once only, sentence) of an error; Nones where there is none."""
    while error is not None:
        if isinstance(error, InputChanged | MadeAgain):
            return type(error), printable(error)
        if isinstance(error, FlowError):
            return None, printable(error)
        if isinstance(error, configparser.InterpolationError):
            return None, _of_configuration(error)
        if isinstance(error, RPCError):
            return RPCError, NO_SCHEDULER
        if isinstance(error, RuntimeError) and str(error).startswith(UNFULFILLED):
            return InputChanged, CHANGED
        error = error.__cause__
    return None, None


def _of_configuration(error: configparser.InterpolationError) -> str:
    option, section = error.args[:2] if len(error.args) > 1 else ("?", "?")
    return str(
        InvalidInput(
            "a '%' begins the name of another option, which is not there",
            f"configuration, option {option} of section {section}",
            "write %% for a percent sign",
        )
    )


def sentence_of(error: BaseException | None) -> str | None:
    """The sentence for an error that needs no traceback; None for any other."""
    return _known(error)[1]


_one_sentence = OneSentence()


def quiet_tracebacks() -> None:
    """Let Luigi's loggers print our errors as sentences."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        if _one_sentence not in logger.filters:
            logger.addFilter(_one_sentence)
