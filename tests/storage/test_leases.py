"""What is claimed stays its holder's while it lives, and whoever lost it can do nothing to it."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from rag.domain import Failure, Source
from rag.errors import Conflict
from rag.storage.library import Library
from tests.storage.shelves import DIMENSION, Shelf

LONG_AGO = -1.0
"""A lease that has passed when it begins."""


def give(shelf, *keys: str):
    return shelf.library.jobs.create(shelf.collection, [Source(key, key.encode()) for key in keys])


def publish(shelf, claimed) -> None:
    shelf.put(claimed.key, claimed.key, claimed=claimed)


def test_a_sign_of_life_keeps_what_a_worker_has(shelf) -> None:
    give(shelf, "one")
    claimed = shelf.library.jobs.claim(lease=LONG_AGO)
    assert shelf.library.jobs.show_life([claimed.claim], lease=60) == set()

    assert shelf.library.jobs.claim(lease=60) is None
    publish(shelf, claimed)
    assert shelf.texts("one") == {"one"}


def test_a_worker_that_slept_learns_what_it_lost_and_cannot_publish_it(shelf) -> None:
    job = give(shelf, "taken", "cancelled", "kept")
    taken = shelf.library.jobs.claim(lease=LONG_AGO)
    cancelled = shelf.library.jobs.claim(lease=60, in_hand=[taken.item_id])
    kept = shelf.library.jobs.claim(lease=60, in_hand=[taken.item_id])
    again = shelf.library.jobs.claim(lease=60)
    assert again.item_id == taken.item_id
    shelf.library.jobs.cancel(job.id, ["cancelled"])

    lost = shelf.library.jobs.show_life([c.claim for c in (taken, cancelled, kept)], lease=60)

    assert lost == {taken.item_id, cancelled.item_id}
    for gone in (taken, cancelled):
        with pytest.raises(Conflict):
            publish(shelf, gone)
    publish(shelf, kept)
    publish(shelf, again)
    assert shelf.texts("taken cancelled kept") == {"taken", "kept"}


def test_a_claim_that_was_given_back_is_not_the_next_one(shelf) -> None:
    """Both are the first attempt."""
    give(shelf, "one")
    first = shelf.library.jobs.claim(lease=60)
    shelf.library.jobs.release(first)
    second = shelf.library.jobs.claim(lease=60)

    assert first.attempts == second.attempts == 1
    with pytest.raises(Conflict):
        publish(shelf, first)
    publish(shelf, second)


def test_a_worker_is_not_given_what_it_has_though_it_overslept(shelf) -> None:
    give(shelf, "one", "other")
    claimed = shelf.library.jobs.claim(lease=LONG_AGO)

    assert shelf.library.jobs.claim(lease=60, in_hand=[claimed.item_id]).key == "other"
    assert shelf.library.jobs.claim(lease=60, in_hand=[claimed.item_id]) is None


def test_what_the_worker_itself_has_just_ended_is_not_lost(shelf) -> None:
    give(shelf, "one")
    claimed = shelf.library.jobs.claim(lease=60)
    publish(shelf, claimed)

    assert shelf.library.jobs.show_life([claimed.claim], lease=60) == set()


# --- several machines ---


@pytest.fixture
def machines(tmp_path: Path, postgres_url: str) -> Iterator[Callable[[str], Shelf]]:
    opened: list[Library] = []

    def shelf(name: str) -> Shelf:
        library = Library.open(tmp_path / name, database_url=postgres_url)
        opened.append(library)
        if not library.collections.list().data:
            library.collections.create(
                "notes", embedding_model="words", dimension=DIMENSION, chunk_tokens=256
            )
        return Shelf(library, library.collections.find("notes"))

    yield shelf
    for library in opened:
        library.close()


@pytest.mark.postgres
def test_what_a_dead_machine_had_is_taken_over_by_any_other(machines) -> None:
    dead, alive = machines("dead"), machines("alive")
    give(dead, "one")
    old = dead.library.jobs.claim(lease=0.3)
    assert alive.library.jobs.claim(lease=60) is None
    time.sleep(0.4)
    taken = alive.library.jobs.claim(lease=60)
    publish(alive, taken)

    assert taken.attempts == 2
    with pytest.raises(Conflict):
        publish(dead, old)
    assert dead.texts("one") == {"one"}


@pytest.mark.postgres
def test_a_machine_whose_clock_is_wrong_does_no_harm(machines, monkeypatch) -> None:
    right, wrong = machines("right"), machines("wrong")
    give(right, "one")
    with monkeypatch.context() as patch:
        patch.setattr(time, "time", lambda: 9e9)
        patch.setattr(time, "monotonic", lambda: 9e9)
        claimed = wrong.library.jobs.claim(lease=60)
        assert wrong.library.orders.lead(60)
        assert wrong.library.jobs.workers() == ()
        wrong.library.jobs.show_life([claimed.claim], lease=60)

    assert right.library.jobs.claim(lease=60) is None
    assert not right.library.orders.lead(60)
    assert right.library.jobs.workers() == (None,)


@pytest.mark.postgres
def test_one_machine_buys_and_another_takes_over_when_it_stops_or_dies(machines) -> None:
    one, other = machines("one"), machines("other")
    assert one.library.orders.lead(60)
    assert not other.library.orders.lead(60)
    assert one.library.orders.lead(60)

    one.library.orders.resign()
    assert other.library.orders.lead(LONG_AGO)  # and dies
    assert one.library.orders.lead(60)
    other.library.orders.resign()  # which it was not any more
    assert not other.library.orders.lead(60)


@pytest.mark.postgres
def test_workers_are_known_with_what_they_wait_for_until_they_leave_or_die(machines) -> None:
    one, other = machines("one"), machines("other")
    why = Failure("provider_unavailable", "provider", "it is down")
    one.library.jobs.show_life([], lease=60)
    other.library.jobs.show_life([], lease=60, paused=why)
    assert set(one.library.jobs.workers()) == {None, why}

    other.library.jobs.leave()
    assert one.library.jobs.workers() == (None,)
    one.library.jobs.show_life([], lease=LONG_AGO)
    assert other.library.jobs.workers() == ()
