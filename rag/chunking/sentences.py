"""Where prose may be cut: after sentences, else between words, else anywhere."""

import re

ENGLISH = """
    mr mrs ms dr prof rev hon gen col lt sgt capt gov sen rep st sr jr
    vs cf al eg ie viz approx fig figs eq eqs sec ch vol vols no nos pp ed eds art resp
    inc ltd corp co dept univ jan feb mar apr jun jul aug sep sept oct nov dec
"""
GERMAN = "bzw ca usw evtl ggf inkl nr str abs abb bspw vgl sog"
FRENCH_AND_SPANISH = "mme mlle sra srta dra núm pág"
ABBREVIATIONS = frozenset(f"{ENGLISH} {GERMAN} {FRENCH_AND_SPANISH}".split())
"""A full stop after one of these seldom ends a sentence. Single letters (`J. Smith`, `U. S.`,
`z. B.`) are known by their shape."""

STOP = re.compile(
    r"""
    (?<![.!?…])(?P<mark>[.!?…]++) ["'”’»›)\]*_]*+ \s++  # a stop, what closes with it, then space
    | [。！？｡।॥؟۔።။។]++ [”’」』）】]*+ \s*+  # scripts whose full stop needs no space behind it
    | \n [ \t]*+ \n \s*+  # a blank line
    """,
    re.VERBOSE,
)
LAST_WORD = re.compile(r"[^\W\d_]+$")
OPENING = re.compile(r"""["'“‘«‹„¿¡(\[*_`]*""")
BEFORE = max(map(len, ABBREVIATIONS)) + 1
"""Characters before a full stop that decide whether it abbreviates: the longest abbreviation and
what must not be a letter before it."""
ITEM_NUMBER = re.compile(r"[ \t]*\d{1,3}")


def sentence_starts(text: str, start: int, end: int) -> list[int]:
    """Offsets in `text` at which a sentence of `text[start:end]` begins; the first is `start`."""
    after_stops = (
        stop.end()
        for stop in STOP.finditer(text, start, end)
        if stop.end() < end and _ends_sentence(text, start, stop)
    )
    return [start, *after_stops]


def equal_parts(text: str, start: int, end: int, parts: int) -> list[int]:
    """Offsets at which to begin each of at least `parts` pieces of `text[start:end]`, near equal
    in characters: behind white space where there is some nearby, else where it falls."""
    size = max(1, -(-(end - start) // parts))
    starts = [start]
    while end - starts[-1] > size:
        starts.append(_behind_space(text, starts[-1] + 1, starts[-1] + size))
    return starts


def _ends_sentence(text: str, start: int, stop: re.Match[str]) -> bool:
    """Not before a small letter; not after an abbreviation, an initial or an item's number."""
    if stop["mark"] is None:
        return True
    opening = OPENING.match(text, stop.end())
    after_opening = opening.end() if opening else stop.end()
    if text[after_opening : after_opening + 1].islower():
        return False
    return stop["mark"] != "." or not _is_abbreviated(text, start, stop.start())


def _is_abbreviated(text: str, start: int, dot: int) -> bool:
    line_start = max(start, text.rfind("\n", max(start, dot - BEFORE), dot) + 1, dot - BEFORE)
    before = text[line_start:dot]
    if line_start != dot - BEFORE and ITEM_NUMBER.fullmatch(before):
        return True
    word = LAST_WORD.search(before)
    return word is not None and (len(word[0]) == 1 or word[0].lower() in ABBREVIATIONS)


def _behind_space(text: str, first: int, wanted: int) -> int:
    """The last offset up to `wanted` that has white space before it, in the second half of
    `[first, wanted]`; else `wanted`."""
    for at in range(wanted, first + (wanted - first) // 2, -1):
        if text[at - 1].isspace():
            return at
    return wanted
