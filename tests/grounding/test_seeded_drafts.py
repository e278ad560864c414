"""A seeded model quotes and restates the samples, truly and falsely, in over 500 drafts."""

import random
import re
from collections import Counter
from pathlib import Path

import pytest

from rag.chunking.markdown import blocks
from rag.domain import Block, DocumentId, Evidence, Version
from scripts.bench import grounding as bench

SAMPLES = Path(__file__).parents[2] / "rag" / "samples"
FOREIGN = [
    bench.Passage("Elsewhere", "Seven herons crossed the frozen canal at noon. They rested.")
]
ROUNDS = 40  # of some 17 drafts each


def context() -> bench.Context:
    """Each sentence of the samples as a block of its own, set as a page sets it."""
    dice = random.Random(3)
    evidence: list[Evidence] = []
    sentences: list[str] = []
    for path in sorted([*SAMPLES.glob("*.md"), *SAMPLES.glob("*.txt")]):
        text, start = path.read_text(), 0
        for block in blocks(text):
            plain = " ".join(text[block.start : block.end].split())
            if block.kind != "text" or "|" in plain:
                continue
            for sentence in re.split(r"(?<=[.!?]) +(?=[A-Z])", plain):
                shown = bench.printed(sentence, dice)
                span = Block("text", start, start + len(shown))
                evidence.append(
                    Evidence(
                        len(evidence) + 1,
                        DocumentId(f"doc_{path.stem}"),
                        Version("sha256:00"),
                        path.name,
                        path.stem,
                        shown,
                        span,
                        first_line=1,
                    )
                )
                sentences.append(sentence)
                start += len(shown) + 2
    assert len(sentences) > 10
    return bench.Context(tuple(evidence), tuple(sentences))


@pytest.fixture(scope="module")
def judged() -> Counter[tuple[str, bool]]:
    """How many of each kind were judged rightly, and how many wrongly."""
    dice, found, where = random.Random(7), Counter[tuple[str, bool]](), context()
    for _ in range(ROUNDS):
        cases = [*bench.quotation_cases(where, FOREIGN, dice), *bench.claim_cases(where, dice)]
        for case in cases:
            found[case.kind, bench.is_believed(case) == case.is_true] += 1
    return found


def test_every_altered_quotation_is_caught_and_every_true_one_kept(
    judged: Counter[tuple[str, bool]],
) -> None:
    quotations = {kind: n for (kind, _), n in judged.items() if kind.startswith("quote")}

    assert {"quote, invented", "quote, merged", "quote, relocated"} <= set(quotations)
    assert sum(n for (kind, right), n in judged.items() if right and "quote" in kind) > 300
    assert [kind for (kind, right) in judged if not right and kind.startswith("quote")] == []


@pytest.mark.parametrize("what", ["digit", "name", "negation", "antonym"])
def test_a_claim_that_was_changed_while_its_quotation_was_not_is_flagged(
    judged: Counter[tuple[str, bool]], what: str
) -> None:
    kind = f"claim, {what} changed"
    caught, missed = judged[kind, True], judged[kind, False]

    assert caught >= 0.95 * (caught + missed)
    assert caught > 5


def test_a_claim_that_repeats_its_quotation_is_believed(judged: Counter[tuple[str, bool]]) -> None:
    assert judged["claim, same sentence", False] == 0
