"""Seconds and bytes as words for people."""


def duration(seconds: float, decimals: int = 0) -> str:
    """Seconds as words: ``12 s``, ``3 min 20 s``, ``2 h 05 min``.

    Args:
        seconds: the seconds.
        decimals: of less than ten seconds.
    """
    if seconds < 10 and decimals:
        return f"{seconds:.{decimals}f} s"
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    if seconds < 3600:
        return f"{seconds // 60} min {seconds % 60:02d} s"
    return f"{seconds // 3600} h {seconds % 3600 // 60:02d} min"


def size_words(size: float | None) -> str:
    """Bytes as words: ``12 B``, ``3.4 MB``; a dash for None."""
    if size is None:
        return "\u2013"
    if size < 1000:
        return f"{size:.0f} B"
    for unit in ("kB", "MB"):
        size /= 1000
        if size < 1000:
            return f"{size:.1f} {unit}"
    return f"{size / 1000:.1f} GB"
