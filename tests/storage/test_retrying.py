"""What ended badly can be tried again, from the bytes that came for it, and from no others."""

import pytest

from rag.domain import Failure, Source, version_of
from rag.errors import Conflict, InvalidRequest, NotFound

DOWN = Failure("provider_unavailable", "provider", "it was down")


def give(shelf, *texts: str, key: str | None = None, lane: str = "direct"):
    sources = [Source(key or text, text.encode()) for text in texts]
    return shelf.library.jobs.queue(shelf.collection, sources, lane=lane).job


def end(shelf, state: str) -> None:
    """The next item ends so."""
    claimed = shelf.library.jobs.claim(lease=60)
    if state == "indexed":
        text = shelf.library.jobs.source(claimed).content.decode()
        shelf.put(claimed.key, text, claimed=claimed)
    else:
        shelf.library.jobs.finish(claimed, state, error=DOWN)


def states(shelf, job) -> dict[str, str]:
    return {item.key: item.state for item in shelf.library.jobs.items(job.id).data}


def test_all_that_failed_waits_again_and_nothing_else(shelf) -> None:
    job = give(shelf, "good", "bad", "worse", "foreign")
    for state in ("indexed", "failed", "failed", "refused"):
        end(shelf, state)
    assert shelf.library.jobs.find(job.id).state == "failed"

    retried = shelf.library.jobs.retry(job.id)
    assert (retried.queued, retried.obsolete, retried.gone) == (2, 0, 0)
    assert (retried.job.state, retried.job.finished_at) == ("running", None)
    assert states(shelf, job) == {
        "good": "indexed",
        "bad": "queued",
        "worse": "queued",
        "foreign": "refused",
    }

    assert shelf.library.jobs.claim(lease=-1).attempts == 1
    for _ in range(2):
        end(shelf, "indexed")
    assert shelf.texts("bad worse") >= {"bad", "worse"}
    assert shelf.library.jobs.items(job.id).data[1].error is None


def test_items_are_tried_again_by_their_keys_refused_and_cancelled_ones_too(shelf) -> None:
    job = give(shelf, "foreign", "wrong", "other")
    end(shelf, "refused")
    end(shelf, "failed")
    assert shelf.library.jobs.cancel(job.id, ["other"]).finished_at is not None

    assert shelf.library.jobs.retry(job.id, ["foreign", "other"]).queued == 2
    assert states(shelf, job) == {"foreign": "queued", "wrong": "failed", "other": "queued"}
    with pytest.raises(InvalidRequest, match="'nobody'"):
        shelf.library.jobs.retry(job.id, ["wrong", "nobody"])
    with pytest.raises(NotFound):
        shelf.library.jobs.retry("job_none")


def test_a_second_retry_finds_nothing_left_to_do(shelf) -> None:
    job = give(shelf, "bad")
    end(shelf, "failed")
    shelf.library.jobs.retry(job.id)

    assert shelf.library.jobs.retry(job.id).queued == 0


def test_an_old_version_does_not_come_back_over_a_newer_one(shelf) -> None:
    old = give(shelf, "old words", key="k")
    end(shelf, "failed")
    give(shelf, "new words", key="k")
    end(shelf, "indexed")

    retried = shelf.library.jobs.retry(old.id)

    assert (retried.queued, retried.obsolete) == (0, 1)
    assert retried.job.finished_at is not None
    assert shelf.texts("words") == {"new words"}


def test_in_the_batch_lane_it_is_bought_in_a_batch_again(shelf) -> None:
    job = give(shelf, "one", lane="batch")
    [queue] = shelf.library.orders.queues()
    claimed = shelf.library.orders.claim(queue, lease=60)
    shelf.library.jobs.finish(claimed, "failed", error=DOWN)
    shelf.library.jobs.retry(job.id)

    assert shelf.library.jobs.claim(lease=60) is None
    assert shelf.library.orders.queues()[0].items == 1


# --- bytes ---


def test_the_bytes_of_a_failed_item_outlive_another_document_that_had_the_same(shelf) -> None:
    job = give(shelf, "same", key="a")
    end(shelf, "failed")
    other = shelf.put("b", "same")
    shelf.library.documents.delete(other.id)

    assert shelf.library.jobs.retry(job.id).queued == 1
    end(shelf, "indexed")
    assert shelf.texts("same") == {"same"}


def test_what_came_for_a_deleted_document_is_gone_and_not_tried_again(shelf) -> None:
    document = shelf.put("k", "first words")
    job = give(shelf, "second words", key="k")
    end(shelf, "failed")
    shelf.library.documents.delete(document.id)

    with pytest.raises(NotFound):
        shelf.library.originals.get(version_of(b"second words"))
    assert shelf.library.jobs.retry(job.id).obsolete == 1
    assert shelf.hits("words") == []


def test_a_deleted_job_takes_the_bytes_along_that_never_became_a_document(shelf) -> None:
    job = give(shelf, "good", "bad", "waits")
    end(shelf, "indexed")
    end(shelf, "failed")
    with pytest.raises(Conflict, match="cancel it"):
        shelf.library.jobs.delete(job.id)
    shelf.library.jobs.cancel(job.id)
    shelf.library.jobs.delete(job.id)

    with pytest.raises(NotFound):
        shelf.library.jobs.find(job.id)
    for gone in (b"bad", b"waits"):
        with pytest.raises(NotFound):
            shelf.library.originals.get(version_of(gone))
    assert shelf.library.originals.get(version_of(b"good")) == b"good"
    assert shelf.texts("good") == {"good"}


def test_bytes_that_two_jobs_have_go_with_the_last(shelf) -> None:
    one, other = give(shelf, "same", key="a"), give(shelf, "same", key="b")
    end(shelf, "failed")
    end(shelf, "failed")
    shelf.library.jobs.delete(one.id)
    assert shelf.library.originals.get(version_of(b"same")) == b"same"
    shelf.library.jobs.delete(other.id)

    with pytest.raises(NotFound):
        shelf.library.originals.get(version_of(b"same"))
