"""What a question asks for, and the words it asks with.

A question for a time is answered by a sentence that holds a date; one for an amount, by a number;
one for a person or place, by a name that the question did not already say; one for a reason, by a
word that gives one. Of a question for yes or no nothing is asked but what it says itself.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Literal, TypeAlias

Asked: TypeAlias = Literal["time", "amount", "person", "place", "reason", "other"]

QUESTION_WORDS: tuple[tuple[Asked, str], ...] = (
    # the first that matches decides: "how many years" is an amount, "what year" a time
    ("amount", r"how (?:many|much|long|old|far|often|high|tall|large|big|deep|fast|heavy|wide)"),
    ("amount", r"(?:what|which) (?:is the )?(?:number|percentage|percent|amount|share|rate|age)"),
    ("amount", r"wie ?viele?|wie (?:lang|oft|alt|hoch|groß|weit|schnell|schwer)e?"),
    ("amount", r"cuánt[oa]s?|qué (?:porcentaje|cantidad|número)|combien|quel pourcentage"),
    ("time", r"when|(?:what|which) (?:year|date|day|month|century|decade|season)|what time"),
    ("time", r"wann|seit wann|(?:welche[mnrs]?) (?:jahr|datum|tag|monat|jahrhundert)\w*"),
    ("time", r"cuándo|(?:qué|cuál) (?:año|fecha|día|mes|siglo)|quand|quelle (?:année|date)"),
    ("person", r"who|whom|whose|wer|wen|wem|wessen|quién(?:es)?|qui"),
    ("place", r"where|(?:what|which) (?:country|city|state|place|town|county|river)"),
    ("place", r"wo|woher|wohin|(?:welche[mnrs]?) (?:land|stadt|ort)\w*|dónde|adónde|où"),
    ("reason", r"why|(?:what|which) (?:is|was|were|are)? ?(?:the )?(?:reasons?|causes?)|how come"),
    ("reason", r"warum|weshalb|wieso|weswegen|por qué|pourquoi"),
)

_SEVERAL = re.compile(
    r"^\s*(?:list|name|enumerate|nenne|zähle|enumera|énumère)\b|\b(?:list|name) (?:all|the|of)\b"
    r"|\b(?:what|which|who) (?:are|were) (?:all )?(?:the|some|its|their)\b"
    r"|\b(?:which|what) \w+s are\b"
    r"|\b(?:examples|types|kinds|members|parts|steps|reasons|names|factors|differences?) of\b"
    r"|\bwelche \w+en\b|\bcuáles\b|\bquel(?:le)?s\b",
    re.IGNORECASE,
)

_ENGLISH = """
    a an the this that these those there here it its he she they them his her their we us our you
    your i me my is are was were be been being am do does did done has have had having can could
    will would shall should may might must of in on at to for from by with about as into than then
    and or not no nor but if so such also how what when where which who whom whose why many much
    according please tell give name list mean means called all any some
"""
_GERMAN_SPANISH_FRENCH = """
    der die das den dem des ein eine einen einem einer eines und oder ist sind war waren wird werden
    wurde wurden hat haben hatte in im am an auf aus bei mit nach von vom zu zum zur für um als wie
    was wer wen wem wo wann warum welche welcher welches welchem welchen viel viele es sie er ihr
    sich nicht auch
    el la los las lo un una unos unas y o u es son era eran fue fueron ser ha han había en de del al
    a con por para que qué quién quiénes cuál cuáles cuándo dónde cómo cuánto cuántos cuánta
    cuántas se su sus no como más
    le les des du et ou est sont était en dans par pour avec que qui quoi quand où comment combien
    quel quelle quels quelles ne pas ce cette il elle ils elles au aux sur
"""
ENGLISH = frozenset(_ENGLISH.split())
FOREIGN = frozenset(_GERMAN_SPANISH_FRENCH.split())
STOP_WORDS = ENGLISH | FOREIGN
"""Words that say how something is asked, not what: English, German, Spanish, French."""

STEM_LENGTH = 6  # letters
"""Longer words are compared by their beginning: crude, but it joins the inflected forms of every
European language without knowing which one it reads."""

_WORD = re.compile(r"[^\W_]+(?:['’.,][^\W_]+)*")
_CJK = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u0e00-\u0eff]")
_ENDINGS = ("ing", "ed", "es", "en", "s", "e")
_POSSESSIVE = re.compile(r"['’]s?$")


def terms(text: str) -> list[str]:
    """The words that carry meaning, folded for comparison; scripts without spaces as pairs."""
    return [
        term
        for word in _WORD.findall(text.lower())
        if word not in STOP_WORDS
        for term in (
            [word[i : i + 2] for i in range(max(1, len(word) - 1))]
            if not word.isascii() and _CJK.search(word)
            else [_stem(word)]
        )
    ]


_SEAM = re.compile(
    r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|(?<=\w)[.:/#-]+(?=\w)|(?<=\w)'(?=\w{2})"
)
"""Where an identifier falls into words: parse|HTTP|Response, os.path, Vec::new."""

_ABOUT_CODE = frozenset({"defin", "declar", "implem", "locat", "codeba", "code"})
"""Stems of words that ask where code is, and do not stand in it."""


def terms_of_code(text: str) -> list[str]:
    """As `terms`, with identifiers in their words: of code, and of questions about it."""
    return [term for term in terms(_SEAM.sub(" ", text)) if term not in _ABOUT_CODE]


@lru_cache(maxsize=65_536)
def _stem(word: str) -> str:
    word = _POSSESSIVE.sub("", word)
    if not word.isalpha():
        return word
    ending = next((e for e in _ENDINGS if word.endswith(e) and len(word) - len(e) >= 4), "")
    return word.removesuffix(ending)[:STEM_LENGTH]


def is_english(question: str) -> bool:
    """Whether its small words are English ones; a question in an unknown language has none."""
    words = _WORD.findall(question.lower())
    english = sum(word in ENGLISH and word not in FOREIGN for word in words)
    return english > sum(word in FOREIGN and word not in ENGLISH for word in words)


def unheard(question: str, texts: Iterable[str]) -> bool:
    """Whether the question names something, by a capital or in digits, that no text mentions.
    Where all words are written large, or all small, nothing is known to be a name."""
    words = _WORD.findall(question)
    small = [word for word in words if word[0].islower()]
    named = [word for word in words[1:] if word[0].isupper() and word.lower() not in STOP_WORDS]
    named = named if any(word in ENGLISH for word in small) else []
    numbers = [word for word in words if word[0].isdigit()]
    heard = "\n".join(texts).lower()
    beginnings = (_POSSESSIVE.sub("", name.lower())[:STEM_LENGTH] for name in named)
    return any(wanted not in heard for wanted in (*beginnings, *numbers))


def asked(question: str) -> Asked:
    folded = " ".join(question.lower().split())
    found = [
        (match.start(), order, kind)
        for order, (kind, pattern) in enumerate(_PATTERNS)
        if (match := pattern.search(folded))
    ]
    return min(found)[2] if found else "other"


_PATTERNS = [(kind, re.compile(rf"\b(?:{pattern})\b")) for kind, pattern in QUESTION_WORDS]


def asks_for_several(question: str) -> bool:
    """Whether more than one thing is asked for, so that two answers do not exclude each other."""
    return _SEVERAL.search(question) is not None


def holds(kind: Asked, sentence: str, question: str) -> bool:
    """Whether a sentence has something of the kind that was asked for; `other` asks nothing."""
    return _HOLDS[kind](sentence, question)


_TIME = re.compile(
    r"\b(?:1\d{3}|20\d{2})s?\b|\b\d{1,2}(?:st|nd|rd|th)\b|\d{1,2}:\d{2}|\b\d{1,2}[./-]\d{1,2}[./-]\d{2,4}"
    r"|\b(?:jan(?:uar[yi]?)?|feb(?:ruar[yi]?)?|mar(?:ch|zo)|märz|a[pb]ril|may|mai|mayo|jun[ei]o?"
    r"|jul[yi]o?|aug(?:ust)?|agosto|sep(?:tember|tiembre)?|o[ck]t(?:ober|ubre)?|nov(?:ember|iembre)?"
    r"|de[cz](?:ember)?|diciembre|enero|febrero|january|february)\b"
    r"|\b(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|spring|summer|autumn|winter)\b"
    r"|\b(?:century|centuries|decades?|bc|bce|ad|jahrhundert\w*|siglo|today|yesterday)\b",
    re.IGNORECASE,
)
_AMOUNT = re.compile(
    r"\d|%|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen"
    r"|fifteen|sixteen|seventeen|eighteen|nineteen|twenty|thirty|forty|fifty|sixty|seventy|eighty"
    r"|ninety|hundreds?|thousands?|millions?|billions?|dozens?|half|twice|once|several"
    r"|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|hundert|tausend|millionen?"
    r"|dos|tres|cuatro|cinco|seis|siete|ocho|nueve|diez|cien|mil|millones)\b",
    re.IGNORECASE,
)


_REASON = re.compile(
    r"\b(?:because|since|due to|owing to|thanks to|as a result|result(?:s|ed|ing)? (?:in|from|of)"
    r"|caus(?:e[sd]?|ing)|reasons?|therefore|thus|hence|in order to|so that|so as to"
    r"|leads? to|led to|intended to|meant to|designed to"
    r"|to (?:avoid|prevent|protect|reduce|improve|ensure|allow|make)"
    r"|why|weil|denn|daher|deshalb|wegen|aufgrund|damit|um [^.]{1,60} zu|da|grund|gründe"
    r"|porque|debido|para que|por lo que|a causa|parce que|puisque|afin|à cause|car)\b",
    re.IGNORECASE,
)


def _holds_a_new_name(sentence: str, question: str) -> bool:
    known = {word.lower() for word in _WORD.findall(question)}
    words = list(_WORD.finditer(sentence))
    return any(
        word[0][0].isupper()
        and word[0].lower() not in known | STOP_WORDS
        # a capital opens every sentence: there it counts only before another
        and (n > 0 or (n + 1 < len(words) and words[n + 1][0][0].isupper()))
        for n, word in enumerate(words)
    )


_HOLDS: dict[Asked, Callable[[str, str], bool]] = {
    "time": lambda sentence, _: _TIME.search(sentence) is not None,
    "amount": lambda sentence, _: _AMOUNT.search(sentence) is not None,
    "person": _holds_a_new_name,
    "place": _holds_a_new_name,
    "reason": lambda sentence, _: _REASON.search(sentence) is not None,
    "other": lambda _, __: True,
}
