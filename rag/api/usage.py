"""What was spent, and what may still be."""

from decimal import Decimal
from typing import Annotated

from litestar import Controller, get
from litestar.di import NamedDependency
from litestar.params import QueryParameter
from msgspec import Struct

from rag.domain import JobId
from rag.mistral.prices import PRICES_OF
from rag.spending import NOTHING_SPENT, Grouping, Spent
from rag.wiring import Services

Day = Annotated[
    str | None,
    QueryParameter(pattern=r"^\d{4}-\d\d-\d\d$", description="A day, UTC: `2026-01-31`."),
]


class Budget(Struct, frozen=True):
    """USD."""

    limit: Decimal
    left: Decimal
    """Calls under way, and those without a reply, count with the most they may cost."""


class UsageReport(Struct, frozen=True):
    """What paid calls cost."""

    data: tuple[Spent, ...]
    """The dearest group first."""
    total: Spent
    budgets: dict[str, Budget]
    """`day`, and `job` where one was named; those that are set."""
    prices_of: str
    """When the price table was true."""


class UsageController(Controller):
    path = "/v1/usage"
    tags = ["Service"]

    @get(sync_to_thread=True)
    def show(
        self,
        services: NamedDependency[Services],
        by: Annotated[
            list[Grouping] | None, QueryParameter(description="Summed apart for each of these.")
        ] = None,
        since: Day = None,
        until: Day = None,
        job: Annotated[str | None, QueryParameter(description="Of this job only.")] = None,
    ) -> UsageReport:
        """Tell what was spent on providers, and what the budgets leave.

        `until` is not included. Without `by`, there is one sum for each model and operation.
        """
        ledger = services.library.ledger
        named = JobId(job) if job else None
        total = ledger.spent(since=since, until=until, job=named)
        left = ledger.remaining(named)
        return UsageReport(
            ledger.spent(by or ("operation", "model"), since=since, until=until, job=named),
            total[0] if total else NOTHING_SPENT,
            {name: Budget(services.budgets[name], value) for name, value in left.items()},
            PRICES_OF,
        )
