"""Where sentences begin, in any script: one rule for cutting chunks and for choosing quotations."""

import re

MEAN_NOTHING_ALONE = """
    mr mrs ms dr prof rev hon gen col lt sgt capt gov sen rep messrs
    vs cf ca al eg ie viz approx resp dept univ inkl bzw ggf evtl usw vgl sog bspw mio mrd
    mme mlle sra srta dra
"""
BEFORE_A_NUMBER = """
    no nos fig figs eq eqs sec ch vol vols pp art ed eds nr str abs abb núm pág
    jan feb mar apr jun jul aug sep sept oct nov dec
"""
MAY_END_A_SENTENCE = "inc ltd corp co jr sr st etc ave blvd mt"
ABBREVIATIONS = frozenset(MEAN_NOTHING_ALONE.split())
"""A full stop after one of these never ends a sentence."""

NUMBERED = frozenset(BEFORE_A_NUMBER.split())
"""After one of these it ends one unless a digit follows: "No. 5", "He said no. Then"."""

DOUBTFUL = frozenset(MAY_END_A_SENTENCE.split())
"""After one of these, as after a single letter (`J. Smith`, `U. S.`, `z. B.`), it ends one only
before a word that opens sentences."""

_OPENERS = """
    The A An It Its He She They We You This That These Those There Here His Her Their Our
    In On At As For From After Before When While Since During However But And Although If
    What Which Who Where How Why
    Der Die Das Er Sie Es Ein Eine Im Am In Nach Als Wenn Dies Diese
    El La Los Las Un Una En Le Les Une Il Elle Ils Dans
"""
OPENERS = frozenset(_OPENERS.split())

_STOP = re.compile(
    r"""
    (?<![.!?…])(?P<mark>[.!?…]++) ["'”’»›)\]*_]*+ (?:\[\d{1,3}\]|[⁰¹²³⁴-⁹]{1,3})*+ \s++
      # a stop, what closes with it, numbers of notes, then space
    | [。！？｡।॥؟۔።។။։]++ [”’」』）】]*+ \s*+  # scripts whose full stop needs no space behind it
    | \n [ \t]*+ \n \s*+  # a blank line
    | (?<=[\u0e01-\u0eff]) [ ]++ (?=[\u0e01-\u0e45\u0e81-\u0ec4])  # Thai and Lao have no stop
    """,
    re.VERBOSE,
)
CLAUSE = 40
"""Characters. In Thai and Lao a space parts clauses, and names from titles: one that comes sooner
than this is passed over."""

ELLIPSIS = 4
"""Dots. More of them lead to the page number in a table of contents."""

_OPENING = re.compile(r"""["'“‘«‹„¿¡(\[*_`]*+""")
_WORD = re.compile(r"[^\W\d_]++")
_LAST_WORD = re.compile(r"[^\W\d_]+$")
_ITEM_NUMBER = re.compile(r"[ \t]*\d{1,3}")
_ORDINAL = re.compile(
    r"\b(?:am|vom|zum|der|die|das|dem|den|des|im|bis|ab|seit|beim|und)\ \d{1,2}$", re.IGNORECASE
)
"""German: "am 3. Oktober", "der 2. Weltkrieg"."""

BEFORE = 12
"""Characters before a full stop that decide whether it abbreviates: the longest abbreviation or
ordinal, and what must not be a letter before it."""


def sentence_starts(text: str, start: int, end: int) -> list[int]:
    """Offsets in `text` at which a sentence of `text[start:end]` begins; the first is `start`.

    Takes time in proportion to `end - start`, whatever the text.
    """
    starts = [start]
    for stop in _STOP.finditer(text, start, end):
        if stop.end() < end and _ends_sentence(text, starts[-1], stop):
            starts.append(stop.end())
    return starts


def sentence_spans(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """The sentences of `text[start:end]`, gapless: each reaches to where the next begins."""
    starts = sentence_starts(text, start, end)
    return list(zip(starts, [*starts[1:], end], strict=True))


def _ends_sentence(text: str, start: int, stop: re.Match[str]) -> bool:
    """Not before a small letter; not after an abbreviation, an initial, an item's number or a
    row of dots.

    Args:
        start: of the sentence that would end.
    """
    mark = stop["mark"]
    if mark is None:
        return stop[0].strip(" ") != "" or stop.start() - start >= CLAUSE
    opening = _OPENING.match(text, stop.end())
    following = opening.end() if opening else stop.end()
    if text[following : following + 1].islower() or _is_leader(text, stop, following):
        return False
    return mark != "." or not _is_abbreviated(text, start, stop.start(), following)


def _is_leader(text: str, stop: re.Match[str], following: int) -> bool:
    """Whether a stop is one of the dots that lead to a page number."""
    in_a_row = text[following : following + 1] == "." or text.endswith(". ", 0, stop.start())
    return in_a_row or len(stop["mark"]) > ELLIPSIS


def _is_abbreviated(text: str, start: int, dot: int, following: int) -> bool:
    first = max(start, text.rfind("\n", max(start, dot - BEFORE), dot) + 1, dot - BEFORE)
    before = text[first:dot]
    if first != dot - BEFORE and _ITEM_NUMBER.fullmatch(before):
        return True
    next_word = _WORD.match(text, following)
    opens = next_word is not None and next_word[0] in OPENERS
    last_word = _LAST_WORD.search(before)
    if last_word is None:
        return not opens and _ORDINAL.search(before) is not None
    word = last_word[0].lower()
    if word in NUMBERED:
        return text[following : following + 1].isdigit()
    return word in ABBREVIATIONS or ((len(word) == 1 or word in DOUBTFUL) and not opens)
