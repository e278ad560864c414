"""How the number of calls under way grows and shrinks."""

from rag.mistral.pacing.concurrency import Concurrency


def test_it_starts_with_two() -> None:
    assert Concurrency().limit == 2


def test_a_clean_window_that_was_too_small_raises_it_by_one() -> None:
    places = Concurrency()
    places.want_more()

    places.succeed(0.1)
    assert places.limit == 2
    places.succeed(0.2)

    assert places.limit == 3


def test_slow_replies_end_a_window_each_second() -> None:
    places = Concurrency()
    for minute in range(1, 4):
        places.want_more()
        places.succeed(minute * 60.0)

    assert places.limit == 2 + 3


def test_places_that_nobody_wants_are_not_added() -> None:
    places = Concurrency()
    for reply in range(100):
        places.succeed(float(reply))

    assert places.limit == 2


def test_a_loss_cuts_it_once_for_all_calls_that_left_before() -> None:
    places = grown_to(20)

    for late in range(5):
        places.fail(left=99.0, now=100.0 + late)
    assert places.limit == int(20 * 0.7)

    places.fail(left=105.0, now=106.0)
    assert places.limit == int(20 * 0.7 * 0.7)


def test_one_place_is_always_left() -> None:
    places = Concurrency()
    for second in range(20):
        places.fail(float(second), second + 0.5)

    assert places.limit == 1


def test_there_is_an_end_to_growth() -> None:
    assert grown_to(64).limit == 64
    assert grown_to(64, replies=100_000).limit == 64


def grown_to(limit: int, replies: int = 0) -> Concurrency:
    places = Concurrency()
    now = 0.0
    while places.limit < limit or replies > 0:
        places.want_more()
        places.succeed(now)
        now += 0.0001
        replies -= 1
    return places
