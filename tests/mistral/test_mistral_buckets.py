"""How fast a counter is used, and how a limit that nobody states is found."""

from itertools import pairwise

import pytest

from rag.mistral.pacing.buckets import Bucket


def use_all(bucket: Bucket, seconds: float, start: float = 0.0) -> list[float]:
    """When calls of one unit leave, as fast as the bucket lets them."""
    left, now = [], start
    while now < start + seconds:
        now += max(0.0, bucket.wait(now))
        bucket.use(1.0, now)
        left.append(now)
        if bucket.rate is None:
            now += 0.1
    return left


def test_nothing_waits_before_a_limit_is_known() -> None:
    bucket = Bucket(0.1)
    bucket.use(1_000_000.0, 0.0)

    assert bucket.wait(0.0) == 0.0


def test_a_stated_limit_is_used_evenly_and_nearly_whole() -> None:
    bucket = Bucket(0.1)
    bucket.state(2.0, None, 0.0)

    left = use_all(bucket, 60.0)

    assert len(left) / 60.0 == pytest.approx(2.0 * 0.98, rel=0.02)
    gaps = [later - earlier for earlier, later in pairwise(left[1:])]
    assert min(gaps) == pytest.approx(max(gaps)) == pytest.approx(1 / (2.0 * 0.98))


def test_a_late_wake_up_is_made_up_for_and_a_long_pause_is_not() -> None:
    bucket = Bucket(slack=0.1)
    bucket.state(10.0, None, 0.0)
    bucket.use(1.0, 0.0)

    bucket.use(1.0, 100.0)

    assert bucket.wait(100.0) == pytest.approx(1 / 9.8 - 0.1)


def test_what_was_used_more_than_expected_is_paid_off_too() -> None:
    bucket = Bucket(0.0)
    bucket.state(100.0, None, 0.0)
    bucket.use(98.0, 0.0)
    assert bucket.wait(0.0) == pytest.approx(1.0)

    bucket.correct(+49.0, left=0.0)
    assert bucket.wait(0.0) == pytest.approx(1.5)

    bucket.correct(-147.0, left=0.0)
    assert bucket.wait(0.0) == pytest.approx(0.0)


def test_where_too_little_remains_the_rest_is_waited_for() -> None:
    bucket = Bucket(0.0)
    bucket.state(100.0, 1_000.0, 0.0)
    bucket.use(98.0, 0.0)

    bucket.state(100.0, 49.0, 0.0)

    assert bucket.wait(0.0) == pytest.approx(1.0 + 0.5)


def test_the_first_refusal_makes_a_guess_of_what_was_used_just_now() -> None:
    bucket = Bucket(0.1)
    use_all(bucket, 10.0)  # ten a second

    bucket.fall(10.0)

    assert bucket.rate == pytest.approx(10.0 * 0.7, rel=0.06)


def test_a_refusal_right_after_another_says_that_a_guess_was_far_off() -> None:
    bucket = Bucket(0.1)
    use_all(bucket, 10.0)
    bucket.fall(10.0)
    guess = bucket.rate or 0.0

    bucket.fall(10.5)

    assert bucket.rate == pytest.approx(0.7 * guess)


def test_what_was_confirmed_is_not_thrown_away_for_two_refusals_in_a_row() -> None:
    bucket = known(10.0)
    rate = bucket.rate or 0.0

    bucket.fall(200.0)
    bucket.fall(201.0)

    assert bucket.rate == pytest.approx(0.95**2 * rate)


def test_a_counter_that_was_not_to_blame_is_kept_close_to_its_use() -> None:
    bucket = known(10.0)
    rate = bucket.rate or 0.0
    for number in range(50):
        bucket.use(1.0, 300.0 + number / 5)  # five a second, for ten seconds

    bucket.stay(309.9)

    assert bucket.rate == pytest.approx(5.0 * 1.1, rel=0.05)
    assert bucket.rate < rate


def test_after_a_refusal_it_comes_back_to_just_below_lingers_and_goes_beyond() -> None:
    bucket = known(10.0)
    refused = bucket.rate or 0.0
    bucket.fall(200.0)
    rates = []
    for minute in range(4):
        use_all(bucket, 60.0, start=200.0 + 60 * minute)
        rates.append((bucket.rate or 0.0) / refused)

    assert 0.95 < rates[0] < 1.0
    assert rates == sorted(rates)
    assert rates[-1] > 1.02


def test_a_rate_that_nobody_waits_for_stays_as_it_is() -> None:
    bucket = known(10.0)
    bucket.fall(200.0)
    rate = bucket.rate
    for second in range(600):
        bucket.use(1.0, 201.0 + second)

    assert bucket.rate == rate


def test_after_a_long_stall_the_rate_is_what_the_minute_before_had_taken() -> None:
    bucket = Bucket(0.1)
    use_all(bucket, 20.0)  # 200 in twenty seconds, and then nothing for the rest of the minute
    bucket.fall(20.0)

    bucket.recover()

    assert bucket.rate == pytest.approx(200 / 60 * 0.95, rel=0.02)


def test_a_stated_limit_is_never_exceeded_by_probing() -> None:
    bucket = Bucket(0.1)
    bucket.state(10.0, None, 0.0)
    use_all(bucket, 60.0)
    bucket.fall(60.0)
    assert bucket.rate == pytest.approx(9.8 * 0.95)

    use_all(bucket, 300.0, start=60.0)

    assert bucket.rate == pytest.approx(9.8)


def known(rate: float) -> Bucket:
    """Found out against a provider that takes so much, by the time it is 200 seconds old."""
    bucket = Bucket(0.1)
    enforced(bucket, rate, 199.0)
    for number in range(12):
        bucket.use(1.0, 199.0 + number / 20)
    return bucket


def enforced(bucket: Bucket, rate: float, seconds: float) -> tuple[int, int]:
    """Calls taken and refused by a provider that takes `rate` a second."""
    now, left, taken, refused = 0.0, rate, 0, 0
    while now < seconds:
        wait = max(0.05, bucket.wait(now))
        now += wait
        left = min(rate, left + wait * rate)
        bucket.use(1.0, now)
        if left >= 1:
            left -= 1
            taken += 1
        else:
            refused += 1
            bucket.correct(-1.0, now)
            bucket.fall(now)
            now += 0.5
            left = min(rate, left + 0.5 * rate)
    return taken, refused


def test_a_limit_that_nobody_states_is_found_and_used() -> None:
    taken, refused = enforced(Bucket(0.1), 8.0, 1200.0)

    assert taken >= 0.93 * 8.0 * 1200.0
    assert refused <= 0.01 * taken
