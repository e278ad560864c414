"""Words broken at the end of a line: joined only where the document has them whole elsewhere."""

import re
from collections.abc import Iterable, Sequence

from rag.local.reading.layout import PrintedLine

WORD = re.compile(r"[^\W\d_]{3,}")
HEAD = re.compile(r"([^\W\d_]+)-$")
TAIL = re.compile(r"([^\W\d_]+)")


def vocabulary(texts: Iterable[str]) -> frozenset[str]:
    return frozenset(word.casefold() for text in texts for word in WORD.findall(text))


def joined(lines: Sequence[PrintedLine], known: frozenset[str]) -> tuple[PrintedLine, ...]:
    """The lines with a hyphen dropped where the word it breaks is `known` unbroken. Elsewhere it
    stays: "cost-" and "benefit" may well be one compound."""
    result = list(lines)
    for i in range(len(lines) - 1):
        if not lines[i].text.endswith("-"):
            continue
        head, tail = HEAD.search(lines[i].text), TAIL.match(lines[i + 1].text)
        if head and tail and tail[1].islower() and (head[1] + tail[1]).casefold() in known:
            result[i] = PrintedLine(lines[i].text[:-1], lines[i].box, joined=True)
    return tuple(result)
