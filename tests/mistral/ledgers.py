"""A ledger in memory, which refuses whatever a real one would never be told."""

from decimal import Decimal
from typing import Literal

from msgspec import Struct

from rag.domain import Version
from rag.errors import BudgetExhausted
from rag.spending import Bill, Bought, Intent, IntentId, Units


class Line(Struct):
    """One attempt of a paid call."""

    intent: Intent
    state: Literal["open", "settled", "withdrawn", "lost"] = "open"
    bill: Bill | None = None
    bought: Bought | None = None


class MemoryLedger:
    def __init__(self, budget: Decimal | None = None) -> None:
        self.lines: list[Line] = []
        self.budget = budget

    def intend(self, intent: Intent) -> IntentId:
        if self.budget is not None and self._spent() + intent.usd > self.budget:
            raise BudgetExhausted("the budget is used up")
        self.lines.append(Line(intent))
        return IntentId(len(self.lines) - 1)

    def settle(self, intent: IntentId, bill: Bill, bought: Bought | None = None) -> None:
        line = self._end(intent, "settled")
        line.bill, line.bought = bill, bought

    def withdraw(self, intent: IntentId) -> None:
        self._end(intent, "withdrawn")

    def lose(self, intent: IntentId) -> None:
        self._end(intent, "lost")

    def ocr_reply(self, version: Version, fingerprint: str) -> bytes | None:
        return None

    def states(self) -> list[str]:
        return [line.state for line in self.lines]

    def settled(self) -> Units:
        return sum((line.bill.units for line in self.lines if line.bill), Units(0))

    def lost(self) -> Units:
        """The most that may have been billed without our knowing how much."""
        return sum((line.intent.most for line in self.lines if line.state == "lost"), Units(0))

    def _end(self, intent: IntentId, state: Literal["settled", "withdrawn", "lost"]) -> Line:
        line = self.lines[intent]
        assert line.state == "open", f"a call that is {line.state} cannot be {state} too"
        line.state = state
        return line

    def _spent(self) -> Decimal:
        spent = Decimal(0)
        for line in self.lines:
            if line.state in ("open", "lost"):
                spent += line.intent.usd
            elif line.bill is not None:
                spent += line.bill.usd
        return spent
