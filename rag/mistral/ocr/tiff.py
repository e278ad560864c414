"""How many pages a TIFF has: the length of its chain of directories (TIFF 6.0, section 2)."""

_ENTRY = 12  # bytes of one field in a directory
_MOST = 1_000
"""Pages that are counted; a chain that bites its own tail has no end."""


def tiff_pages(content: bytes) -> int:
    """At least 1, whatever the file says."""
    order = "little" if content.startswith(b"II") else "big"

    def number(at: int, length: int) -> int:
        return int.from_bytes(content[at : at + length], order)  # type: ignore[arg-type]

    seen: set[int] = set()
    at = number(4, 4)
    while 8 <= at < len(content) and at not in seen and len(seen) < _MOST:
        seen.add(at)
        at = number(at + 2 + _ENTRY * number(at, 2), 4)
    return max(1, len(seen))
