"""Letters that the eye tells apart only by their size or their neighbors."""

import re

SAME_SHAPE = "oscuvwxz"
"""Small letters that are their capitals, only smaller."""

_NUMBER = re.compile(r"(?<![\w.-])\d(?=[\doO]*[oO])[\doO]{2,}\b")
_CAPITALS = re.compile(rf"\b(?!Ma?c)[A-Z](?:[A-Z]|[{SAME_SHAPE}](?=[A-Z{SAME_SHAPE}]*[A-Z]))+\b")


def repaired(text: str) -> str:
    """`17o2` is 1702 and `GRoUP` is GROUP: old-style zeros look like an o, and small capitals
    like small letters. Short words (`VoIP`, `4o`) stay, since those are written so."""
    numbers = _NUMBER.sub(lambda match: match[0].replace("o", "0").replace("O", "0"), text)
    return _CAPITALS.sub(_capitals, numbers)


def _capitals(match: re.Match[str]) -> str:
    word = match[0]
    return word.upper() if sum(letter.isupper() for letter in word) >= 4 else word
