"""Whoever follows a job hears of every change, in order, wherever he left off."""

import time
from decimal import Decimal

import pytest

from rag.domain import Failure, Source
from rag.errors import NotFound
from rag.spending import Bill, Intent, Purpose, Units, spending_for
from rag.storage.progress import BEFORE_ALL, FEWEST

BAD = Failure("empty_document", "read", "nothing in it")


def give(shelf, *keys: str):
    return shelf.library.jobs.create(shelf.collection, [Source(key, key.encode()) for key in keys])


def news(shelf, job, after=BEFORE_ALL, limit: int = 100):
    """Keys and states of what changed since, and the place after it."""
    found = shelf.library.jobs.news(job.id, after, limit=limit)
    place = found.items[-1][0] if found.items else after
    return [(item.key, item.state) for _, item in found.items], place


def test_all_that_changed_since_is_told_once_and_as_it_is_now(shelf) -> None:
    job = give(shelf, "a", "b", "c")
    told, place = news(shelf, job)
    assert told == [("a", "queued"), ("b", "queued"), ("c", "queued")]

    first = shelf.library.jobs.claim(lease=60)
    second = shelf.library.jobs.claim(lease=60)
    shelf.library.jobs.finish(second, "refused", error=BAD)
    shelf.library.jobs.advance(first, "read")
    shelf.library.jobs.advance(first, "chunked")

    told, place = news(shelf, job, place)
    assert told == [("b", "refused"), ("a", "chunked")]
    assert news(shelf, job, place) == ([], place)


@pytest.mark.parametrize(
    ("act", "state"),
    [
        (lambda shelf, job, claimed: shelf.library.jobs.release(claimed), "queued"),
        (lambda shelf, job, claimed: shelf.library.jobs.cancel(job.id), "cancelled"),
        (lambda shelf, job, claimed: shelf.put("a", "a", claimed=claimed), "indexed"),
        (lambda shelf, job, claimed: shelf.library.jobs.claim(lease=60), "queued"),
        (lambda shelf, job, claimed: _fail_and_retry(shelf, job, claimed), "queued"),
    ],
    ids=["given back", "cancelled", "published", "taken over", "tried again"],
)
def test_every_way_to_change_an_item_is_news(shelf, act, state) -> None:
    job = give(shelf, "a")
    claimed = shelf.library.jobs.claim(lease=-1)
    before = shelf.library.jobs.changes(job.id)
    _, place = news(shelf, job)
    act(shelf, job, claimed)

    assert shelf.library.jobs.changes(job.id) > before
    assert news(shelf, job, place)[0] == [("a", state)]


def _fail_and_retry(shelf, job, claimed) -> None:
    shelf.library.jobs.finish(claimed, "failed", error=BAD)
    shelf.library.jobs.retry(job.id)


def test_what_changed_together_is_told_in_parts_without_a_gap(shelf) -> None:
    job = give(shelf, *"abcde")
    told, place = news(shelf, job, limit=2)
    while (more := news(shelf, job, place, limit=2))[0]:
        told, place = told + more[0], more[1]

    assert [key for key, _ in told] == list("abcde")
    assert shelf.library.jobs.news(job.id, BEFORE_ALL, limit=4).has_more


def test_an_item_that_is_handed_in_later_is_news(shelf) -> None:
    job = give(shelf, "a")
    _, place = news(shelf, job)
    shelf.library.jobs.queue(shelf.collection, [Source("b", b"b")], job=job.id)

    assert news(shelf, job, place)[0] == [("b", "queued")]


def test_a_job_that_is_deleted_has_no_news(shelf) -> None:
    job = give(shelf, "a")
    shelf.library.jobs.cancel(job.id)
    shelf.library.jobs.delete(job.id)

    with pytest.raises(NotFound):
        shelf.library.jobs.changes(job.id)


def test_a_job_knows_what_it_cost_so_far(shelf) -> None:
    job = give(shelf, "a")
    with spending_for(Purpose(shelf.collection.id, job.id, "a")):
        settled, lost = (
            shelf.library.ledger.intend(Intent("mistral", "m", "ocr", Units(3), Decimal("0.012")))
            for _ in range(2)
        )
    shelf.library.ledger.settle(settled, Bill(Units(2), Decimal("0.008")))
    shelf.library.ledger.lose(lost)

    assert shelf.library.jobs.find(job.id).spent_usd == Decimal("0.020")


def test_the_time_that_is_left_goes_by_the_pace_of_what_has_ended(shelf) -> None:
    keys = [f"k{n}" for n in range(FEWEST + 3)]
    job = give(shelf, *keys)
    for done in range(FEWEST):
        assert shelf.library.jobs.find(job.id).seconds_left is None
        claimed = shelf.library.jobs.claim(lease=60)
        shelf.put(claimed.key, keys[done], claimed=claimed)
    left = shelf.library.jobs.find(job.id).seconds_left
    assert 0 < left < 60
    time.sleep(0.2)
    later = shelf.library.jobs.find(job.id).seconds_left
    assert later > left  # for time passed, and nothing ended

    shelf.library.jobs.cancel(job.id)
    assert shelf.library.jobs.find(job.id).seconds_left is None
