"""What came back is read, and what it cost is written down; no other call waits meanwhile."""

import asyncio
from collections.abc import Callable

from msgspec import Struct

from rag.errors import MalformedReply
from rag.mistral.booking import Booking, surely
from rag.mistral.calls import Paid, Value
from rag.mistral.connection import Reply
from rag.mistral.failures import MayPass
from rag.spending import Bill

LONG = 256 * 1024
"""Bytes of a reply, from which it is read on another thread: reading takes some milliseconds, and
a thread is to be had within a fraction of one."""


class _Unusable(Struct, frozen=True):
    """A reply that is not to be believed, and what it cost all the same, if it says so."""

    error: MalformedReply
    bill: Bill | None


async def taken(
    reply: Reply, read: Callable[[bytes], Value], paid: Paid[Value] | None, booking: Booking
) -> tuple[Value, Bill | None]:
    """What the reply says and what it cost: settled when this returns, and also where the caller
    leaves meanwhile. What was paid for is not thrown away.

    Raises:
        MayPass: it is not to be believed.
    """
    return await surely(_taken(reply, read, paid, booking))


async def _taken(
    reply: Reply, read: Callable[[bytes], Value], paid: Paid[Value] | None, booking: Booking
) -> tuple[Value, Bill | None]:
    if reply.length > LONG:
        understood = await asyncio.to_thread(_understood, reply, read, paid)
    else:
        understood = _understood(reply, read, paid)
    if isinstance(understood, _Unusable):
        if understood.bill is not None:
            await booking.settle(understood.bill)
        raise MayPass(understood.error, is_dear=True) from understood.error.__cause__
    if paid is None:
        return understood, None
    bill, bought = paid.bill(understood)
    await booking.settle(bill, bought)
    return understood, bill


def _understood(
    reply: Reply, read: Callable[[bytes], Value], paid: Paid[Value] | None
) -> Value | _Unusable:
    body = reply.body()
    try:
        return read(body)
    except MalformedReply as error:
        return _Unusable(error, paid.bill_of_unusable(body) if paid else None)
