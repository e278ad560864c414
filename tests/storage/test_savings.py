"""What was not paid is what a document is worth, less what the ledger has for it."""

from decimal import Decimal

import pytest

from rag.domain import Document, Saved, Source
from rag.spending import Bill, Intent, Purpose, Units, spending_for
from rag.storage.claims import ClaimedItem
from rag.storage.savings import WORTHLESS, Worth, unpaid

WORTH = Worth(4, Decimal("0.016"), 300, Decimal("0.03"), most_tokens=900)


@pytest.mark.parametrize(
    ("pages", "most_tokens", "saved"),
    [
        (0, 0, Saved(4, 300, Decimal("0.046"))),  # everything was known
        (4, 900, Saved()),  # everything was bought
        (1, 600, Saved(3, 100, Decimal("0.022"))),
        (5, 1_800, Saved()),  # bought twice, for a reply could not be used
    ],
)
def test_what_was_not_paid_was_saved(pages: int, most_tokens: int, saved: Saved) -> None:
    assert unpaid(WORTH, pages, most_tokens) == saved


def test_what_costs_nothing_saves_nothing() -> None:
    assert unpaid(WORTHLESS, 0, 0) == Saved()


def test_a_job_adds_up_what_its_items_saved(wordy_shelf) -> None:
    shelf = wordy_shelf
    job = shelf.library.jobs.create(shelf.collection, [Source(key, b"one") for key in "abc"])
    for bought in (4, 1, 0):
        claimed = shelf.library.jobs.claim(lease=60)
        pay(shelf, Purpose(shelf.collection.id, claimed.job_id, claimed.key), bought)
        publish(shelf, claimed, Worth(4, Decimal("0.016")))

    assert shelf.library.jobs.find(job.id).saved == Saved(0 + 3 + 4, 0, Decimal("0.028"))
    worth = shelf.library.purchases.worth_of(shelf.collection, ["a", "b", "nowhere"])
    assert worth == dict.fromkeys("ab", Saved(4, 0, Decimal("0.016")))


def test_a_document_that_is_there_saves_all_of_its_worth(wordy_shelf) -> None:
    shelf = wordy_shelf
    job = shelf.library.jobs.create(shelf.collection, [Source("a", b"one")])
    publish(shelf, shelf.library.jobs.claim(lease=60), WORTH)
    again = shelf.library.jobs.create(shelf.collection, [Source("a", b"one")])

    assert shelf.library.jobs.find(job.id).saved == again.saved == WORTH.all


def test_a_file_that_is_handed_in_again_while_it_waits_spares_nothing(wordy_shelf) -> None:
    shelf = wordy_shelf
    first = shelf.library.jobs.create(shelf.collection, [Source("a", b"one")])
    second = shelf.library.jobs.create(shelf.collection, [Source("a", b"one")])
    claimed = shelf.library.jobs.claim(lease=60)
    pay(shelf, Purpose(shelf.collection.id, claimed.job_id, claimed.key), 4)
    publish(shelf, claimed, Worth(4, Decimal("0.016")))
    publish(shelf, shelf.library.jobs.claim(lease=60), Worth(4, Decimal("0.016")))
    later = shelf.library.jobs.create(shelf.collection, [Source("a", b"one")])

    saved = [shelf.library.jobs.find(job.id).saved for job in (first, second, later)]
    assert saved == [Saved(), Saved(), Saved(4, 0, Decimal("0.016"))]


def publish(shelf, claimed: ClaimedItem, worth: Worth) -> None:
    source = shelf.library.jobs.source(claimed)
    document = Document(source.key, source.version, "text/plain", "", source.content.decode())
    shelf.library.documents.publish(
        shelf.collection, document, (), None, claimed=claimed, worth=worth
    )


def pay(shelf, purpose: Purpose, pages: int) -> None:
    if not pages:
        return
    price = Decimal("0.004") * pages
    with spending_for(purpose):
        intent = shelf.library.ledger.intend(Intent("mistral", "ocr", "ocr", Units(pages), price))
    shelf.library.ledger.settle(intent, Bill(Units(pages), price))
