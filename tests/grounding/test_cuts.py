"""A quotation ends where a word, a number and a negation end."""

import pytest

from rag.grounding.cuts import is_cut_clean


def is_clean(marked: str) -> bool:
    """Whether the part between the bars may be cut out."""
    before, part, after = marked.split("|")
    text = before + part + after
    return is_cut_clean(text, len(before), len(before) + len(part))


@pytest.mark.parametrize(
    "marked",
    [
        "the |cat sat| down",
        "|the cat sat|",
        "the (|cat|) sat",
        "profit—|which rose|—fell",
        "in |2019|, it fell",
        "it rose |5%| more",
        "東京|は日本|の首都",
        "see No. |5|.",
        "end.|Next one| begins",
    ],
)
def test_between_words_a_cut_is_clean(marked: str) -> None:
    assert is_clean(marked)


@pytest.mark.parametrize(
    "marked",
    [
        "s|tart| now",
        "the |star|t",
        "they |do|n't",
        "they |can|'t",
        "a non-|toxic thing|",
        "at |5 km|/h",
        "|snake|_case",
        "in 20|15|",
        "for $|1.5|",
        "for |$1.5|0",
        "for |$1|.50",
        "at -|5 °C|",
        "at |-5| °C",
        "below <|5 mg|",
        "some |15| %",
        "some |5| million",
        "from 2010-|2015|",
        "at |10|²",
        "at |2| × 10^6",
        "a loss of (|5|)",
        "it is not |so|",
        "es |hilft| nicht",
        "これは不|安全|です",
        "क|िताब|",  # between a letter and its vowel sign
    ],
)
def test_a_cut_that_changes_what_is_left_is_not(marked: str) -> None:
    assert not is_clean(marked)
