"""What says all of another is a duplicate; what lacks a fact of it is not."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.domain import ChunkId, DocumentId, Hit
from rag.ranking.diversity import fold_duplicates
from rag.ranking.likeness import longest, looks_alike, said, says_all

LEASE = (
    "The tenant shall pay the rent of 900 euros on the third working day of each month, and"
    " shall not keep animals in the rooms without leave of Mr Miller. "
    "The landlord keeps the roof, the walls and the heating in good order, and mends what was"
    " broken by age or weather within a week after he was told of it in writing by the tenant."
)


def is_folded(better: str, other: str) -> bool:
    hits = [
        Hit(ChunkId(str(n)), DocumentId(str(n)), str(n), "", 1 - n / 10, text, 0, len(text))
        for n, text in enumerate((better, other))
    ]
    return len(fold_duplicates(hits, 2)) == 1


@pytest.mark.parametrize(
    ("found", "printed"),
    [
        ("shall pay the rent", "will pay the rent"),
        ("in writing by", "in writing, by"),
        ("good order, and", "good order and"),
        (" within a week", "\n\n  within a week"),
    ],
)
def test_small_changes_make_no_other_text(found: str, printed: str) -> None:
    assert is_folded(LEASE, LEASE.replace(found, printed))


@pytest.mark.parametrize(
    ("found", "printed"),
    [
        ("900", "950"),  # an amount
        ("Miller", "Smith"),  # a name
        ("shall not keep", "shall keep"),  # a negation that only the better one has ...
        ("shall pay", "shall not pay"),  # ... and one that only the other has
    ],
)
def test_another_fact_is_another_text(found: str, printed: str) -> None:
    other = LEASE.replace(found, printed)

    assert not (is_folded(LEASE, other) and is_folded(other, LEASE))


def test_a_part_is_folded_into_the_whole_and_never_the_whole_into_a_part() -> None:
    part = LEASE[LEASE.index("The landlord") :]

    assert is_folded(LEASE, part)
    assert not is_folded(part, LEASE)


def test_short_texts_are_the_same_only_word_for_word() -> None:
    assert not is_folded("the rent is due in may", "the rent is due in june")


def test_words_without_case_are_all_facts() -> None:
    text = " ".join(f"東京{chr(0x4E00 + n)}" for n in range(60))

    assert is_folded(text, text.replace("\n", " "))
    assert not is_folded(text, text.replace(text.split()[30], "大阪"))


WORDS = ["a", "rose", "is", "red", "and", "no", "thorn", "12", "Paris"]
texts = st.lists(st.sampled_from(WORDS), max_size=40).map(" ".join)


@given(texts, texts)
def test_the_quick_look_never_hides_a_duplicate_of_the_same_words(one: str, more: str) -> None:
    assert looks_alike(frozenset(f"{one} {more}".split()), frozenset(one.split()))


pieces = st.frozensets(st.integers(0, 40).map("x".__mul__), min_size=1)


@given(pieces, pieces)
def test_who_has_none_of_the_longest_pieces_does_not_look_alike(
    one: frozenset[str], other: frozenset[str]
) -> None:
    for theirs in (one, one | other, other - longest(other)):
        assert not looks_alike(theirs, other) or not theirs.isdisjoint(longest(other))


@given(texts)
def test_every_long_text_says_all_that_it_says(text: str) -> None:
    assert says_all(said(text), said(text)) is (len(text.split()) >= 12)
