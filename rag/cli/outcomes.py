"""How files ended: each, and all together."""

import json
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from rag.domain import Saved
from rag.sources.found import Trouble


class Outcome(Struct, frozen=True):
    """How one file ended: a line of the report."""

    key: str
    state: str
    """indexed | unchanged | refused | failed; removed, of a file that is gone"""
    code: str | None = None
    reason: str | None = None
    pages: int = 0
    pages_ocred: int = 0
    chunks: int = 0
    seconds: float = 0.0


class Summary(Struct, frozen=True):
    """What a run did."""

    collection: str
    files: int
    indexed: int
    unchanged: int
    refused: int
    failed: int
    pages: int
    """Read now; so are the others."""
    pages_ocred: int
    chunks: int
    seconds: float
    saved: Saved = Saved()
    sent: int = 0
    """Files that were handed in: neither there already, nor refused before."""
    removed: int = 0
    """Documents whose files are gone."""

    def with_troubles(self, troubles: Sequence[Trouble]) -> "Summary":
        """Counting what could not even be handed in."""
        refused = sum(each.state == "refused" for each in troubles)
        return replace(
            self,
            files=self.files + len(troubles),
            refused=self.refused + refused,
            failed=self.failed + len(troubles) - refused,
        )

    @property
    def complete(self) -> bool:
        """Whether every file is in the collection now."""
        return not (self.refused or self.failed)


Told: TypeAlias = Callable[[Outcome], None]
Paused: TypeAlias = Callable[[str | None], None]
"""Hears why nothing goes on, when it begins, and None when it ends."""
UnderWay: TypeAlias = Callable[[Sequence[tuple[str, str]]], None]
"""Hears what is done to which files at the moment: `("reading", "report.pdf")`."""
Spending: TypeAlias = Callable[[Decimal], None]
"""Hears what providers were paid so far, in USD."""

_NOT_THERE = ("cancelled", "superseded")
"""States of items whose bytes did not come into the collection, though nothing is wrong."""


def outcome_of(item: dict[str, Any]) -> Outcome:
    error = item.get("error") or {}
    return Outcome(
        item["key"],
        "failed" if item["state"] in _NOT_THERE else item["state"],
        error.get("code"),
        error.get("message"),
        item["pages"],
        item["pages_ocred"],
        item["chunks"],
        round(item["seconds"], 3),
    )


def summary_of(
    collection: str, outcomes: Sequence[Outcome], saved: Saved, seconds: float, sent: int
) -> Summary:
    def count(state: str) -> int:
        return sum(outcome.state == state for outcome in outcomes)

    new = [outcome for outcome in outcomes if outcome.state != "unchanged"]
    return Summary(
        collection,
        files=len(outcomes),
        indexed=count("indexed"),
        unchanged=count("unchanged"),
        refused=count("refused"),
        failed=count("failed"),
        pages=sum(outcome.pages for outcome in new),
        pages_ocred=sum(outcome.pages_ocred for outcome in new),
        chunks=sum(outcome.chunks for outcome in new),
        seconds=round(seconds, 2),
        saved=saved,
        sent=sent,
    )


def write_report(path: Path, outcomes: Iterable[Outcome]) -> None:
    """One JSON line per file, sorted by key."""
    lines = [
        json.dumps({name: getattr(outcome, name) for name in outcome.__struct_fields__})
        for outcome in sorted(outcomes, key=lambda outcome: outcome.key)
    ]
    path.write_text("".join(line + "\n" for line in lines))
