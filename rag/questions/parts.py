"""Several questions in one: each is looked for by itself, so that one does not drown the other.

Only where it is clear. Parts begin with a question word, have a few words of their own, and do not
lean on one another: "Who wrote Walden and when was it printed?" stays whole, since nothing is found
by "when was it printed".
"""

import re

MOST = 4  # parts; a text of more is a list of things, and searched whole

SHORTEST = 3  # words of a part: "why", "and how much" ask nothing by themselves

_ASKS = {
    "en": "what|who|whom|whose|when|where|why|how|which",
    "de": "was|wer|wen|wem|wessen|wann|wo|woher|wohin|warum|weshalb|wieso|wie|welche[rsmn]?",
    "fr": "que|quoi|qui|quand|où|pourquoi|comment|combien|quel(?:le)?s?",
    "es": "qué|quién(?:es)?|cuándo|dónde|por qué|cómo|cuál(?:es)?|cuánt[oa]s?",
}
_AND = {"en": "and", "de": "und", "fr": "et", "es": "y|e"}
_LEANS = {
    "en": "it|its|he|him|his|she|her|hers|they|them|their|theirs|this|that|these|those|there|then"
    "|one|ones|same|other|former|latter|else",
    "de": "er|ihn|ihm|sein|seine[rsmn]?|sie|ihr|ihre[rsmn]?|ihnen|es|dies|diese[rsmn]?|dort"
    "|dann|dabei|dafür|damit|dessen|deren",
    "fr": "il|elle|ils|elles|lui|leur|leurs|son|sa|ses|ce|cela|ça|celui|celle|ceux|celles|y|en",
    "es": "él|ella|ellos|ellas|su|sus|lo|le|les|esto|eso|este|esta|estos|estas|ese|esa|allí",
}
_MARK = re.compile(r"(?<=[?？؟])\s+(?=\S)|(?<=[？？؟])(?=\S)")
_LANGUAGES = {
    language: (
        re.compile(rf"(?:(?:{_AND[language]})\s+)?(?:\w+\s+)?(?:{asks})\b", re.IGNORECASE),
        re.compile(rf",?\s+(?:{_AND[language]})\s+(?=(?:{asks})\b)", re.IGNORECASE),
        # English always: "Was it cold?" begins like a German question
        re.compile(rf"\b(?:{_LEANS[language]}|{_LEANS['en']})\b", re.IGNORECASE),
    )
    for language, asks in _ASKS.items()
}
_LEADING_AND = re.compile(r"\A(?:and|und|et|y)\s+", re.IGNORECASE)


def split(question: str) -> tuple[str, ...]:
    """Its parts; none where it is one question, or not clearly more.

    >>> split("What is the notice period and who pays for repairs?")
    ('What is the notice period', 'who pays for repairs?')
    """
    for opens, joint, leans in _LANGUAGES.values():
        said = [part for piece in _MARK.split(question.strip()) for part in joint.split(piece)]
        if not 2 <= len(said) <= MOST:
            continue
        if all(_stands(part.lstrip("¿ "), opens) for part in said) and not any(
            map(leans.search, said[1:])
        ):
            return tuple(_LEADING_AND.sub("", part, count=1) for part in said)
    return ()


def _stands(part: str, opens: re.Pattern[str]) -> bool:
    return opens.match(part) is not None and len(part.split()) >= SHORTEST
