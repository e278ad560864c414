"""A ledger in memory, which keeps what it was told."""

import itertools

from rag.domain import Version
from rag.errors import BudgetExhausted
from rag.spending import Bill, Bought, Intent, IntentId, Purpose, current_purpose


class AccountBook:
    def __init__(self) -> None:
        self.intents: dict[IntentId, Intent] = {}
        self.under_way: set[IntentId] = set()
        self.bills: dict[IntentId, Bill] = {}
        self.bought: list[Bought] = []
        self.withdrawn: list[IntentId] = []
        self.lost: list[IntentId] = []
        self.penniless: set[Purpose] = set()
        """For whom nothing may be paid."""
        self._ids = itertools.count(1)

    def intend(self, intent: Intent) -> IntentId:
        if current_purpose() in self.penniless:
            raise BudgetExhausted("nothing is left")
        number = IntentId(next(self._ids))
        self.intents[number] = intent
        self.under_way.add(number)
        return number

    def settle(self, intent: IntentId, bill: Bill, bought: Bought | None = None) -> None:
        self.under_way.remove(intent)
        self.bills[intent] = bill
        if bought is not None:
            self.bought.append(bought)

    def withdraw(self, intent: IntentId) -> None:
        self.under_way.remove(intent)
        self.withdrawn.append(intent)

    def lose(self, intent: IntentId) -> None:
        self.under_way.remove(intent)
        self.lost.append(intent)

    def ocr_reply(self, version: Version, fingerprint: str) -> bytes | None:
        return None

    @property
    def tokens(self) -> int:
        """That were billed."""
        return sum(bill.units.input + bill.units.output for bill in self.bills.values())
