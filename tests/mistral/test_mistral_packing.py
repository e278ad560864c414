"""Tokens are never underestimated where it matters, and requests are full but never over."""

from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.mistral.embedding.packing import (
    LONGEST_INPUT,
    Packing,
    estimated_tokens,
    most_tokens,
    pack,
    token_bound,
    windows,
)

LONGEST_CHUNK = 400
"""Tokens of a chunk, as cut for models that take more than that."""


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 3),
        ("The answer is yes", 3 + 6),  # 17 letters and spaces
        ("naïve café", 3 + 4),  # accents are letters
        ("2026-11-22", 3 + 10),  # each digit and mark
        ("日本語", 3 + 3),
        ("Привет", 3 + 6),
        ("ไทย", 3 + 9),  # not in the vocabulary: its bytes
        ("🙂", 3 + 4),
    ],
)
def test_tokens_are_estimated_by_script(text: str, tokens: int) -> None:
    assert estimated_tokens(text) == tokens


@settings(deadline=None, max_examples=50)
@given(st.text())
def test_an_estimate_is_at_least_a_sixth_of_the_bound_and_no_more_than_it(text: str) -> None:
    estimate = estimated_tokens(text)

    assert token_bound(text) <= 6 * estimate
    assert estimate <= token_bound(text)


def test_no_chunk_can_be_too_long_for_the_model() -> None:
    assert 6 * LONGEST_CHUNK <= LONGEST_INPUT


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text(max_size=40)), st.integers(1, 5), st.integers(1, 60))
def test_packing_keeps_the_order_and_the_limits(texts: list[str], inputs: int, tokens: int) -> None:
    runs = list(pack(texts, Packing(inputs, tokens)))

    assert [text for run in runs for text in run] == texts
    for run in runs:
        assert 1 <= len(run) <= inputs
        assert len(run) == 1 or sum(map(estimated_tokens, run)) <= tokens


def test_requests_are_as_full_as_they_may_be() -> None:
    texts = ["x" * 2_991] * 20  # 1,000 tokens each by the estimate

    assert [len(run) for run in pack(texts, Packing(tokens=16_000))] == [16, 4]
    assert [len(run) for run in pack(["x"] * 130, Packing())] == [64, 64, 2]


def test_halving_always_makes_progress() -> None:
    texts = ["abcdef"] * 7  # 5 tokens each
    packing = Packing(inputs=64, tokens=16_000)

    assert packing.halved(texts, "inputs") == Packing(3, 16_000)
    assert packing.halved(texts, "tokens") == Packing(64, 7 * 5 // 2)
    assert len(list(pack(texts, packing.halved(texts, "tokens")))) == 3  # 3 texts have 15 tokens


@settings(deadline=None, max_examples=50)
@given(st.lists(st.text(max_size=40), min_size=2), st.sampled_from(["inputs", "tokens"]))
def test_what_was_too_much_is_never_sent_whole_again(
    texts: list[str], by: Literal["inputs", "tokens"]
) -> None:
    assert len(list(pack(texts, Packing(inputs=1000).halved(texts, by)))) >= 2


def test_a_request_is_never_billed_for_more_than_its_texts_can_have() -> None:
    assert most_tokens(["abc", "é"]) == (3 + 3) + (2 + 3)
    assert most_tokens(["x" * 100_000]) == LONGEST_INPUT


def test_a_late_refusal_does_not_raise_a_limit_that_was_learned() -> None:
    learned = Packing(inputs=16, tokens=100)

    assert learned.halved(["x" * 997] * 64, "inputs") == learned
    assert learned.halved(["x" * 997] * 64, "tokens") == learned


@settings(deadline=None, max_examples=50)
@given(st.text(), st.integers(20, 60))
def test_windows_hold_the_whole_text_and_fit(text: str, limit: int) -> None:
    pieces = list(windows(text, limit))

    assert all(token_bound(piece) <= limit for piece in pieces)
    assert "".join("".join(pieces).split()) == "".join(text.split())


def test_windows_are_cut_between_words() -> None:
    assert list(windows("one two three", 13 + 3 - 1)) == ["one", "two three"]
    assert list(windows("one two three", 13 + 3)) == ["one two three"]
