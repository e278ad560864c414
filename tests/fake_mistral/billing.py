"""The provider's own bill."""

from decimal import Decimal
from typing import Any

import msgspec
from msgspec import Struct

from .models import Units, price


class Charge(Struct, frozen=True):
    """One request that was billed."""

    path: str
    model: str
    units: Units
    usd: Decimal
    in_batch: bool = False


class Bill:
    """Every charge, in order."""

    def __init__(self) -> None:
        self.charges: list[Charge] = []

    def add(self, path: str, model: str, units: Units, *, in_batch: bool = False) -> Charge:
        usd = price(model, units, in_batch=in_batch)
        charge = Charge(path, model, units, usd, in_batch)
        self.charges.append(charge)
        return charge

    @property
    def usd(self) -> Decimal:
        return sum((charge.usd for charge in self.charges), Decimal(0))

    @property
    def units(self) -> Units:
        return sum((charge.units for charge in self.charges), Units())

    def by_model(self) -> dict[str, Any]:
        """As JSON: for each model, and apart for what went through the batch lane."""
        lines: dict[tuple[str, bool], list[Charge]] = {}
        for charge in self.charges:
            lines.setdefault((charge.model, charge.in_batch), []).append(charge)
        models = [
            {
                "model": model,
                "in_batch": in_batch,
                "requests": len(charges),
                **msgspec.to_builtins(sum((each.units for each in charges), Units())),
                "usd": str(sum((each.usd for each in charges), Decimal(0))),
            }
            for (model, in_batch), charges in sorted(lines.items())
        ]
        return {"requests": len(self.charges), "usd": str(self.usd), "models": models}
