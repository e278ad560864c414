"""Runs as JSON."""

from typing import Any

import msgspec

from rag.errors import InvalidRequest
from rag.evaluation.advice import advise, compared
from rag.evaluation.paired import in_words
from rag.evaluation.runs import Run


def to_json(run: Run) -> bytes:
    """The first setting's figures by themselves, for programs that want no more; what is to be
    concluded; then the run."""
    head = run.arms[0]
    told: dict[str, Any] = {name: each.mean for name, each in head.figures.items()}
    told["queries"] = run.queries
    told["documents"] = run.documents
    told["intervals"] = {name: each.interval for name, each in head.figures.items()}
    if head.latency_ms is not None:
        told |= {"latency_p50_ms": head.latency_ms.p50, "latency_p99_ms": head.latency_ms.p99}
    told["legs"] = {
        arm.setting.name: {name: each.mean for name, each in arm.figures.items()}
        for arm in run.arms
    }
    told["comparisons"] = [
        msgspec.to_builtins(each.difference)
        | {"p_corrected": each.p, "text": in_words(each.difference)}
        for each in compared(run)
    ]
    told["advice"] = {each.about: each.text for each in advise(run)}
    return msgspec.json.encode(told | msgspec.to_builtins(run))


def from_json(name: str, content: bytes) -> Run:
    """
    Raises:
        InvalidRequest: it is no such file.
    """
    try:
        return msgspec.json.decode(content, type=Run)
    except msgspec.DecodeError as error:
        raise InvalidRequest(f"{name} is not what `rag eval --json` writes: {error}") from error
