"""What is bought in batches: which items wait, for which batches, and what those buy.

An item of a job in the batch lane passes two steps, `read` and `embed`, before a worker may have
it. In each it is claimed, its errands are placed in a batch, and it waits until all batches that
concern it have ended. Every change is one transaction, so that after a crash each errand is
either not placed, or known with its open call in the ledger.
"""

import secrets
from collections.abc import Collection as Some
from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias, cast

from msgspec import Struct
from sqlalchemy import Select, delete, exists, func, insert, select, update
from sqlalchemy.orm import Session

from rag.domain import Failure, JobId
from rag.errors import BudgetExhausted, Conflict
from rag.spending import Awaited, Budgets, Ending, Errand, IntentId, Purpose
from rag.storage.batches import batches
from rag.storage.claiming import claim_ahead
from rag.storage.claims import ClaimedItem, give_back
from rag.storage.database import Database
from rag.storage.items import fail_item
from rag.storage.leases import is_free, lead, resign
from rag.storage.ledger import lose_call, open_call, settle_call, withdraw_call
from rag.storage.memos import packed, unpacked
from rag.storage.space import Space
from rag.storage.tables import (
    BatchPurchaseRow,
    BatchRequestRow,
    BatchRow,
    BatchWaitRow,
    ItemRow,
)
from rag.storage.timestamps import now

BUYER = "buyer"
"""The role of the one process of a library that fills batches and follows them."""

Step: TypeAlias = Literal["read", "embed"]

_AFTER: dict[str, Step | None] = {"read": "embed", "embed": None}

State: TypeAlias = Literal["made", "sent", "under_way", "cancelling"]
"""`made`: the provider has not heard of it; `sent`: it may have; `under_way`: it said so."""


class Queue(Struct, frozen=True):
    """Items of a job whose step is still to be ordered."""

    job: JobId
    step: Step
    items: int
    last: int
    """Grows with every item that comes."""


class Wish(Struct, frozen=True):
    """What an item needs bought, and what it waits for that others buy."""

    claimed: ClaimedItem
    errands: tuple[Errand, ...] = ()
    awaits: frozenset[str] = frozenset()
    """Ids of batches under way."""


class Batch(Struct, frozen=True):
    id: str
    state: State
    provider_id: str | None
    endpoint: str
    model: str
    looks: int
    is_wanted: bool = True
    """Whether an item waits for it that is not cancelled."""


class Placed(Struct, frozen=True):
    """A batch that nobody has heard of yet; its bodies are kept nowhere else."""

    batch: Batch
    errands: dict[str, Errand]
    """By the names of their requests."""


class Orders:
    """Over the library's database. Safe to share among threads; one task places and ends."""

    def __init__(self, database: Database, budgets: Budgets, space: Space) -> None:
        self._database = database
        self._budgets = budgets
        self._space = space

    # --- who buys ---

    def lead(self, lease: float) -> bool:
        """Whether this process is the one that buys, for so many seconds from now."""
        if not self._database.is_shared:
            return True
        with self._database.write() as session:
            return lead(session, BUYER, self._database.node, lease)

    def resign(self) -> None:
        """Another may buy at once."""
        with self._database.write() as session:
            resign(session, BUYER, self._database.node)

    # --- items ---

    def queues(self) -> list[Queue]:
        """Jobs with items whose step is still to be ordered, oldest first."""
        with self._database.read() as session:
            rows = session.execute(
                select(ItemRow.job_id, ItemRow.ahead, func.count(), func.max(ItemRow.id))
                .where(
                    ItemRow.ahead.is_not(None),
                    ItemRow.finished_at.is_(None),
                    is_free(session),
                    ~exists().where(BatchWaitRow.item_id == ItemRow.id),
                )
                .group_by(ItemRow.job_id, ItemRow.ahead)
                .order_by(func.min(ItemRow.id))
            )
            return [
                Queue(JobId(job), cast(Step, step), count, last)  # what we wrote
                for job, step, count, last in rows
            ]

    def claim(
        self, queue: Queue, *, lease: float, in_hand: Some[int] = (), is_calm: bool = True
    ) -> ClaimedItem | None:
        """As `JobStore.claim`, of what is to be ordered."""
        self._space.require_room()  # before anything is bought for it
        with self._database.write() as session:
            return claim_ahead(
                session, queue.job, queue.step, lease=lease, in_hand=in_hand, is_calm=is_calm
            )

    def pass_on(self, claimed: ClaimedItem) -> None:
        """Nothing is to be bought in its step; the next one is looked at.

        Raises:
            Conflict: the item was cancelled.
        """
        with self._database.write() as session:
            row = give_back(session, claimed)
            row.ahead = _AFTER[row.ahead or "embed"]

    def let_go(self, claimed: ClaimedItem) -> None:
        """Leaves an item to the workers, which buy what is missing at once, or say why not.

        Raises:
            Conflict: the item was cancelled.
        """
        with self._database.write() as session:
            give_back(session, claimed).ahead = None

    # --- batches ---

    def on_their_way(self, purchases: Sequence[bytes]) -> dict[bytes, str]:
        """Those of the purchases that a batch under way makes, and its id."""
        found: dict[bytes, str] = {}
        with self._database.read() as session:
            for some in batches(purchases):
                rows = session.execute(
                    select(BatchPurchaseRow.what, BatchPurchaseRow.batch_id).where(
                        BatchPurchaseRow.what.in_(some)
                    )
                )
                found.update((what, batch) for what, batch in rows)
        return found

    def place(self, wishes: Sequence[Wish], *, largest: int, most: int) -> list[Placed]:
        """Puts the errands into new batches, each call open in the ledger; the items wait for all
        of these, and for those that they await besides. An item that would exceed a budget fails:
        a worker would buy some of it, at twice the price. One that was cancelled meanwhile is left
        out.

        Args:
            largest: bytes, out and back, of a batch of more than one request.
            most: requests of a batch.
        """
        with self._database.write() as session:
            waiting, calls = [], []
            for wish in wishes:
                try:
                    row = give_back(session, wish.claimed)
                except Conflict:
                    continue
                try:
                    with session.begin_nested():
                        calls += [self._opened(session, wish, each) for each in wish.errands]
                except BudgetExhausted as error:
                    session.flush()
                    fail_item(session, row.id, Failure(error.code, "batch", str(error)))
                    continue
                waiting.append(wish)
            session.flush()
            placed = [_made(session, some) for some in _packed(calls, largest, most)]
            new = [each.batch.id for each in placed]
            waits = [
                {"batch_id": batch, "item_id": wish.claimed.item_id}
                for wish in waiting
                for batch in {*new, *_open_ids(session, wish.awaits)}
            ]
            if waits:
                session.execute(insert(BatchWaitRow), waits)
            return placed

    def _opened(self, session: Session, wish: Wish, errand: Errand) -> "_Call":
        claimed = wish.claimed
        purpose = Purpose(claimed.collection.id, claimed.job_id, claimed.key)
        return _Call(
            errand, open_call(session, errand.intent, purpose, self._budgets), wish.claimed
        )

    def open_batches(self) -> list[Batch]:
        """Those that have not ended, oldest first."""
        with self._database.read() as session:
            return [_batch(row, is_wanted) for row, is_wanted in session.execute(_open_batches())]

    def sending(self, batch: str) -> None:
        """From now on the provider may know of it.

        Raises:
            Conflict: another buyer took over meanwhile, and dissolved it.
        """
        with self._database.write() as session:
            made = update(BatchRow).where(BatchRow.id == batch, BatchRow.state == "made")
            if session.execute(made.values(state="sent").returning(BatchRow.id)).first() is None:
                raise Conflict("the batch was dissolved")

    def created(self, batch: str, provider_id: str) -> None:
        self._set(batch, state="under_way", provider_id=provider_id, looks=0)

    def cancelling(self, batch: str) -> None:
        self._set(batch, state="cancelling")

    def looked(self, batch: str) -> None:
        self._set(batch, looks=BatchRow.looks + 1)

    def requests(self, batch: str) -> list[Awaited]:
        """Those that are not accounted for."""
        with self._database.read() as session:
            rows = session.execute(
                select(BatchRequestRow.name, BatchRequestRow.memo, BatchRequestRow.texts).where(
                    BatchRequestRow.batch_id == batch
                )
            )
            return [Awaited(name, memo, unpacked(texts)) for name, memo, texts in rows]

    def end_request(self, batch: str, name: str, ending: Ending) -> None:
        """Ends its call in the ledger, and keeps what it bought, unless it is forgotten. A second
        call does nothing.

        Raises:
            InvalidRequest: what was bought cannot be kept; nothing happened.
        """
        with self._database.write() as session:
            row = session.get(BatchRequestRow, (batch, name))
            if row is None:
                return
            intent, is_wanted = IntentId(row.intent_id), row.texts is not None
            _remove_request(session, row)
            if ending.bill is not None:
                settle_call(session, intent, ending.bill, ending.bought if is_wanted else None)
            elif ending.is_free:
                withdraw_call(session, intent)
            else:
                lose_call(session, intent)

    def end(self, batch: str, state: str, *, again: bool = False) -> None:
        """The batch has ended, and all its requests are accounted for: whoever waits for no other
        goes on.

        Args:
            again: what was not bought is ordered in another batch; else it is left to the workers.
        """
        with self._database.write() as session:
            _end(session, batch, state, again=again)

    def lose(self, batch: str, state: str, *, again: bool) -> None:
        """Nobody knows what became of it: its calls may have been billed.

        Args:
            again: as for `end`.
        """
        with self._database.write() as session:
            for row in _rows(session, batch):
                intent = IntentId(row.intent_id)
                _remove_request(session, row)
                lose_call(session, intent)
            _end(session, batch, state, again=again)

    def dissolve(self, batch: str, reason: Failure | None = None) -> None:
        """The provider never took it: nothing was billed. Its items are ordered again; or fail
        for a reason that would come again."""
        with self._database.write() as session:
            for row in _rows(session, batch):
                intent = IntentId(row.intent_id)
                _remove_request(session, row)
                withdraw_call(session, intent)
            waiting = _waiting(session, batch)
            _end(session, batch, "refused", again=True)
            if reason is not None:
                for id in waiting:
                    fail_item(session, id, reason)

    def _set(self, batch: str, **values: object) -> None:
        with self._database.write() as session:
            session.execute(update(BatchRow).where(BatchRow.id == batch).values(**values))


class _Call(Struct, frozen=True):
    errand: Errand
    intent: IntentId
    claimed: ClaimedItem


# --- making -------------------------------------------------------------------------------------


def _packed(calls: Sequence[_Call], largest: int, most: int) -> Iterator[list[_Call]]:
    """In as few batches as may be; all requests of a batch go to one endpoint and one model."""
    kinds: dict[tuple[str, str], list[_Call]] = {}
    for call in calls:
        kinds.setdefault((call.errand.endpoint, call.errand.intent.model), []).append(call)
    for same in kinds.values():
        some: list[_Call] = []
        size = 0
        for call in same:
            own = len(call.errand.body) + call.errand.reply_size
            if some and (size + own > largest or len(some) == most):
                yield some
                some, size = [], 0
            some.append(call)
            size += own
        yield some


def _made(session: Session, calls: Sequence[_Call]) -> Placed:
    first = calls[0]
    id = f"batch_{secrets.token_hex(12)}"
    endpoint, model = first.errand.endpoint, first.errand.intent.model
    session.execute(
        insert(BatchRow).values(
            id=id,
            state="made",
            job_id=first.claimed.job_id,
            endpoint=endpoint,
            model=model,
            requests=len(calls),
            created_at=now(),
        )
    )
    named = {str(number): call for number, call in enumerate(calls)}
    session.execute(
        insert(BatchRequestRow), [_request(id, name, call) for name, call in named.items()]
    )
    session.execute(
        insert(BatchPurchaseRow),
        [
            {"what": what, "batch_id": id, "name": name}
            for name, call in named.items()
            for what in call.errand.buys
        ],
    )
    batch = Batch(id, "made", None, endpoint, model, looks=0)
    return Placed(batch, {name: call.errand for name, call in named.items()})


def _request(batch: str, name: str, call: _Call) -> dict[str, object]:
    return {
        "batch_id": batch,
        "name": name,
        "intent_id": call.intent,
        "collection_id": call.claimed.collection.id,
        "document_key": call.claimed.key,
        "memo": call.errand.memo,
        "texts": packed(call.errand.texts),
    }


# --- ending -------------------------------------------------------------------------------------


def _end(session: Session, batch: str, state: str, *, again: bool) -> None:
    waiting = _waiting(session, batch)
    session.execute(delete(BatchWaitRow).where(BatchWaitRow.batch_id == batch))
    ended = update(BatchRow).where(BatchRow.id == batch, BatchRow.ended_at.is_(None))
    session.execute(ended.values(state=state[:16], ended_at=now()))
    if again:
        return
    for some in batches(waiting):
        free = ItemRow.id.in_(some) & ~exists().where(BatchWaitRow.item_id == ItemRow.id)
        for step in ("embed", "read"):  # the last first: none goes two steps
            session.execute(
                update(ItemRow).where(free, ItemRow.ahead == step).values(ahead=_AFTER[step])
            )


def _waiting(session: Session, batch: str) -> list[int]:
    return list(session.scalars(select(BatchWaitRow.item_id).where(BatchWaitRow.batch_id == batch)))


def _remove_request(session: Session, row: BatchRequestRow) -> None:
    session.execute(
        delete(BatchPurchaseRow).where(
            BatchPurchaseRow.batch_id == row.batch_id, BatchPurchaseRow.name == row.name
        )
    )
    session.delete(row)
    session.flush()


def _rows(session: Session, batch: str) -> Sequence[BatchRequestRow]:
    return session.scalars(select(BatchRequestRow).where(BatchRequestRow.batch_id == batch)).all()


def _open_ids(session: Session, ids: frozenset[str]) -> list[str]:
    is_open = BatchRow.id.in_(ids) & BatchRow.ended_at.is_(None)
    return list(session.scalars(select(BatchRow.id).where(is_open)))


def _open_batches() -> Select[BatchRow, bool]:
    is_wanted = exists().where(
        BatchWaitRow.batch_id == BatchRow.id,
        ItemRow.id == BatchWaitRow.item_id,
        ItemRow.finished_at.is_(None),
    )
    return (
        select(BatchRow, is_wanted)
        .where(BatchRow.ended_at.is_(None))
        .order_by(BatchRow.created_at, BatchRow.id)
    )


def _batch(row: BatchRow, is_wanted: bool) -> Batch:
    return Batch(
        row.id,
        cast(State, row.state),  # what we wrote
        row.provider_id,
        row.endpoint,
        row.model,
        row.looks,
        is_wanted,
    )
