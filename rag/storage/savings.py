"""What was not paid for because it was known: what a document is worth, less what was paid for it
since its job began, by whichever job.

Both sides are sure, whatever happened on the way: what a document takes is known when it is
published, and what was paid stands in the ledger, by key and time. So a crash, a retry, or a
passage that two documents share is counted once; and a file that is handed in again while it
still waits, as after an interrupted run, spares nothing.
"""

from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal

from msgspec import Struct
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from rag.domain import CollectionId, Saved
from rag.storage.batches import batches
from rag.storage.ledger import nanodollars, usd
from rag.storage.tables import DocumentRow, ItemRow, JobRow, LedgerRow, VersionRow


class Worth(Struct, frozen=True):
    """What making a document takes of what a provider sells."""

    pages: int = 0
    pages_usd: Decimal = Decimal(0)
    tokens: int = 0
    """As our own count has them."""
    tokens_usd: Decimal = Decimal(0)
    most_tokens: int = 0
    """Of the same texts, as intents have them."""

    def __add__(self, other: "Worth") -> "Worth":
        return Worth(
            *(getattr(self, name) + getattr(other, name) for name in self.__struct_fields__)
        )

    @property
    def all(self) -> Saved:
        return Saved(self.pages, self.tokens, self.pages_usd + self.tokens_usd)


WORTHLESS = Worth()


def unpaid(worth: Worth, pages: int, most_tokens: int) -> Saved:
    """
    >>> unpaid(Worth(4, Decimal("0.016"), 300, Decimal("0.03"), 900), pages=3, most_tokens=600)
    Saved(pages=1, tokens=100, usd=Decimal('0.014'))

    Args:
        pages, most_tokens: that were paid for the document; tokens as intents have them.
    """
    left = max(0, worth.pages - pages)
    share = _share(worth.most_tokens - most_tokens, worth.most_tokens)
    tokens = (worth.tokens * share).to_integral_value(ROUND_HALF_UP)
    price = worth.pages_usd * _share(left, worth.pages) + worth.tokens_usd * share
    return Saved(left, int(tokens), usd(nanodollars(price)))


def note_savings(session: Session, row: ItemRow, worth: Worth) -> None:
    """Writes down what the item was worth, and what of that was not paid for it."""
    note_worth(row, worth.all)
    saved = unpaid(worth, *_paid(session, row)) if worth != WORTHLESS else Saved()
    row.saved_pages, row.saved_tokens = saved.pages, saved.tokens
    row.saved_nanodollars = nanodollars(saved.usd)


def note_worth(row: ItemRow, worth: Saved) -> None:
    row.worth_pages, row.worth_tokens = worth.pages, worth.tokens
    row.worth_nanodollars = nanodollars(worth.usd)


def worth_of(
    session: Session, collection_id: CollectionId, keys: Sequence[str]
) -> dict[str, Saved]:
    """What the documents that are there were worth when they were made; those of which it is not
    known are missing."""
    found: dict[str, Saved] = {}
    for some in batches(keys):
        rows = session.execute(
            select(
                ItemRow.key, ItemRow.worth_pages, ItemRow.worth_tokens, ItemRow.worth_nanodollars
            )
            .join(DocumentRow, DocumentRow.id == ItemRow.document_id)
            .join(VersionRow, VersionRow.document_id == DocumentRow.id)
            .where(
                ItemRow.collection_id == collection_id,
                ItemRow.key.in_(some),
                ItemRow.index_version_id.is_(None),
                ItemRow.state == "indexed",
                VersionRow.state == "current",
                VersionRow.sha256 == ItemRow.sha256,
            )
            .order_by(ItemRow.id)
        )
        found |= {key: Saved(pages, tokens, usd(price)) for key, pages, tokens, price in rows}
    return found


def _paid(session: Session, row: ItemRow) -> tuple[int, int]:
    """Pages, and tokens as intents have them."""
    jobs = select(ItemRow.job_id).where(
        ItemRow.collection_id == row.collection_id, ItemRow.key == row.key
    )
    began = select(JobRow.created_at).where(JobRow.id == row.job_id).scalar_subquery()
    rows = session.execute(
        select(LedgerRow.operation, func.sum(LedgerRow.input_units), func.sum(LedgerRow.most_units))
        .where(
            LedgerRow.job_id.in_(jobs),
            LedgerRow.document_key == row.key,
            LedgerRow.at >= began,
            LedgerRow.state == "settled",
        )
        .group_by(LedgerRow.operation)
    )
    paid = {operation: (units, most) for operation, units, most in rows}
    return int(paid.get("ocr", (0, 0))[0]), int(paid.get("embed", (0, 0))[1])


def _share(part: int, whole: int) -> Decimal:
    return Decimal(max(0, part)) / whole if whole else Decimal(0)
