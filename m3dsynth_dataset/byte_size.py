"""Sizes of files and disks, in words."""


def readable(size: float) -> str:
    """Bytes in words, to three digits."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} TB"
