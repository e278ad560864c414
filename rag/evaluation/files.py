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
    told: dict[str, Any] = plain_figures(run)
    told["queries"] = run.queries
    told["documents"] = run.documents
    answered = run.answers.figures if run.answers else {}
    spreads = {**head.figures, **answered}
    told["intervals"] = {name: each.interval for name, each in spreads.items()}
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


def plain_figures(run: Run) -> dict[str, float]:
    """The first setting's means, and those of the answers, by name."""
    head = run.arms[0]
    told = {name: each.mean for name, each in head.figures.items()}
    if head.latency_ms is not None:
        told |= {"latency_p50_ms": head.latency_ms.p50, "latency_p99_ms": head.latency_ms.p99}
    if run.answers is not None:
        told |= {name: each.mean for name, each in run.answers.figures.items()}
        times = run.answers.latency_ms
        told |= {"answer_p50_ms": times.p50, "answer_p99_ms": times.p99}
    return told


def from_json(name: str, content: bytes) -> Run:
    """
    Raises:
        InvalidRequest: it is no such file.
    """
    try:
        return msgspec.json.decode(content, type=Run)
    except msgspec.DecodeError as error:
        raise InvalidRequest(f"{name} is not what `rag eval --json` writes: {error}") from error
