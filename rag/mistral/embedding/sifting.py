"""Which of many inputs it is that the provider does not take.

A request is refused as a whole, and does not say why in a way to rely on. So its halves are tried,
and the halves of the half that is refused: one bad input among n costs at most 2 * ceil(log2 n)
requests more, and what every good part of them bought is kept.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeAlias, TypeVar

from msgspec import Struct

from rag.errors import ProviderError

Input = TypeVar("Input")
Value = TypeVar("Value")

_SUSPICIOUS = 3
"""Failures without one success: as when a request fails, and both its halves."""


class Blamed(Struct, frozen=True):
    """Why inputs have no value, though others may have one."""

    reason: ProviderError


class Divided(Struct, Generic[Input], frozen=True):
    """Inputs that are too many for one request, and how to try them instead."""

    parts: Sequence[Sequence[Input]]


Outcome: TypeAlias = Sequence[Value] | Blamed | Divided[Input]


async def sift(
    inputs: Sequence[Input],
    attempt: Callable[[Sequence[Input]], Awaitable[Outcome[Value, Input]]],
    is_working: Callable[[], Awaitable[bool]],
) -> dict[Input, Value | Blamed]:
    """The value of each input, or why it alone has none.

    Args:
        attempt: one request; raises what is no input's fault.
        is_working: whether an innocent request is taken; asked once, when everything fails.

    Raises:
        ProviderError: everything is refused, so that no input is to blame.
    """
    values: dict[Input, Value | Blamed] = {}
    blamed: dict[Input, Value | Blamed] = {}
    failures: list[Blamed] = []
    untried = deque([inputs])
    while untried:
        part = untried.popleft()
        outcome = await attempt(part)
        if isinstance(outcome, Divided):
            untried.extend(outcome.parts)
        elif not isinstance(outcome, Blamed):
            values.update(zip(part, outcome, strict=True))
        else:
            failures.append(outcome)
            if len(failures) == _SUSPICIOUS and not values and not await is_working():
                raise failures[0].reason
            if len(part) == 1:
                blamed[part[0]] = outcome
            else:
                untried.extend((part[: len(part) // 2], part[len(part) // 2 :]))
    return values | blamed
