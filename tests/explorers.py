"""A model that looks further as it is told to, and another that obeys whatever it reads."""

import re
from collections.abc import Callable, Sequence
from decimal import Decimal

import msgspec

from rag.domain import Evidence, Usage
from rag.questions.exploring import Called, Exchange, shown

Plan = Callable[[str], Sequence[tuple[str, dict[str, object]]]]
"""All that was shown -> the verbs to call next, with their arguments."""


class ScriptedExplorer:
    """Calls what its plans say, one after another. Keeps what it was shown."""

    name = "scripted"

    def __init__(self, *plans: Plan, usd: str = "0.01") -> None:
        self._plans = list(plans)
        self._usd = usd
        self.shown: list[str] = []
        """At each step, all of it."""

    def most(self, steps: int, tokens: int) -> Decimal:
        return steps * Decimal(self._usd)

    def cost(
        self, question: str, evidence: Sequence[Evidence], exchanges: Sequence[Exchange]
    ) -> Decimal:
        return Decimal(self._usd)

    async def step(
        self, question: str, evidence: Sequence[Evidence], exchanges: Sequence[Exchange]
    ) -> tuple[tuple[Called, ...], Usage]:
        seen = "\n".join([shown(evidence), *(r for each in exchanges for r in each.results)])
        self.shown.append(seen)
        wanted = self._plans.pop(0)(seen) if self._plans else ()
        calls = (
            Called(f"call{n:05d}", verb, msgspec.json.encode(arguments).decode())
            for n, (verb, arguments) in enumerate(wanted)
        )
        return tuple(calls), Usage(self.name, 100, 10, self._usd)


def always(verb: str, **arguments: object) -> Plan:
    return lambda seen: [(verb, arguments)]


def place_of(text: str, seen: str) -> tuple[str, int]:
    """The document and place of the block in which a text was shown."""
    line = next(line for line in seen.split("\n") if text in line)
    found = re.search(r'"document":"(doc_\w+)","at":(\d+)', line)
    assert found, line
    return found[1], int(found[2])
