"""Settings as they are written."""

import pytest

from rag.cli.evaluate.asking import Way
from rag.cli.evaluate.wishes import parse_way, ways_of
from rag.errors import InvalidRequest


@pytest.mark.parametrize(
    ("written", "way"),
    [
        ("words", Way("words")),
        ("mode=dense", Way("dense")),
        ("weight=0.4", Way("hybrid", 0.4)),
        ("mode=hybrid, weight=0.4, chunk_tokens=128", Way("hybrid", 0.4, 128)),
        ("words,chunk_tokens=64", Way("words", None, 64)),
    ],
)
def test_a_setting_is_a_leg_or_names_and_values(written: str, way: Way) -> None:
    assert parse_way(written) == way


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("wrods", "a setting is written as"),
        ("weight=much", "a setting is written as"),
        ("depth=3", "a setting is written as"),
        ("mode=words,weight=0.4", "a weight is of the mode hybrid"),
        ("weight=1.5", "from 0 to 1"),
    ],
)
def test_what_is_no_setting_is_refused(written: str, said: str) -> None:
    with pytest.raises(InvalidRequest, match=said):
        parse_way(written)


def test_the_first_leg_is_what_all_others_are_compared_with() -> None:
    ways = ways_of((), [0.5], [128], ["words"], tune=False)

    assert ways == (
        Way("hybrid"),
        Way("dense"),
        Way("words"),
        Way("hybrid", 0.5),
        Way("hybrid", None, 128),
    )


def test_tuning_tries_weights_and_sizes_and_builds_each_size_once() -> None:
    sizes = [way.chunk_tokens for way in ways_of((), (), (), (), tune=True)]

    assert sizes == sorted(sizes, key=lambda size: size or 0)
    assert len({size for size in sizes if size}) == 2
