"""Every paid call is written down before it leaves, and with what it bought when it is back."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from rag.domain import CollectionId, JobId, version_of
from rag.errors import BudgetExhausted, InvalidRequest, RagError
from rag.spending import (
    Bill,
    Budgets,
    EmbeddedTexts,
    Intent,
    OcrReply,
    Purpose,
    Units,
    spending_for,
)
from rag.storage.ledger import SqlLedger
from rag.storage.library import Library

JOB = JobId("job_1")
PURPOSE = Purpose(CollectionId("col_1"), JOB, "letter.pdf")


@pytest.fixture
def library(tmp_path: Path, database_url: str | None) -> Iterator[Library]:
    with Library.open(tmp_path / "library", database_url=database_url) as library:
        yield library


@pytest.fixture
def ledger(library: Library) -> SqlLedger:
    return library.ledger


def call(usd: str = "0.10", *, units: int = 1_000) -> Intent:
    return Intent("mistral", "mistral-embed", "embed", Units(units), Decimal(usd))


def test_a_settled_call_counts_what_was_billed_and_not_what_was_feared(ledger: SqlLedger) -> None:
    ledger.settle(ledger.intend(call("0.10")), Bill(Units(600), Decimal("0.06")))
    ledger.settle(ledger.intend(call("0.10")), Bill(Units(400), Decimal("0.04")))

    (total,) = ledger.spent()

    assert (total.calls, total.units, total.usd) == (2, Units(1_000), Decimal("0.10"))
    assert total.lost_calls == 0


def test_a_withdrawn_call_leaves_no_trace(ledger: SqlLedger) -> None:
    ledger.withdraw(ledger.intend(call()))

    assert ledger.spent() == ()


def test_a_lost_call_is_named_apart_from_what_was_billed(ledger: SqlLedger) -> None:
    ledger.lose(ledger.intend(call("0.10")))

    (total,) = ledger.spent()

    assert (total.calls, total.usd) == (0, 0)
    assert (total.lost_calls, total.lost_usd) == (1, Decimal("0.10"))


def test_a_call_ends_once(ledger: SqlLedger) -> None:
    intent = ledger.intend(call())
    ledger.settle(intent, Bill(Units(1), Decimal("0.01")))
    ledger.lose(intent)
    ledger.withdraw(intent)

    with pytest.raises(RagError):
        ledger.settle(intent, Bill(Units(1), Decimal("0.01")))

    (total,) = ledger.spent()
    assert (total.calls, total.lost_calls, total.usd) == (1, 0, Decimal("0.01"))


def test_vectors_are_kept_in_one_transaction_with_their_bill(library: Library) -> None:
    ledger = library.ledger
    good = EmbeddedTexts("m", "passage", ("one",), np.array([[0.6, 0.8]], dtype=np.float32))
    broken = EmbeddedTexts("m", "passage", ("two",), np.array([[9.0, 9.0]], dtype=np.float32))
    with spending_for(PURPOSE):
        ledger.settle(ledger.intend(call()), Bill(Units(1), Decimal("0.01")), good)
        intent = ledger.intend(call())

        with pytest.raises(InvalidRequest):
            ledger.settle(intent, Bill(Units(1), Decimal("0.01")), broken)

    assert set(library.purchases.embeddings("m", "passage", ["one", "two"])) == {"one"}
    (total,) = ledger.spent()
    assert (total.calls, total.lost_calls) == (1, 1)


def test_vectors_that_are_for_no_document_are_not_kept(library: Library) -> None:
    asked = EmbeddedTexts("m", "query", ("one",), np.array([[0.6, 0.8]], dtype=np.float32))
    with spending_for(Purpose(CollectionId("col_1"))):
        library.ledger.settle(library.ledger.intend(call()), Bill(Units(1), Decimal("0.01")), asked)

    assert not library.purchases.embeddings("m", "query", ["one"])
    assert library.ledger.spent()[0].calls == 1


def test_an_ocr_reply_is_found_by_bytes_and_options(ledger: SqlLedger) -> None:
    version = version_of(b"scan")
    reply = OcrReply(version, "model/pages=0-9", b'{"pages": []}')
    for _ in range(2):
        ledger.settle(ledger.intend(call()), Bill(Units(10), Decimal("0.04")), reply)

    assert ledger.ocr_reply(version, "model/pages=0-9") == b'{"pages": []}'
    assert ledger.ocr_reply(version, "model/pages=10-19") is None
    assert ledger.ocr_reply(version_of(b"another"), "model/pages=0-9") is None


def test_calls_are_for_the_purpose_of_their_story(ledger: SqlLedger) -> None:
    with spending_for(PURPOSE):
        intent = ledger.intend(call())
    ledger.settle(intent, Bill(Units(5), Decimal("0.01")))
    ledger.settle(ledger.intend(call()), Bill(Units(7), Decimal("0.02")))

    groups = {each.group["key"]: each.units.input for each in ledger.spent(["job", "key"])}

    assert groups == {"letter.pdf": 5, None: 7}
    assert [each.units.input for each in ledger.spent(job=JOB)] == [5]


def test_an_owner_that_died_leaves_its_calls_as_lost(
    tmp_path: Path, database_url: str | None
) -> None:
    with Library.open(tmp_path / "library", database_url=database_url) as library:
        library.ledger.intend(call("0.10"))

    with Library.open(tmp_path / "library", database_url=database_url) as library:
        (total,) = library.ledger.spent()

        assert (total.lost_calls, total.lost_usd) == (1, Decimal("0.10"))
        assert library.ledger.lose_all() == 0


class TestBudgets:
    @pytest.fixture
    def ledger(self, tmp_path: Path, database_url: str | None) -> Iterator[SqlLedger]:
        budgets = Budgets(day=Decimal("1.00"), job=Decimal("0.25"))
        folder = tmp_path / "library"
        with Library.open(folder, database_url=database_url, budgets=budgets) as library:
            yield library.ledger

    def test_the_last_cent_may_be_spent_and_not_one_more(self, ledger: SqlLedger) -> None:
        with spending_for(PURPOSE):
            ledger.intend(call("0.15"))
            ledger.intend(call("0.10"))
            with pytest.raises(BudgetExhausted, match="RAG_BUDGET_JOB"):
                ledger.intend(call("0.000000001"))

        (total,) = ledger.spent()
        assert total.lost_calls == 2

    def test_a_job_does_not_spend_what_is_left_of_the_day(self, ledger: SqlLedger) -> None:
        for number in range(4):
            with spending_for(Purpose(job=JobId(f"job_{number}"))):
                ledger.intend(call("0.25"))

        with pytest.raises(BudgetExhausted, match="RAG_BUDGET_DAY"):
            ledger.intend(call("0.01"))

    def test_what_was_billed_counts_instead_of_what_was_feared(self, ledger: SqlLedger) -> None:
        with spending_for(PURPOSE):
            for _ in range(20):
                ledger.settle(ledger.intend(call("0.20")), Bill(Units(1), Decimal("0.0025")))

        assert ledger.remaining(JOB) == {"day": Decimal("0.95"), "job": Decimal("0.20")}

    def test_a_refused_call_does_not_count(self, ledger: SqlLedger) -> None:
        with spending_for(PURPOSE):
            for _ in range(20):
                ledger.withdraw(ledger.intend(call("0.25")))

        assert ledger.remaining(JOB)["job"] == Decimal("0.25")
