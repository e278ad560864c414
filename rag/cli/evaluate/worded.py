"""Questions worded by the chat model, passage by passage: the price first."""

from collections.abc import Iterator, Sequence
from decimal import Decimal

import msgspec
import numpy as np
from msgspec import Struct

from rag.cli.door import Door
from rag.cli.evaluate.consent import consent
from rag.cli.progress import progress_of
from rag.domain import Block, Document
from rag.evaluation.making import Made
from rag.evaluation.sets import Place, Question
from rag.evaluation.wording import SHOWN, Worded

SHORTEST = 200
"""Characters of a passage that has something to ask about."""

AT_ONCE = 10  # passages of one request


class Passage(Struct, frozen=True):
    document: Document
    block: Block

    @property
    def text(self) -> str:
        return self.document.text[self.block.start : self.block.end][:SHOWN]


async def word(
    documents: Sequence[Document],
    collection: str,
    door: Door,
    *,
    answerable: int,
    unanswerable: int,
    seed: int,
    yes: bool,
    quiet: bool,
) -> tuple[tuple[Made, ...], str]:
    """Questions, and the model that worded them.

    Raises:
        Refused: no chat model is configured.
        InvalidRequest: nobody is there to agree to the price.
    """
    chosen = passages(documents, answerable, seed)
    path = f"/v1/collections/{collection}/questions"
    model = await _agreed(chosen, path, door, yes=yes)
    made: list[Made] = []
    lost: list[Made] = []
    with progress_of(len(chosen), quiet=quiet, doing="wording", unit="passages") as progress:
        for start in range(0, len(chosen), AT_ONCE):
            some = chosen[start : start + AT_ONCE]
            said = await door.call("POST", path, json={"passages": [each.text for each in some]})
            for passage, worded in zip(
                some, msgspec.convert(said["data"], list[Worded | None]), strict=True
            ):
                progress.step()
                if worded is not None:
                    number = len(made) + 1
                    made.append(_made(passage, worded, number))
                    lost.append(_unanswered(worded, number))
    return (*made, *lost[:unanswerable]), model


def passages(documents: Sequence[Document], n: int, seed: int) -> list[Passage]:
    """Blocks of prose that are long enough, from the documents by turns."""
    choose = np.random.default_rng(seed)
    ordered = sorted(documents, key=lambda each: each.key)
    order = choose.permutation(len(ordered))
    rows = [list(_shuffled_blocks(ordered[place], choose)) for place in order]
    turns = range(max(map(len, rows), default=0))
    return [row[turn] for turn in turns for row in rows if turn < len(row)][:n]


def _shuffled_blocks(document: Document, choose: np.random.Generator) -> Iterator[Passage]:
    long = [
        block
        for block in document.blocks
        if block.kind in ("text", "list") and block.end - block.start >= SHORTEST
    ]
    return (Passage(document, long[n]) for n in choose.permutation(len(long)))


async def _agreed(chosen: Sequence[Passage], path: str, door: Door, *, yes: bool) -> str:
    """The model's id, once somebody agreed to what it may cost."""
    usd, model = Decimal(0), ""
    for start in range(0, len(chosen), AT_ONCE):
        body = {"passages": [each.text for each in chosen[start : start + AT_ONCE]]}
        said = await door.call("POST", path, json=body, params={"dry_run": "true"})
        usd, model = usd + Decimal(said["usd"]), said["model"]
    consent(f"Wording {len(chosen):,} questions by {model}", usd, yes=yes)
    return model


def _made(passage: Passage, worded: Worded, number: int) -> Made:
    place = Place(passage.document.key, passage.block.page, " ".join(worded.quote.split()))
    question = Question(
        f"m{number:04d}",
        worded.question,
        evidence=(place,),
        document=passage.document.key,
        answers=(worded.quote,),
    )
    return Made(question, "model")


def _unanswered(worded: Worded, number: int) -> Made:
    return Made(Question(f"u{number:04d}", worded.unanswered, answerable=False), "model")
