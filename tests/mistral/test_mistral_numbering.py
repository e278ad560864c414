"""Indexes of a reply become the numbers of the document's pages."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import MalformedReply
from rag.mistral.ocr.numbering import original_numbers, ranges, spoken

numbers = st.lists(st.integers(1, 2_000), min_size=1, max_size=40, unique=True).map(sorted)


@settings(max_examples=40)
@given(numbers, st.sampled_from([0, 1]), st.booleans(), st.randoms(use_true_random=False))
def test_whichever_way_pages_are_counted_they_are_the_same_pages(
    asked: list[int], first: int, anew: bool, random: object
) -> None:
    own = list(range(1, len(asked) + 1)) if anew else asked
    sent = {number - 1 + first: place for place, number in enumerate(own)}
    shuffled = list(sent)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # a strategy's own random

    found = original_numbers(shuffled, asked)

    assert found == {index: asked[place] for index, place in sent.items()}


@settings(max_examples=40)
@given(numbers, st.lists(st.integers(0, 2_001), max_size=40))
def test_what_is_believed_is_every_page_once(asked: list[int], indexes: list[int]) -> None:
    try:
        found = original_numbers(indexes, asked)
    except MalformedReply:
        return

    assert sorted(found) == sorted(indexes)
    assert sorted(found.values()) == asked


@pytest.mark.parametrize(
    ("indexes", "why"),
    [
        ([], "sent no pages"),
        ([4], "sent 1 pages for the 2 asked for"),
        ([4, 4], "twice, with the index 4"),
        ([4, 9, 10], "sent 3 pages"),
        ([4, 10], "indexes 4, 10"),  # one counted from 0, the other from 1
        ([2, 3], "indexes 2-3, where the pages 5, 10"),
    ],
)
def test_what_is_wrong_with_the_pages_is_told(indexes: list[int], why: str) -> None:
    with pytest.raises(MalformedReply, match=why):
        original_numbers(indexes, [5, 10])


def test_pages_that_nobody_counted_are_in_one_row() -> None:
    assert original_numbers([1, 0], None) == {0: 1, 1: 2}
    assert original_numbers([1, 2], None) == {1: 1, 2: 2}
    for wrong in ([0, 2], [2, 3], []):
        with pytest.raises(MalformedReply):
            original_numbers(wrong, None)


@settings(max_examples=40)
@given(st.lists(st.integers(1, 300), unique=True).map(sorted))
def test_ranges_name_every_page(asked: list[int]) -> None:
    named = [
        number
        for run in ranges(asked).split(",")
        if run
        for number in range(int(run.split("-")[0]), int(run.split("-")[-1]) + 1)
    ]

    assert named == asked


def test_a_message_names_a_few() -> None:
    assert spoken([1, 3, 5, 7, 9, 11, 13]) == "1, 3, 5, 7, 9, ..."
