"""How files ended: each, and all together."""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import Struct

from rag.domain import Saved


class Outcome(Struct, frozen=True):
    """How one file ended: a line of the report."""

    key: str
    state: str
    """indexed | unchanged | refused | failed"""
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
    pages_ocred: int
    chunks: int
    seconds: float
    saved: Saved = Saved()

    @property
    def complete(self) -> bool:
        """Whether every file is in the collection now."""
        return not (self.refused or self.failed)


Told: TypeAlias = Callable[[Outcome], None]
Paused: TypeAlias = Callable[[str | None], None]
"""Hears why nothing goes on, when it begins, and None when it ends."""

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
    collection: str, outcomes: Sequence[Outcome], saved: Saved, seconds: float
) -> Summary:
    def count(state: str) -> int:
        return sum(outcome.state == state for outcome in outcomes)

    return Summary(
        collection,
        files=len(outcomes),
        indexed=count("indexed"),
        unchanged=count("unchanged"),
        refused=count("refused"),
        failed=count("failed"),
        pages=sum(outcome.pages for outcome in outcomes),
        pages_ocred=sum(outcome.pages_ocred for outcome in outcomes),
        chunks=sum(outcome.chunks for outcome in outcomes),
        seconds=round(seconds, 2),
        saved=saved,
    )


def write_report(path: Path, outcomes: Iterable[Outcome]) -> None:
    """One JSON line per file, sorted by key."""
    lines = [
        json.dumps({name: getattr(outcome, name) for name in outcome.__struct_fields__})
        for outcome in sorted(outcomes, key=lambda outcome: outcome.key)
    ]
    path.write_text("".join(line + "\n" for line in lines))
