"""Where text without sentences may be cut: between words, else anywhere."""


def equal_parts(text: str, start: int, end: int, parts: int) -> list[int]:
    """Offsets at which to begin each of at least `parts` pieces of `text[start:end]`, near equal
    in characters: behind white space where there is some nearby, else where it falls."""
    size = max(1, -(-(end - start) // parts))
    starts = [start]
    while end - starts[-1] > size:
        starts.append(_behind_space(text, starts[-1] + 1, starts[-1] + size))
    return starts


def _behind_space(text: str, first: int, wanted: int) -> int:
    """The last offset up to `wanted` that has white space before it, in the second half of
    `[first, wanted]`; else `wanted`."""
    for at in range(wanted, first + (wanted - first) // 2, -1):
        if text[at - 1].isspace():
            return at
    return wanted
