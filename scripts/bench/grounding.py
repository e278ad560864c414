"""How surely and how fast drafts are checked against their sources.

    python scripts/bench/grounding.py FOLDER [--drafts 500] [--show KIND]

FOLDER holds `corpus.jsonl` ({"_id", "title", "text"} a line) and, where people have written
answers, `qa.jsonl` ({"answers", "evidence", "doc"} a line). Sentences of the corpus are set as a
page sets them (lines, hyphens at their ends, bold words, curly quotes, ligatures); a seeded
scripted model quotes and restates them truly or falsely. Prints how many of each kind were
believed, those judged wrongly with `--show`, and quotations per CPU second.
"""

import argparse
import random
import re
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import msgspec
from msgspec import Struct

from rag.domain import (
    Answer,
    AnswerId,
    Block,
    DocumentId,
    Draft,
    DraftClaim,
    Evidence,
    Quotation,
    Version,
)
from rag.grounding.citations import ground
from rag.grounding.matching import Passages

CONTEXT = 32_000  # characters: some 8,000 tokens
DRAFTS_PER_CONTEXT = 10
LINE = 90  # characters on a printed line

NAMES = ["Fitzgerald", "Montenegro", "Kowalski", "Osaka", "Lindqvist", "Patagonia"]
ANTONYMS = {
    "increased": "decreased",
    "increase": "decrease",
    "higher": "lower",
    "more": "less",
    "before": "after",
    "larger": "smaller",
    "positive": "negative",
    "reduced": "raised",
    "inhibits": "activates",
    "early": "late",
    "first": "last",
}


class Passage(Struct):
    title: str
    text: str
    id: str = msgspec.field(name="_id", default="")


class Answered(Struct):
    answers: list[str]
    evidence: list[str]
    doc: str | None


class Context(Struct, frozen=True):
    """Blocks as retrieved, and the plain sentence behind each."""

    evidence: tuple[Evidence, ...]
    sentences: tuple[str, ...]


class Case(Struct, frozen=True):
    kind: str
    is_true: bool
    evidence: tuple[Evidence, ...]
    claim: str
    quotations: tuple[Quotation, ...]


Change = Callable[[str, random.Random], str | None]
"""A sentence -> the same with one thing falsified; None where it has no such thing."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--drafts", type=int, default=500)
    arguments.add_argument("--seed", type=int, default=7)
    arguments.add_argument("--show", default="")
    options = arguments.parse_args()
    dice = random.Random(options.seed)
    corpus = _lines(options.folder / "corpus.jsonl", Passage)
    number = options.drafts // DRAFTS_PER_CONTEXT
    contexts = list(islice(_contexts(corpus, dice), number))
    cases = [
        case
        for context in contexts
        for _ in range(DRAFTS_PER_CONTEXT)
        for case in (*quotation_cases(context, corpus, dice), *claim_cases(context, dice))
    ]
    if (options.folder / "qa.jsonl").exists():
        answered = _lines(options.folder / "qa.jsonl", Answered)
        cases += people_cases(answered, {passage.id: passage for passage in corpus}, dice)
    report(cases, options.show)
    speed(contexts)


def report(cases: Sequence[Case], show: str) -> None:
    counts: dict[tuple[bool, str], list[int]] = defaultdict(lambda: [0, 0])
    for case in cases:
        believed = is_believed(case)
        counts[not case.is_true, case.kind][0] += believed
        counts[not case.is_true, case.kind][1] += 1
        if show and show in case.kind and believed != case.is_true:
            reasons = _dropped(case)
            print(f"\n{case.kind}: {reasons}\n  {case.claim}")
            print(*(f"  < {quotation.quote}" for quotation in case.quotations), sep="\n")
    for (is_false, kind), (kept, total) in sorted(counts.items()):
        wanted = "caught" if is_false else "kept"
        right = total - kept if is_false else kept
        print(f"{kind:32} {wanted:7} {right:5} of {total:5}  {right / total:.3f}")


def is_believed(case: Case) -> bool:
    """Whether its quotation was found, or its claim is held to be supported; what is quoted equals
    its source."""
    answer = _grounded(case.evidence, case.claim, case.quotations)
    _assert_slices(answer, case.evidence)
    [claim] = answer.claims
    return bool(claim.citations if case.kind.startswith("quote") else claim.supported)


def speed(contexts: Sequence[Context]) -> None:
    """Ten true quotations of whole sentences a draft; the claims repeat them, or leave out their
    last word and so are checked in full. The quickest of three rounds: others use this machine."""
    for what, last in (("repeated", None), ("reworded", -1)):
        seconds = min(_seconds(contexts, last) for _ in range(3))
        rate = len(contexts) * DRAFTS_PER_CONTEXT / seconds
        print(f"{rate:.0f} quotations per CPU second with claims {what},", end=" ")
        print(f"{1000 * seconds / len(contexts):.1f} ms a draft of {DRAFTS_PER_CONTEXT}")
    before = time.process_time()
    for context in contexts:
        passages = Passages(context.evidence)
        for at in _places(context):
            passages.find(Quotation(at + 1, context.sentences[at]))
    rate = len(contexts) * DRAFTS_PER_CONTEXT / (time.process_time() - before)
    print(f"{rate:.0f} quotations per CPU second found, {CONTEXT} characters normalized as needed")


def _seconds(contexts: Sequence[Context], last: int | None) -> float:
    before = time.process_time()
    for context in contexts:
        claims = tuple(
            DraftClaim(
                " ".join(context.sentences[at].split(" ")[:last]),
                (Quotation(at + 1, context.sentences[at]),),
            )
            for at in _places(context)
        )
        _answer(context.evidence, claims)
    return time.process_time() - before


def _places(context: Context) -> Sequence[int]:
    step = len(context.sentences) // DRAFTS_PER_CONTEXT
    return range(0, step * DRAFTS_PER_CONTEXT, step)


# --- sources -------------------------------------------------------------------------------------


def _contexts(corpus: Sequence[Passage], dice: random.Random) -> Iterator[Context]:
    while True:
        evidence: list[Evidence] = []
        sentences: list[str] = []
        while sum(len(item.text) for item in evidence) < CONTEXT:
            passage = dice.choice(corpus)
            document, start = DocumentId(f"doc_{len(evidence)}"), 0
            for sentence in re.split(r"(?<=[.!?]) +(?=[A-Z])", passage.text):
                text = printed(sentence, dice)
                evidence.append(_evidence(len(evidence) + 1, document, passage.title, text, start))
                sentences.append(sentence)
                start += len(text) + 2
        yield Context(tuple(evidence), tuple(sentences))


def _evidence(label: int, document: DocumentId, title: str, text: str, start: int) -> Evidence:
    return Evidence(
        label=label,
        document_id=document,
        version=Version("sha256:00"),
        key=document,
        title=title,
        text=text,
        block=Block("text", start, start + len(text)),
        first_line=1,
    )


def printed(text: str, dice: random.Random) -> str:
    words = [
        f"**{word}**" if word.isalpha() and dice.random() < 0.03 else word
        for word in text.split(" ")
    ]
    lines, line = [], ""
    for word in words:
        if len(line) + len(word) > LINE:
            is_broken = word.isalpha() and len(word) > 6 and dice.random() < 0.5
            lines.append(f"{line}{word[:3]}-" if is_broken else line.rstrip())
            word = word[3:] if is_broken else word
            line = ""
        line += f"{word} "
    return "\n".join([*lines, line.rstrip()]).replace("fi", "ﬁ").replace("'", "’")


# --- quotations ----------------------------------------------------------------------------------


def quotation_cases(
    context: Context, corpus: Sequence[Passage], dice: random.Random
) -> Iterator[Case]:
    at = dice.randrange(len(context.sentences) - 1)
    sentence, label = context.sentences[at], at + 1
    if len(sentence.split()) < 8:
        return
    words = sentence.split(" ")
    far = dice.choice([s for s in context.sentences if s not in context.sentences[at - 1 : at + 2]])
    foreign = dice.choice(corpus).text.split(". ")[0]
    true = {
        "sentence": sentence,
        "as printed": context.evidence[at].text,
        "part": _part(words, dice),
        "in quotation marks": f"“{sentence.rstrip(' .')}.”",
        "over the block's end": _over_end(context, at),
    }
    false = {
        "invented": foreign if foreign not in " ".join(context.sentences) else None,
        "merged": " ".join([*words[: len(words) // 2], *far.split(" ")[-6:]]),
        "spliced": " ".join([*words[: len(words) // 2], *words[len(words) // 2 + 2 :]]),
        "with an ellipsis": " ... ".join([" ".join(words[:4]), " ".join(words[-4:])]),
        "cut in a word": _cut_word(sentence, dice),
        "cut in a number": _cut_number(sentence),
        "cut behind a negation": _cut_negation(sentence),
        "in capitals": sentence.upper() if sentence.upper() != sentence else None,
    }
    for kind, quote in true.items():
        if quote:
            yield Case(f"quote, {kind}", True, context.evidence, "x", (Quotation(label, quote),))
    elsewhere = dice.randrange(1, len(context.sentences))
    yield Case("quote, relocated", True, context.evidence, "x", (Quotation(elsewhere, sentence),))
    for kind, change in CHANGES.items():
        false[f"{kind} changed"] = change(sentence, dice)
    for kind, quote in false.items():
        if quote:
            yield Case(f"quote, {kind}", False, context.evidence, "x", (Quotation(label, quote),))


def _part(words: Sequence[str], dice: random.Random) -> str | None:
    start = dice.randrange(0, len(words) - 6)
    end = dice.randrange(start + 5, len(words))
    edges = " ".join([*words[max(0, start - 1) : start + 1], *words[end - 1 : end + 1]])
    has_meaning = re.search(r"\d|\b(?:not?|never|without|nor|nothing|none|n't)\b|[-/%&]", edges)
    return None if has_meaning else " ".join(words[start:end])


def _over_end(context: Context, at: int) -> str | None:
    one, other = context.evidence[at], context.evidence[at + 1]
    if one.document_id != other.document_id:
        return None
    head, tail = context.sentences[at].split(" ")[-4:], context.sentences[at + 1].split(" ")[:4]
    edges = context.sentences[at].split(" ")[-5:] + context.sentences[at + 1].split(" ")[:5]
    return None if re.search(r"\d|\bno", " ".join(edges)) else " ".join(head + tail)


def _cut_word(sentence: str, dice: random.Random) -> str | None:
    word = dice.choice(list(re.finditer(r"[a-z]{4,}", sentence)) or [None])
    return sentence[word.start() + 2 :] if word and word.start() < len(sentence) // 2 else None


def _cut_number(sentence: str) -> str | None:
    """Up to and with the first digits of a number, where that is long enough to be a quotation."""
    number = next((n for n in re.finditer(r"\d[\d.,]*\d", sentence) if n.start() > 20), None)
    return sentence[: number.end() - 1] if number else None


def _cut_negation(sentence: str) -> str | None:
    negation = re.search(r"\b(?:not|never|no) (?=\w+ \w+ \w+ \w+)", sentence)
    return sentence[negation.end() :] if negation else None


# --- claims --------------------------------------------------------------------------------------


def claim_cases(context: Context, dice: random.Random) -> Iterator[Case]:
    at = dice.randrange(len(context.sentences) - 1)
    sentence = context.sentences[at]
    quotations = (Quotation(at + 1, sentence),)
    if len(sentence.split()) >= 6:
        yield Case("claim, same sentence", True, context.evidence, sentence, quotations)
        yield from _falsified("claim", sentence, context.evidence, quotations, dice)


def people_cases(
    answered: Sequence[Answered], passages: dict[str, Passage], dice: random.Random
) -> Iterator[Case]:
    """Answers that people wrote, each with all sentences it was written from."""
    for item in answered:
        if item.doc and item.answers:
            passage = passages[item.doc]
            evidence = (_evidence(1, DocumentId(passage.id), passage.title, passage.text, 0),)
            quotations = tuple(Quotation(1, sentence) for sentence in item.evidence)
            claim = item.answers[0]
            yield Case("claim, of people", True, evidence, claim, quotations)
            yield from _falsified("claim of people", claim, evidence, quotations, dice)


def _falsified(
    kind: str,
    sentence: str,
    evidence: tuple[Evidence, ...],
    quotations: tuple[Quotation, ...],
    dice: random.Random,
) -> Iterator[Case]:
    for what, change in {**CHANGES, "antonym": _antonym}.items():
        if changed := change(sentence, dice):
            yield Case(f"{kind}, {what} changed", False, evidence, changed, quotations)


def _digit(sentence: str, dice: random.Random) -> str | None:
    digits = list(re.finditer(r"\d", sentence))
    if not digits:
        return None
    at = dice.choice(digits).start()
    other = str((int(sentence[at]) + dice.randrange(1, 10)) % 10)
    return sentence[:at] + other + sentence[at + 1 :]


def _sign(sentence: str, dice: random.Random) -> str | None:
    number = re.search(r"(?<= )\d", sentence)
    return sentence[: number.start()] + "-" + sentence[number.start() :] if number else None


def _unit(sentence: str, dice: random.Random) -> str | None:
    swaps = {
        "%": "‰",
        "$": "€",
        " mg": " kg",
        " km": " m",
        " years": " days",
        " million": " billion",
    }
    for unit, other in swaps.items():
        if re.search(rf"\d ?{re.escape(unit)}|{re.escape(unit)} ?\d", sentence):
            return sentence.replace(unit, other, 1)
    return None


def _negation(sentence: str, dice: random.Random) -> str | None:
    if re.search(r"\bnot ", sentence):
        return re.sub(r"\bnot ", "", sentence, count=1)
    verb = re.search(r"\b(?:is|are|was|were|can|has|have|will|may|would) ", sentence)
    return sentence[: verb.end()] + "not " + sentence[verb.end() :] if verb else None


def _name(sentence: str, dice: random.Random) -> str | None:
    names = list(re.finditer(r"(?<=[a-z,] )[A-Z][a-z]{3,}", sentence))
    if not names:
        return None
    name = dice.choice(names)
    return sentence[: name.start()] + dice.choice(NAMES) + sentence[name.end() :]


def _antonym(sentence: str, dice: random.Random) -> str | None:
    known = [word for word in ANTONYMS if f" {word} " in sentence]
    word = dice.choice(known) if known else None
    return sentence.replace(f" {word} ", f" {ANTONYMS[word]} ", 1) if word else None


CHANGES: dict[str, Change] = {
    "digit": _digit,
    "sign": _sign,
    "unit": _unit,
    "negation": _negation,
    "name": _name,
}


# --- asking --------------------------------------------------------------------------------------


def _grounded(
    evidence: Sequence[Evidence], claim: str, quotations: tuple[Quotation, ...]
) -> Answer:
    return _answer(evidence, (DraftClaim(claim, quotations),))


def _dropped(case: Case) -> tuple[str, ...]:
    claims = (DraftClaim(case.claim, case.quotations),)
    return tuple(d.reason for d in _answer(case.evidence, claims, is_strict=True).dropped)


def _answer(
    evidence: Sequence[Evidence], claims: tuple[DraftClaim, ...], *, is_strict: bool = False
) -> Answer:
    return ground(
        "",
        Draft(True, claims),
        evidence,
        policy="strict" if is_strict else "annotate",
        answerer="scripted",
        usage=None,
        nearest=(),
        answer_id=AnswerId("ans_1"),
    )


def _assert_slices(answer: Answer, evidence: Sequence[Evidence]) -> None:
    for citation in answer.citations:
        assert any(
            citation.quote
            == item.text[
                citation.source.start - item.block.start : citation.source.end - item.block.start
            ]
            for item in evidence
            if item.document_id == citation.document_id
            and item.block.start <= citation.source.start
        ), "a quotation is not its source"


def _lines(path: Path, kind: type) -> list:  # type: ignore[type-arg]
    return [msgspec.json.decode(line, type=kind) for line in path.read_bytes().splitlines()]


if __name__ == "__main__":
    main()
