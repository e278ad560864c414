"""Scripts without spaces between words are cut into overlapping pairs.

Chinese, Japanese and Korean into pairs of characters. Thai, Lao, Khmer and Burmese into pairs of
clusters, a consonant with the vowels and tones around it: pairs of single letters say little, as
they would in English. nDCG@10 of Thai questions (XQuAD): pairs of letters 0.944, threes 0.972,
pairs of clusters 0.974, threes 0.966.
"""

import re
from collections.abc import Iterator

from rag.ranking.analysis.scripts import HAN, SYLLABIC

_SYLLABIC = re.compile(rf"[{SYLLABIC}]+")
_CLUSTER = re.compile(
    r"""
      [เ-ไ]?[ก-ฮ][ะ-ฺๅ็-๎]*                     # Thai: vowel before, consonant, vowels and tones after
    | [ເ-ໄ]?[ກ-ຮໜ-ໟ][ະ-ຽ່-ໍ]*                    # Lao, alike
    | [\u1780-\u17b3](?:\u17d2[\u1780-\u17b3]|[\u17b4-\u17d1\u17dd])*   # Khmer: stacked below
    | [\u1000-\u102a\u103f\u104e\u1050-\u1055]
      (?:[\u102b-\u1038\u103a-\u103e\u1056-\u1059]|\u1039[\u1000-\u1021])*  # Burmese
      (?:[\u1000-\u1021]\u103a[\u1037\u1038]*)*                          # and what closes it
    | .
    """,
    re.VERBOSE | re.DOTALL,
)
_PARTS = re.compile(rf"(?P<syllabic>[{SYLLABIC}]+)|[^{SYLLABIC}]+")
_HAN = re.compile(rf"[{HAN}]+")

SHORT = 2
"""Characters of Han between other letters that are asked for one by one as well: a Japanese word
is often that short. nDCG@10 of Japanese questions (JSQuAD): 0.951 without, 0.957 with; of Chinese
ones, whose runs are long: 0.964 and 0.965."""


def pairs(run: str) -> Iterator[str]:
    """Of a run of unspaced script, in order; a lone character, or cluster, is given itself."""
    for part in _PARTS.finditer(run):
        units = _CLUSTER.findall(part[0]) if part["syllabic"] else part[0]
        if len(units) == 1:
            yield part[0]
        for n in range(len(units) - 1):
            yield units[n] + units[n + 1]


def singles(run: str) -> Iterator[str]:
    """Its Han characters: each may be a word, and is found by itself."""
    if len(run) > 1:
        for han in _HAN.findall(run):
            yield from han


def singles_asked(run: str) -> Iterator[str]:
    """Those of them that a question asks for besides its pairs."""
    if len(run) > 1:
        for han in _HAN.findall(run):
            if len(han) <= SHORT:
                yield from han
