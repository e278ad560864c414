"""Lengths are rounded as an index rounds them."""

from rag.storage.lexical.scoring import rounded_length


def test_a_length_keeps_four_bits_beyond_24() -> None:
    assert [rounded_length(n) for n in (0, 24, 39, 40, 41, 42, 55, 56, 59, 60)] == [
        *(0, 24, 39, 40, 40, 42, 54, 56, 56, 60)
    ]
    kept = {rounded_length(n) for n in range(100_000)}
    assert len(kept) < 256
