"""Letters without their case, one for one, as the index of trigrams has them."""

WIDENS = "\N{LATIN CAPITAL LETTER I WITH DOT ABOVE}"
"""The one letter that becomes two in lower case."""

GRAM = 3  # characters


def folded(text: str) -> str:
    """In lower case, letter by letter: what a sigma becomes does not depend on what follows it."""
    return text.lower() if text.isascii() else "".join(map(str.lower, text))


def grams(piece: str) -> set[str]:
    """Every run of three characters in it, folded; none of a shorter one."""
    return {
        folded(run[at : at + GRAM])
        for run in piece.split(WIDENS)
        for at in range(len(run) - GRAM + 1)
    }
