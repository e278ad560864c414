"""What was spent, on what, for whom: every paid call, from before it leaves."""

from collections.abc import Sequence
from decimal import ROUND_CEILING, Decimal
from typing import Literal, TypeAlias

from sqlalchemy import ColumnElement, case, delete, exists, func, insert, or_, select, update
from sqlalchemy.orm import Session

from rag.domain import JobId, Version
from rag.errors import BudgetExhausted, RagError
from rag.spending import (
    Bill,
    Bought,
    Budgets,
    EmbeddedTexts,
    Grouping,
    Intent,
    IntentId,
    OcrReply,
    Purpose,
    Spent,
    Units,
    current_purpose,
)
from rag.storage.database import Database, node_of
from rag.storage.embeddings import keep_embeddings
from rag.storage.locking import BUDGETS, lock
from rag.storage.readings import find_reply, keep_reply
from rag.storage.tables import BatchRequestRow, LedgerRow
from rag.storage.timestamps import now

NANODOLLARS = 10**9  # per USD

State: TypeAlias = Literal["open", "settled", "lost"]
"""`open`: under way, or its process died; `lost`: the reply did not arrive, and the call may have
been billed. A call that was surely not billed has no row."""


class SqlLedger:
    """A `Ledger` over the library's database. Safe to share among threads."""

    def __init__(self, database: Database, budgets: Budgets) -> None:
        self._database = database
        self._budgets = budgets

    def intend(self, intent: Intent) -> IntentId:
        """
        Raises:
            BudgetExhausted: with it, the day or the job could exceed its budget.
        """
        with self._database.write() as session:
            return open_call(session, intent, current_purpose(), self._budgets)

    def settle(self, intent: IntentId, bill: Bill, bought: Bought | None = None) -> None:
        """What was bought for a document is kept, and goes with it. Vectors of a question, or of a
        sentence on which a collection was tried, belong to none: nobody could ask for their end.

        Raises:
            RagError: there is no such call under way.
            InvalidRequest: what was bought cannot be kept; the call stays `open`.
        """
        with self._database.write() as session:
            settle_call(session, intent, bill, bought)

    def withdraw(self, intent: IntentId) -> None:
        with self._database.write() as session:
            withdraw_call(session, intent)

    def lose(self, intent: IntentId) -> None:
        with self._database.write() as session:
            lose_call(session, intent)

    def ocr_reply(self, version: Version, fingerprint: str) -> bytes | None:
        with self._database.read() as session:
            return find_reply(session, version, fingerprint)

    def lose_all(self) -> int:
        """Calls that this node had under way when it died: whether they were billed, nobody knows.
        Those of a batch are under way still."""
        with self._database.write() as session:
            return lose_calls(session)

    def spent(
        self,
        by: Sequence[Grouping] = (),
        *,
        since: str | None = None,
        until: str | None = None,
        job: JobId | None = None,
    ) -> tuple[Spent, ...]:
        """What was spent, summed within each group, the dearest first.

        Args:
            since, until: times as they are stored; from the first, and before the second.
        """
        conditions = [
            condition
            for given, condition in (
                (since, LedgerRow.at >= (since or "")),
                (until, LedgerRow.at < (until or "")),
                (job, LedgerRow.job_id == job),
            )
            if given is not None
        ]
        with self._database.read() as session:
            return _summed(session, by, conditions)

    def remaining(self, job: JobId | None = None) -> dict[str, Decimal]:
        """USD that each budget leaves, `day` and `job`; budgets that are not set are missing."""
        with self._database.read() as session:
            return {
                name: budget - committed(session, condition)
                for name, budget, condition in _limits(self._budgets, Purpose(job=job))
            }


def open_call(session: Session, intent: Intent, purpose: Purpose, budgets: Budgets) -> IntentId:
    """
    Raises:
        BudgetExhausted: with it, the day or the job could exceed its budget.
    """
    _check_budgets(session, intent, purpose, budgets)
    row = insert(LedgerRow).values(
        at=now(),
        state="open",
        node=node_of(session),
        provider=intent.provider,
        model=intent.model,
        operation=intent.operation,
        lane=intent.lane,
        most_units=intent.most.input + intent.most.output,
        most_nanodollars=nanodollars(intent.usd),
        collection_id=purpose.collection,
        job_id=purpose.job,
        document_key=purpose.key,
    )
    return IntentId(session.execute(row.returning(LedgerRow.id)).scalar_one())


def settle_call(
    session: Session, intent: IntentId, bill: Bill, bought: Bought | None = None
) -> None:
    """
    Raises:
        RagError: there is no such call under way.
        InvalidRequest: what was bought cannot be kept.
    """
    closed = session.execute(
        update(LedgerRow)
        .where(*_is_open(intent))
        .values(
            state="settled",
            ended_at=now(),
            input_units=bill.units.input,
            output_units=bill.units.output,
            cached_units=bill.units.cached,
            nanodollars=nanodollars(bill.usd),
        )
        .returning(LedgerRow.document_key)
    ).first()
    if closed is None:
        raise RagError(f"the ledger has no call {intent} under way")
    if isinstance(bought, EmbeddedTexts) and closed.document_key is not None:
        keep_embeddings(session, bought.model, bought.input_type, bought.texts, bought.vectors)
    elif isinstance(bought, OcrReply):
        keep_reply(session, bought)


def withdraw_call(session: Session, intent: IntentId) -> None:
    session.execute(delete(LedgerRow).where(*_is_open(intent)))


def lose_call(session: Session, intent: IntentId) -> None:
    session.execute(update(LedgerRow).where(*_is_open(intent)).values(state="lost", ended_at=now()))


def lose_calls(session: Session) -> int:
    """Calls that this node has open, outside of batches; how many those are."""
    in_batch = exists().where(BatchRequestRow.intent_id == LedgerRow.id)
    is_ours = or_(LedgerRow.node == node_of(session), LedgerRow.node.is_(None))
    lost = update(LedgerRow).where(LedgerRow.state == "open", is_ours, ~in_batch)
    return session.execute(lost.values(state="lost", ended_at=now())).rowcount  # type: ignore[attr-defined,no-any-return]  # an update has one


def _is_open(intent: IntentId) -> tuple[ColumnElement[bool], ...]:
    return (LedgerRow.id == intent, LedgerRow.state == "open")


# --- budgets ------------------------------------------------------------------------------------


def _check_budgets(session: Session, intent: Intent, purpose: Purpose, budgets: Budgets) -> None:
    limits = _limits(budgets, purpose)
    if limits:
        lock(session, BUDGETS)  # two calls must not both be the last that a budget allows
    for name, budget, condition in limits:
        spent = committed(session, condition)
        if spent + intent.usd > budget:
            raise BudgetExhausted(
                f"this call may cost {_shown(intent.usd)}, and of the budget of {_shown(budget)}"
                f" for a {name} {_shown(max(budget - spent, Decimal(0)))} are left; nothing was"
                f" sent. Raise RAG_BUDGET_{name.upper()}, restart and ingest again: what was"
                " bought is kept, and not paid for twice"
            )


def _limits(
    budgets: Budgets, purpose: Purpose
) -> list[tuple[Literal["day", "job"], Decimal, ColumnElement[bool]]]:
    """Name, USD, and which calls count against it."""
    limits: list[tuple[Literal["day", "job"], Decimal, ColumnElement[bool]]] = []
    if budgets.day is not None:
        limits.append(("day", budgets.day, LedgerRow.at >= now()[:10]))
    if budgets.job is not None and purpose.job is not None:
        limits.append(("job", budgets.job, LedgerRow.job_id == purpose.job))
    return limits


def committed(session: Session, condition: ColumnElement[bool]) -> Decimal:
    """USD of some calls: what was billed, and the most that calls without a reply may have cost."""
    total = session.scalar(select(func.coalesce(func.sum(_NANODOLLARS), 0)).where(condition))
    return Decimal(total or 0) / NANODOLLARS


_NANODOLLARS = case(
    (LedgerRow.state == "settled", LedgerRow.nanodollars), else_=LedgerRow.most_nanodollars
)


def _shown(usd: Decimal) -> str:
    return f"${usd:.2f}" if usd >= 1 or not usd else f"${usd:.2g}"


# --- sums ---------------------------------------------------------------------------------------

_GROUPS: dict[Grouping, ColumnElement[str] | ColumnElement[str | None]] = {
    "day": func.substr(LedgerRow.at, 1, 10),
    "operation": LedgerRow.operation.expression,
    "model": LedgerRow.model.expression,
    "lane": LedgerRow.lane.expression,
    "collection": LedgerRow.collection_id.expression,
    "job": LedgerRow.job_id.expression,
    "key": LedgerRow.document_key.expression,
}


def _summed(
    session: Session, by: Sequence[Grouping], conditions: Sequence[ColumnElement[bool]]
) -> tuple[Spent, ...]:
    settled = LedgerRow.state == "settled"
    is_ocr = LedgerRow.operation == "ocr"
    groups = [_GROUPS[each] for each in by]
    billed = func.coalesce(func.sum(case((settled, LedgerRow.nanodollars), else_=0)), 0)
    rows = session.execute(
        select(
            func.coalesce(func.sum(case((settled, 1), else_=0)), 0),
            func.coalesce(func.sum(case((is_ocr, 0), else_=LedgerRow.input_units)), 0),
            func.coalesce(func.sum(LedgerRow.output_units), 0),
            func.coalesce(func.sum(LedgerRow.cached_units), 0),
            billed,
            func.coalesce(func.sum(case((settled, 0), else_=1)), 0),
            func.coalesce(func.sum(case((settled, 0), else_=LedgerRow.most_nanodollars)), 0),
            func.coalesce(func.sum(case((is_ocr, LedgerRow.input_units), else_=0)), 0),
            *groups,
        )
        .where(*conditions)
        .group_by(*groups)
        .order_by(billed.desc(), *groups)
    )
    return tuple(
        Spent(
            group=dict(zip(by, row[8:], strict=True)),
            calls=row[0],
            units=Units(int(row[1]), int(row[2]), int(row[3])),  # sums may come as decimals
            usd=usd(row[4]),
            lost_calls=row[5],
            lost_usd=usd(row[6]),
            pages=int(row[7]),
        )
        for row in rows
        if row[0] or row[5]
    )


def nanodollars(amount: Decimal) -> int:
    """Rounded up: a budget must not be passed by many small roundings."""
    return int((amount * NANODOLLARS).to_integral_value(ROUND_CEILING))


def usd(amount: int) -> Decimal:
    return Decimal(amount) / NANODOLLARS
