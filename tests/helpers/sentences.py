"""Sentences matched by their place, key and hint: the other words may change without a test.

What is looked for is written "place | key | value | hint": parts that follow each other in one
line, whatever is between them.
"""

import re


def saying(parts):
    """The parts as a regular expression: ``pytest.raises(InvalidInput, match=saying("a | b"))``."""
    return ".*?".join(re.escape(part.strip()) for part in parts.split(" | "))


def says(text, parts):
    """True when a line of a text, or of an error, has the parts, one after the other."""
    return re.search(saying(parts), str(text)) is not None
