"""Items are worked on once, in order, by one worker at a time, and never without end."""

import pytest
from sqlalchemy import Double, literal

from rag.domain import Failure, JobId, Source
from rag.errors import Conflict, InvalidRequest, NotFound
from rag.storage import leases
from rag.storage.claiming import MAX_ATTEMPTS


def give(shelf, *texts: str, key: str | None = None):
    """A job of one source for each text."""
    return shelf.library.jobs.create(
        shelf.collection, [Source(key or text, text.encode()) for text in texts]
    )


def publish(shelf, claimed) -> None:
    shelf.put(claimed.key, shelf.library.jobs.source(claimed).content.decode(), claimed=claimed)


def states(shelf, job) -> list[str]:
    return [item.state for item in shelf.library.jobs.items(job.id).data]


def test_a_job_goes_from_queued_through_running_to_succeeded(shelf) -> None:
    job = give(shelf, "one", "two")
    assert (job.state, job.items.total, job.finished_at) == ("queued", 2, None)

    publish(shelf, shelf.library.jobs.claim(lease=60))
    job = shelf.library.jobs.find(job.id)
    assert (job.state, job.items.done) == ("running", 1)

    publish(shelf, shelf.library.jobs.claim(lease=60))
    job = shelf.library.jobs.find(job.id)
    assert (job.state, job.items.done, job.progress["indexed"]) == ("succeeded", 2, 2)
    assert job.finished_at is not None
    assert shelf.library.jobs.claim(lease=60) is None


def test_a_refused_item_fails_its_job_with_the_reason_and_the_others_are_published(shelf) -> None:
    job = give(shelf, "bad", "good")
    why = Failure("empty_document", "read", "nothing in it")
    shelf.library.jobs.finish(shelf.library.jobs.claim(lease=60), "refused", error=why)
    publish(shelf, shelf.library.jobs.claim(lease=60))
    job = shelf.library.jobs.find(job.id)

    assert (job.state, job.items.failed, job.items.done) == ("failed", 1, 1)
    assert job.last_error == why
    assert shelf.texts("good") == {"good"}


def test_a_source_that_is_published_already_is_unchanged_at_once(shelf) -> None:
    publish(shelf, give(shelf, "one") and shelf.library.jobs.claim(lease=60))
    again = give(shelf, "one")

    assert (again.state, states(shelf, again)) == ("succeeded", ["unchanged"])
    assert again.finished_at is not None
    renamed = [Source("one", b"one", title="A title")]
    assert shelf.library.jobs.create(shelf.collection, renamed).state == "queued"


def test_going_back_while_another_version_waits_is_not_unchanged(shelf) -> None:
    publish(shelf, give(shelf, "old", key="k") and shelf.library.jobs.claim(lease=60))
    give(shelf, "new", key="k")
    back = give(shelf, "old", key="k")

    assert states(shelf, back) == ["queued"]


def test_items_of_one_key_are_worked_on_in_order(shelf) -> None:
    give(shelf, "first", "second", key="k")
    first = shelf.library.jobs.claim(lease=60)

    assert shelf.library.jobs.claim(lease=60) is None  # the second waits for the first
    publish(shelf, first)
    publish(shelf, shelf.library.jobs.claim(lease=60))
    assert shelf.texts("first second") == {"second"}


def test_a_claimed_item_is_nobody_elses_until_its_lease_runs_out(shelf) -> None:
    give(shelf, "one")
    slow = shelf.library.jobs.claim(lease=-1)
    quick = shelf.library.jobs.claim(lease=60)

    assert (slow.item_id, quick.attempts) == (quick.item_id, 2)
    assert shelf.library.jobs.claim(lease=60) is None
    with pytest.raises(Conflict):
        shelf.library.jobs.advance(slow, "read")
    with pytest.raises(Conflict):
        publish(shelf, slow)
    assert shelf.hits("one") == []
    publish(shelf, quick)
    assert shelf.texts("one") == {"one"}


def test_completing_a_step_prolongs_the_lease(shelf, monkeypatch: pytest.MonkeyPatch) -> None:
    give(shelf, "one")
    at = 1_000.0
    monkeypatch.setattr(leases, "clock", lambda _: literal(at, Double))
    claimed = shelf.library.jobs.claim(lease=10)
    at = 1_009.0
    shelf.library.jobs.advance(claimed, "read")
    at = 1_015.0

    assert shelf.library.jobs.claim(lease=10) is None
    at = 1_020.0
    assert shelf.library.jobs.claim(lease=10) is not None


def test_a_file_that_kills_its_worker_is_given_up(shelf) -> None:
    job = give(shelf, "deadly", "harmless")
    for attempt in range(MAX_ATTEMPTS):
        claimed = shelf.library.jobs.claim(lease=-1)
        assert (claimed.key, claimed.attempts) == ("deadly", attempt + 1)

    assert shelf.library.jobs.claim(lease=60).key == "harmless"
    [deadly, _] = shelf.library.jobs.items(job.id).data
    assert (deadly.state, deadly.error.code) == ("failed", "gave_up")


def test_a_new_owner_takes_over_at_once_what_the_former_was_working_on(open_shelf) -> None:
    shelf = open_shelf()
    give(shelf, "one")
    shelf.library.jobs.claim(lease=10_000)

    assert open_shelf().library.jobs.claim(lease=60).attempts == 2


def test_an_item_given_back_was_not_tried(shelf) -> None:
    give(shelf, "one")
    shelf.library.jobs.release(shelf.library.jobs.claim(lease=60))

    assert shelf.library.jobs.claim(lease=60).attempts == 1


def test_a_cancelled_job_publishes_nothing_more(shelf) -> None:
    job = give(shelf, "one", "two", "three")
    publish(shelf, shelf.library.jobs.claim(lease=60))
    in_the_middle = shelf.library.jobs.claim(lease=60)
    job = shelf.library.jobs.cancel(job.id)

    assert job.state == "cancelled"
    assert states(shelf, job) == ["indexed", "cancelled", "cancelled"]
    with pytest.raises(Conflict):
        publish(shelf, in_the_middle)
    assert shelf.library.jobs.claim(lease=60) is None
    assert shelf.texts("one two three") == {"one"}


def test_deleting_a_document_cancels_what_waits_for_its_key(shelf) -> None:
    publish(shelf, give(shelf, "old", key="k") and shelf.library.jobs.claim(lease=60))
    job = give(shelf, "new", key="k")
    in_the_middle = shelf.library.jobs.claim(lease=60)
    shelf.library.documents.delete(shelf.library.documents.find_by_key(shelf.collection, "k").id)

    with pytest.raises(Conflict):
        publish(shelf, in_the_middle)
    assert shelf.library.jobs.find(job.id).state == "cancelled"
    assert shelf.hits("old new") == []


def test_a_job_of_nothing_succeeds(shelf) -> None:
    assert shelf.library.jobs.create(shelf.collection, []).state == "succeeded"


def test_jobs_and_items_are_listed_page_by_page(shelf) -> None:
    jobs = [give(shelf, f"{i}", f"{i}b") for i in range(5)]
    page = shelf.library.jobs.list(limit=3)
    rest = shelf.library.jobs.list(limit=3, after=page.next)

    assert [job.id for job in (*page.data, *rest.data)] == [job.id for job in reversed(jobs)]
    assert (page.has_more, rest.has_more, rest.next) == (True, False, None)
    first = shelf.library.jobs.items(jobs[0].id, limit=1)
    second = shelf.library.jobs.items(jobs[0].id, limit=1, after=first.next)
    assert [item.key for item in (*first.data, *second.data)] == ["0", "0b"]


@pytest.mark.parametrize("after", ["x", "!!!", "WzFd", "é"])
def test_a_cursor_that_is_not_ours_is_refused(shelf, after: str) -> None:
    with pytest.raises(InvalidRequest, match="cursor"):
        shelf.library.jobs.list(limit=3, after=after)


@pytest.mark.parametrize(
    "source",
    [
        Source("", b"x"),
        Source("k" * 1_025, b"x"),
        Source("nul\0", b"x"),
        Source("\ud800", b"x"),
        Source("k", b"x", title="\ud800"),
        Source("k", b"x", attributes={"a": float("nan")}),
        Source("k", b"x", attributes={"a": 2**63}),
        Source("k", b"x", attributes={"a": "\0"}),
        Source("k", b"x", attributes={str(i): i for i in range(101)}),
    ],
)
def test_a_source_that_cannot_be_kept_is_refused_and_nothing_is_queued(shelf, source) -> None:
    with pytest.raises(InvalidRequest):
        shelf.library.jobs.create(shelf.collection, [Source("fine", b"x"), source])

    assert shelf.library.jobs.list().data == ()


def test_an_unknown_job_is_not_found(shelf) -> None:
    for ask in (shelf.library.jobs.find, shelf.library.jobs.items, shelf.library.jobs.cancel):
        with pytest.raises(NotFound):
            ask(JobId("job_none"))
