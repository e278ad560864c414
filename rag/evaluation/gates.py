"""What must hold for a change to pass: `ndcg@10>=0.7`."""

import operator
import re
from collections.abc import Callable, Mapping

from msgspec import Struct

from rag.errors import InvalidRequest

COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
}

_GATE = re.compile(r"\s*(?P<figure>[\w@.-]+)\s*(?P<sign>>=|<=|>|<)\s*(?P<bound>[\d.]+)\s*")


class Gate(Struct, frozen=True):
    figure: str
    sign: str
    bound: float

    def __str__(self) -> str:
        return f"{self.figure} {self.sign} {self.bound:g}"


def parse_gate(written: str) -> Gate:
    """
    Raises:
        InvalidRequest: it is not a figure, a comparison and a number.
    """
    if match := _GATE.fullmatch(written):
        try:
            return Gate(match["figure"], match["sign"], float(match["bound"]))
        except ValueError:
            pass
    raise InvalidRequest(
        f"a gate is a figure, a comparison and a number, as ndcg@10>=0.7: {written!r}"
    )


def failures(gates: tuple[Gate, ...], figures: Mapping[str, float]) -> list[str]:
    """Why it does not pass; empty where it does.

    Raises:
        InvalidRequest: a gate is about a figure that was not measured.
    """
    failed = []
    for gate in gates:
        if gate.figure not in figures:
            raise InvalidRequest(f"{gate.figure!r} was not measured, but: {', '.join(figures)}")
        value = figures[gate.figure]
        if not COMPARISONS[gate.sign](value, gate.bound):
            failed.append(f"{gate} does not hold: {gate.figure} is {value:.4f}")
    return failed
