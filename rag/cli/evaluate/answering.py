"""The questions of a set, answered through the real answer path."""

from collections.abc import Mapping, Sequence
from time import perf_counter
from typing import Any

import msgspec
from msgspec.structs import replace

from rag.cli.door import Door
from rag.cli.progress import progress_of
from rag.domain import Answer, Document, DocumentId
from rag.errors import RagError
from rag.evaluation.answers import Answers, Verdict, hidden, judge, together
from rag.evaluation.sets import Question


async def answer_all(
    questions: Sequence[Question],
    collection: str,
    ids: Mapping[str, str],
    door: Door,
    *,
    inside: bool,
    hide: bool,
    quiet: bool,
) -> Answers:
    """
    Args:
        ids: of documents in the set, by key.
        inside: whether each is asked of its own document alone.
        hide: whether every other answerable question is asked of all but its own document.

    Raises:
        RagError: an answer had less to go by than it should.
    """
    texts: dict[DocumentId, str] = {}
    verdicts: list[Verdict] = []
    answerer = ""
    keys = {id: key for key, id in ids.items()}
    asked = hidden(questions) if hide else questions
    answerable = {each.id for each in questions if each.answerable}
    total = len(asked)
    with progress_of(total, quiet=quiet, doing="answering", unit="questions") as progress:
        for question in asked:
            lacks = not question.answerable and question.id in answerable
            body = _asked(question, collection, keys, inside=inside, lacks=lacks)
            began = perf_counter()
            said = await door.call("POST", "/v1/answers", json=body)
            took = round(1000 * (perf_counter() - began), 2)
            if said["degraded"]:
                raise RagError(f"a question was not answered as it should be: {said['degraded']}")
            answer = _known(msgspec.convert(said, Answer), ids)
            await _read(answer, texts, door)
            verdicts.append(judge(question, answer, texts, took))
            answerer = answer.answerer
            progress.step()
    return together(answerer, verdicts)


def _asked(
    question: Question, collection: str, keys: Mapping[str, str], *, inside: bool, lacks: bool
) -> dict[str, Any]:
    """
    Args:
        lacks: whether its own document is hidden.
    """
    body: dict[str, Any] = {"question": question.text, "collections": [collection]}
    if question.document and (inside or lacks):
        key = keys.get(question.document, question.document)
        body["filter"] = {"type": "ne" if lacks else "eq", "key": "key", "value": key}
    return body


def _known(answer: Answer, ids: Mapping[str, str]) -> Answer:
    """With ids of the set as keys."""
    cited = tuple(replace(each, key=ids.get(each.key, each.key)) for each in answer.citations)
    return replace(answer, citations=cited)


async def _read(answer: Answer, texts: dict[DocumentId, str], door: Door) -> None:
    """The texts of the documents it cites, as far as they are not there."""
    for id in {each.document_id for each in answer.citations} - texts.keys():
        said = await door.call("GET", f"/v1/documents/{id}/text")
        texts[id] = msgspec.convert(said, Document).text
