"""Names in a claim: capitalized words, acronyms, identifiers, addresses."""

import re
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

_UNSPACED = "\u0e00-\u0eff\u3041-\u30ff\u3400-\u9fff\uf900-\ufaff"
_LETTER = rf"[^\W{_UNSPACED}]"
_TOKEN = re.compile(rf"{_LETTER}(?:(?:{_LETTER}|[.&@/+#:'-])*(?:{_LETTER}|[+#]))?")
_SENTENCE_START = re.compile(r"(?:\A|[.!?:;][\"')\]]*\s)[\s\"'(\[-]*\Z")
_REACH = 12
"""Characters: a full stop, brackets and quotation marks, and the space after them."""

_FUNCTION_WORDS = frozenset(
    """
    a an the this that these those it its he she they we you i his her their our my your there here
    in on at by for from to of with as into over under about after before during since until between
    through within against among across per via and or but nor so yet if when while where whereas
    because although though unless once whether than then thus hence therefore however moreover
    furthermore additionally also both either neither each every all any some most many much few
    several such other another same only just even still first second third finally lastly next
    later now today overall according based due given despite thanks instead rather similarly
    likewise meanwhile nevertheless nonetheless otherwise specifically generally typically usually
    often sometimes always never not no none nothing yes what which who whom whose why how
    less least fewer is are was were be been being has have had do does did can could may might must
    shall should will would
    one two three four five six seven eight nine ten
    der die das den dem des ein eine einer eines einem einen er sie es wir ihr ich und oder aber
    nicht auch nach vor bei mit von zu aus auf an in im am für gegen ohne um durch während seit wenn
    weil als dass diese dieser dieses laut bis über unter zwischen sowie jedoch außerdem somit
    le la les un une des du de et ou mais il elle ils elles nous vous ce cette ces en dans sur sous
    avec pour par selon après avant depuis pendant si quand que qui son sa ses leur
    el los las una unos unas y o pero él ella ellos en con por para según desde hasta entre cuando
    si como su sus este esta estos estas lo al del
    """.split()  # noqa: SIM905  (a list of words reads as words)
)
_GERMAN = re.compile(r"\b(?:der|die|das|und|ist|wurde|wird|nicht|ein|eine|mit|von|den|dem|des)\b")


class Name(Struct, frozen=True):
    text: str
    kind: Literal["name", "first", "noun"]
    """`first` where it is the first word of a sentence and may be any word, `noun` where the
    language is German and may be any noun."""


def names(text: str) -> tuple[Name, ...]:
    """Of a normal text, in order. Words of scripts without capitals are not among them, nor are
    numbers with their units."""
    is_german = len(_GERMAN.findall(text)) >= 2
    return tuple(_names(text, is_german))


def _names(text: str, is_german: bool) -> Iterator[Name]:
    for match in _TOKEN.finditer(text):
        token = match.group().removesuffix("'s")
        if token[0].isdigit() or not any(map(str.isalpha, token)):
            continue
        if _is_identifier(token):
            yield Name(token, "name")
        elif token[0].isupper() and token.lower() not in _FUNCTION_WORDS:
            at = match.start()
            is_first = _SENTENCE_START.search(text, max(0, at - _REACH), at) is not None
            yield Name(token, "noun" if is_german else "first" if is_first else "name")


def _is_identifier(token: str) -> bool:
    has_inner_capital = any(map(str.isupper, token[1:]))
    has_mark = any(mark in token for mark in "_@/+#") or any(map(str.isdigit, token))
    return has_mark or has_inner_capital
