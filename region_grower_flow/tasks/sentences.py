"""Luigi's logs say our errors in a sentence: the tracebacks of what is unexpected stay."""

import logging

from region_grower_flow.errors import FlowError

LOGGERS = ("luigi-interface", "luigi")


class OneSentence(logging.Filter):
    """Strips the traceback of errors that already say all in a sentence."""

    def filter(self, record):
        """Turn a record with one of our errors into its sentence."""
        error = record.exc_info[1] if record.exc_info else None
        while error is not None and not isinstance(error, FlowError):
            error = error.__cause__
        if error is not None:
            record.exc_info = record.exc_text = None
            record.msg = "%s"
            record.args = (str(error),)
        return True


_one_sentence = OneSentence()


def quiet_tracebacks():
    """Let Luigi's loggers print our errors as sentences."""
    for name in LOGGERS:
        logger = logging.getLogger(name)
        if _one_sentence not in logger.filters:
            logger.addFilter(_one_sentence)
