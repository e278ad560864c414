"""Items that somebody works on: nobody else may, until the lease runs out.

A worker prolongs the lease as long as it lives. A worker that dies loses its lease, not the work.
"""

from msgspec import Struct
from sqlalchemy import or_, update
from sqlalchemy.orm import Session

from rag.domain import (
    Attribute,
    Collection,
    Failure,
    IndexId,
    ItemState,
    JobId,
    Lane,
    Version,
)
from rag.errors import Conflict
from rag.storage.changes import next_change
from rag.storage.database import node_of
from rag.storage.leases import Claim, until
from rag.storage.tables import ItemRow


class ClaimedItem(Struct, frozen=True):
    """An item that its worker alone may work on, until the lease runs out."""

    item_id: int
    job_id: JobId
    collection: Collection
    """Through the index that the item is for, where it builds one."""
    key: str
    version: Version
    media_type: str | None
    title: str | None
    attributes: dict[str, Attribute]
    attempts: int
    """With this one."""
    number: int
    """Of the claim: another's has another."""
    lane: Lane = "direct"
    builds: IndexId | None = None
    """The index that the item is for; None where it ingests."""
    fetch: str | None = None
    """From where its bytes are to be fetched; None where they are here."""
    tries: int = 0
    """Fetches that failed so far."""

    @property
    def claim(self) -> Claim:
        return self.item_id, self.number


def advance(session: Session, claimed: ClaimedItem, state: ItemState) -> None:
    """Records a completed step, and prolongs the lease.

    Raises:
        Conflict: the item is no longer the worker's.
    """
    row = require_claim(session, claimed)
    row.state = state
    row.lease_until = until(session, row.lease)
    note_change(session, row)


def release(session: Session, claimed: ClaimedItem) -> None:
    """Gives an item back untried, as when the service stops."""
    give_back(session, claimed)


def give_back(session: Session, claimed: ClaimedItem) -> ItemRow:
    """
    Raises:
        Conflict: the item is no longer the worker's.
    """
    row = require_claim(session, claimed)
    row.attempts -= 1
    row.lease_until = None
    if row.fetch is not None:
        row.state = "queued"
    note_change(session, row)
    return row


def postpone(session: Session, claimed: ClaimedItem, seconds: float, reason: Failure) -> None:
    """Gives an item back that nobody may have for a while, for the reason that is shown meanwhile.

    Raises:
        Conflict: the item is no longer the worker's.
    """
    row = give_back(session, claimed)
    row.tries += 1
    row.lease_until = until(session, seconds)
    row.error_code, row.error_stage = reason.code, reason.stage
    row.error_message = reason.message


def release_all(session: Session) -> None:
    """Ends the leases of workers that cannot be alive: those that this node had before."""
    was_ours = or_(ItemRow.node == node_of(session), ItemRow.node.is_(None))
    claimed = ItemRow.finished_at.is_(None) & ItemRow.lease_until.is_not(None)
    session.execute(update(ItemRow).where(claimed, was_ours).values(lease_until=None))


def require_claim(session: Session, claimed: ClaimedItem) -> ItemRow:
    """
    Raises:
        Conflict: it was cancelled, or another worker has it since the lease ran out.
    """
    row = session.get(ItemRow, claimed.item_id, with_for_update=True)
    if row is None or row.finished_at is not None or row.claims != claimed.number:
        raise Conflict("the item was cancelled, or is another worker's by now")
    return row


def note_change(session: Session, row: ItemRow) -> None:
    row.change = next_change(session, row.job_id)
