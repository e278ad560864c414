"""What a search costs is said before it is paid."""

import sys
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import click

from rag.cli import show
from rag.cli.door import Door
from rag.errors import InvalidRequest


async def agreed(bodies: Sequence[dict[str, Any]], address: str, door: Door, yes: bool) -> None:
    """Tells what these searches cost at most, and asks whether to pay it. A search that asks no
    chat model costs nothing worth a question.

    Args:
        yes: whether that was answered already.

    Raises:
        InvalidRequest: nobody is there to be asked.
        click.Abort: it is not to be paid.
    """
    if not any(body.get("expand") or body.get("rerank") for body in bodies):
        return
    longest = max(bodies, key=lambda body: len(body["query"]))
    price = await door.call("POST", f"{address}/price", json=longest)
    consent(price, len(bodies), yes)


def consent(price: dict[str, Any], times: int, yes: bool) -> None:
    """As `agreed`, of so many requests that cost this much each."""
    models = ", ".join(dict.fromkeys(call["model"] for call in price["calls"]))
    usd = Decimal(price["usd"]) * times
    calls = len(price["calls"]) * times
    show.aside.print(f"{calls:,} calls of {models}: ${usd:.4f} at most")
    if yes:
        return
    if not sys.stdin.isatty():
        raise InvalidRequest("a chat model is paid for this: add --yes")
    click.confirm("Go on?", abort=True, err=True)
