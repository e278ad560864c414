"""What a question says besides its words, read without a model.

    "exact phrase"       a passage has to hold these words, in this order
    -word  -"a phrase"   and none of these may stand in it
    NOT "a phrase"

All else is text, and where a sign could mean something else it is text too: a hyphen within a word,
a minus before a number, a dash between words, the flags of a command (`-rf`, `--force`), inches
(5" x 7"), quotation marks that do not close or stand in a list (`["a", "b"]`). In a sentence that
ends with a question mark `-word` is text as well: whoever asks "What does tar -xzf do?" does not
want it left out.

Quoted words are required and not only preferred, as people who quote expect it. Of the 33 questions
of XQuAD that quote something, in English, German and Spanish, 29 quote words that a passage has:
what answers them is among these passages each time. Where nobody wrote the words (the other four),
the search goes on without them, and says so.
"""

import re

from msgspec import Struct

from rag.questions.parts import split
from rag.questions.wrapping import unwrapped

MAX_PHRASES = 8
MAX_EXCLUDED = 16
"""What stands beyond them is text: each is a look into the word index."""

_BEFORE = r"(?:^|(?<=[\s(—–-]))"  # what a quotation may follow; a hyphen, where it is excluded
_AFTER = r"(?=$|[\s).,:;!?…。？！—–])"
_SPACED = r"""(?:"(?=\S)[^"]*(?<=\S)"|“[^“”]*”|„[^„“”]*[“”]|«[^«»]*»)"""
_QUOTED = (
    rf"{_BEFORE}{_SPACED}{_AFTER}|「[^「」]*」|『[^『』]*』"  # no spaces are written around these
)
_OPERATOR = re.compile(
    rf"""
      (?P<sign> (?: ^ | (?<=\s) ) (?: NOT\s+ | - ) )? (?P<quoted> {_QUOTED} )
    | (?: ^ | (?<=\s) ) - (?P<word> [^\W\d_] [\w'’]* (?: [-‐‑.] \w+ )* ) (?= $ | [\s,;!?.] )
    """,
    re.VERBOSE,
)
_WORD = re.compile(r"\w")
_FLAG = re.compile(r"[A-Za-z]{1,2}")
_SENTENCE_ENDS = ("?", "？", "؟")


class Reading(Struct, frozen=True):
    """A question, taken apart."""

    text: str
    """Without what it excludes: what is embedded, and shown to a model."""
    words: str
    """Of it, what the word index is asked for: without what people wrap a question in."""
    phrases: tuple[str, ...] = ()
    """That a passage has to hold, word for word."""
    excluded: tuple[str, ...] = ()
    """Words and phrases, none of which a passage may hold."""
    parts: tuple[str, ...] = ()
    """Questions of its own that it consists of, each looked for besides the whole; none where it
    is one question."""


def read(question: str) -> Reading:
    """
    >>> read('fees -draft "lost key"')
    Reading(text='fees "lost key"', words='fees "lost key"', phrases=('lost key',),
    excluded=('draft',), parts=())
    """
    phrases: list[str] = []
    excluded: list[str] = []
    kept: list[str] = []
    end = 0
    for found in _operators(question):
        said = found["word"] or found["quoted"][1:-1].strip()
        if found["word"] or found["sign"]:
            excluded.append(said)
            kept.append(question[end : found.start()])
            end = found.end()
        else:
            phrases.append(said)
    text = "".join([*kept, question[end:]])
    if excluded:
        text = " ".join(text.split())
    if not _WORD.search(text):  # nothing but exclusions: they are what is looked for
        return literal(question)
    return Reading(
        text,
        unwrapped(text),
        tuple(dict.fromkeys(phrases)),
        tuple(dict.fromkeys(excluded)),
        () if phrases else split(text),
    )


def literal(question: str) -> Reading:
    """A question of which every sign is text."""
    return Reading(question, question)


def _operators(question: str) -> list[re.Match[str]]:
    """In order, as many as are taken."""
    is_sentence = question.rstrip().endswith(_SENTENCE_ENDS)
    room = {True: MAX_EXCLUDED, False: MAX_PHRASES}
    taken = []
    for found in _OPERATOR.finditer(question):
        if found["word"] and (is_sentence or _FLAG.fullmatch(found["word"])):
            continue
        if not _WORD.search(found["word"] or found["quoted"]) or _in_list(question, found):
            continue
        is_exclusion = bool(found["word"] or found["sign"])
        if room[is_exclusion]:
            room[is_exclusion] -= 1
            taken.append(found)
    return taken


def _in_list(question: str, found: re.Match[str]) -> bool:
    """Within square brackets: whoever asks for a list as `["a", "b"]` quotes nothing."""
    before = question[: found.start()]
    return before.rfind("[") > before.rfind("]") and "]" in question[found.end() :]
