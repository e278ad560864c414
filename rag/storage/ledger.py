"""What was spent, on what, for whom."""

from decimal import Decimal

from msgspec import Struct
from sqlalchemy import func, insert, select
from sqlalchemy.orm import Session

from rag.domain import CollectionId, JobId
from rag.storage.tables import LedgerRow
from rag.storage.timestamps import now

NANODOLLARS = 10**9  # per USD


class Spend(Struct, frozen=True):
    """One paid call."""

    provider: str
    model: str
    operation: str
    """`ocr`, `embed`, `answer` ..."""
    units: int
    """Pages or tokens, as the provider counts the operation."""
    usd: Decimal
    collection_id: CollectionId | None = None
    job_id: JobId | None = None


def record_spend(session: Session, spend: Spend) -> None:
    session.execute(
        insert(LedgerRow).values(
            at=now(),
            provider=spend.provider,
            model=spend.model,
            operation=spend.operation,
            units=spend.units,
            nanodollars=int(spend.usd * NANODOLLARS),
            collection_id=spend.collection_id,
            job_id=spend.job_id,
        )
    )


def total_spend(session: Session) -> Decimal:
    """USD, of all calls."""
    total = session.scalar(select(func.coalesce(func.sum(LedgerRow.nanodollars), 0)))
    return Decimal(total or 0) / NANODOLLARS
