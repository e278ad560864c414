"""One bad input is found, and costs none of the others."""

import asyncio
import math
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import InputRefused, ProviderError, ProviderRefused
from rag.mistral.embedding.sifting import Blamed, Divided, Outcome, sift


class Provider:
    """Takes numbers, but no part that holds a bad one; doubles the others."""

    def __init__(self, bad: set[int], most: int = 1000, is_working: bool = True) -> None:
        self.bad = bad
        self.most = most
        self.works = is_working
        self.requests: list[list[int]] = []
        self.doubled: list[int] = []
        self.questions = 0

    async def attempt(self, part: Sequence[int]) -> Outcome[int, int]:
        if len(part) > self.most:
            return Divided([part[i : i + self.most] for i in range(0, len(part), self.most)])
        self.requests.append(list(part))
        if self.bad & set(part):
            return Blamed(ProviderRefused("mistral", f"refused {len(part)}"))
        self.doubled += part
        return [2 * each for each in part]

    async def is_working(self) -> bool:
        self.questions += 1
        return self.works


def sifted(n: int, provider: Provider) -> dict[int, int | Blamed]:
    return asyncio.run(sift(list(range(n)), provider.attempt, provider.is_working))


@pytest.mark.parametrize("n", [1, 2, 3, 5, 16, 63, 64, 100])
def test_one_bad_input_is_found_wherever_it_is_within_the_calls_promised(n: int) -> None:
    for bad in range(n):
        provider = Provider({bad})

        found = sifted(n, provider)

        assert [key for key, value in found.items() if isinstance(value, Blamed)] == [bad]
        extra = len(provider.requests) - 1
        assert extra <= (2 * math.ceil(math.log2(n)) + 2 if n > 1 else 0)
        assert provider.questions == 0


@settings(deadline=None, max_examples=60)
@given(st.integers(1, 70), st.sets(st.integers(0, 69), max_size=12), st.integers(1, 70))
def test_every_good_input_is_paid_for_once_and_every_bad_one_is_named(
    n: int, bad: set[int], most: int
) -> None:
    provider = Provider(bad, most)

    found = sifted(n, provider)

    good = set(range(n)) - bad
    assert {key: value for key, value in found.items() if not isinstance(value, Blamed)} == {
        each: 2 * each for each in good
    }
    assert set(found) == set(range(n))
    assert sorted(provider.doubled) == sorted(good)


def test_where_everything_is_refused_no_input_is_blamed_and_few_are_tried() -> None:
    provider = Provider(set(range(64)), is_working=False)

    with pytest.raises(ProviderError, match="refused 64"):
        sifted(64, provider)

    assert len(provider.requests) == 3
    assert provider.questions == 1


def test_whether_anything_works_is_asked_once() -> None:
    provider = Provider(set(range(8)))

    assert all(isinstance(each, Blamed) for each in sifted(8, provider).values())
    assert provider.questions == 1


def test_the_error_names_positions_and_the_first_reason() -> None:
    reasons = {n: ProviderRefused("mistral", f"reason {n}") for n in (3, 9, 12, 20, 31, 40)}

    error = InputRefused("mistral", reasons, 64)

    assert error.positions == (3, 9, 12, 20, 31, 40)
    assert "of 64 texts but 3, 9, 12, 20, 31, ..." in str(error)
    assert "reason 3" in str(error)
