"""Documents of an open library, read back through the API."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from rag.cli.door import Door
from rag.cli.progress import progress_of
from rag.domain import Document
from rag.evaluation.locating import evidence_spans
from rag.evaluation.scoring import Spans
from rag.evaluation.sets import Question


async def listed(collection: str, door: Door) -> dict[str, dict[str, Any]]:
    """What the API says of each document, by key."""
    path = f"/v1/collections/{collection}/documents"
    return {each["key"]: each async for each in door.listing(path)}


async def texts_of(
    keys: Iterable[str], collection: str, door: Door, *, quiet: bool
) -> list[Document]:
    """Those of the documents that are there."""
    known = await listed(collection, door)
    wanted = [known[key]["id"] for key in sorted(set(keys)) if key in known]
    found = []
    with progress_of(len(wanted), quiet=quiet, doing="reading", unit="documents") as progress:
        for id in wanted:
            said = await door.call("GET", f"/v1/documents/{id}/text")
            found.append(msgspec.convert(said, Document))
            progress.step()
    return found


async def located(
    questions: Iterable[Question],
    keys: Mapping[str, str],
    collection: str,
    door: Door,
    *,
    quiet: bool,
) -> tuple[dict[str, Spans], list[str]]:
    """Where the evidence of each question stands, and what could not be found, and why.

    Args:
        keys: of documents in the collection, by their ids in the set, where the two differ.
    """
    asked = list(questions)
    named = {place.doc for question in asked for place in question.evidence}
    by_key = {keys.get(doc, doc): doc for doc in named}
    documents = await texts_of(by_key, collection, door, quiet=quiet)
    texts = {by_key[each.key]: each.text for each in documents}
    spans: dict[str, Spans] = {}
    lost = []
    for question in asked:
        found = evidence_spans(question, texts)
        if len(found) == len(question.evidence):
            spans[question.id] = found
        else:
            missing = [place.doc for place in question.evidence if place.doc not in texts]
            why = (
                f"{missing[0]} is not there" if missing else "its quotation is not in the document"
            )
            lost.append(f"question {question.id}: {why}")
    return spans, lost
