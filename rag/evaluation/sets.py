"""Judged questions, as people keep them in files, and what each file's lines look like.

Two layouts, which may lie side by side in one folder. BEIR's: `corpus.jsonl`, `queries.jsonl` and
`qrels.tsv`, where documents are judged. A question set: `qa.jsonl`, where a question names the
document it was asked on, the pages or sentences that answer it, or that nothing does.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, TypeAlias, TypeVar

import msgspec
from msgspec import Struct, field
from msgspec.structs import replace

from rag.errors import InvalidRequest

Grain: TypeAlias = Literal["document", "page", "passage"]
"""What is judged: whole documents, their pages, or the passage that holds a quotation."""


class Passage(Struct, frozen=True):
    """A line of `corpus.jsonl`: a whole document."""

    id: str
    text: str
    title: str = ""


class Place(Struct, frozen=True):
    """Where an answer stands."""

    doc: str
    page: int | None = None
    """From 1."""
    quote: str | None = None
    """The document's own words."""


class Question(Struct, frozen=True):
    """A question, and what is known of its answer."""

    id: str
    text: str
    relevant: Mapping[str, float] = {}
    """Documents by id, and how much each is worth, above 0."""
    evidence: tuple[Place, ...] = ()
    document: str | None = None
    """The one it was asked on."""
    answerable: bool = True
    answers: tuple[str, ...] = ()


class JudgedSet(Struct, frozen=True):
    questions: tuple[Question, ...]
    grain: Grain
    passages: tuple[Passage, ...] = ()
    """The documents; empty where they are files of their own."""

    @property
    def scored(self) -> tuple[Question, ...]:
        """Those whose relevant documents, pages or passages are known."""
        if self.grain == "document":
            return tuple(each for each in self.questions if each.relevant)
        return tuple(each for each in self.questions if each.answerable and each.evidence)


# --- reading ------------------------------------------------------------------------------------

Line = TypeVar("Line")


class _Passage(Struct, frozen=True):
    text: str
    id: str | int = field(name="_id")
    title: str | None = None


class _Query(Struct, frozen=True):
    text: str
    id: str | int = field(name="_id")


class _Evidence(Struct, frozen=True):
    doc: str
    page: int | None = None
    quote: str | None = None


class _Asked(Struct, frozen=True):
    question: str
    id: str | int = field(name="_id")
    answerable: bool = True
    answers: tuple[str, ...] = ()
    doc: str | None = None
    evidence: tuple[_Evidence | str, ...] = ()


def parse_corpus(name: str, content: bytes) -> tuple[Passage, ...]:
    """
    Args:
        name: of the file, for errors.

    Raises:
        InvalidRequest: a line is not like that, or an id comes twice.
    """
    found = [
        Passage(str(line.id), line.text, line.title or "")
        for line in _lines(name, content, _Passage)
    ]
    if twice := _first_twice([each.id for each in found]):
        raise InvalidRequest(f"{name}: two documents have the id {twice!r}")
    return tuple(found)


def parse_queries(name: str, content: bytes) -> dict[str, str]:
    """Texts by id."""
    return {str(line.id): line.text for line in _lines(name, content, _Query)}


def parse_qrels(name: str, content: bytes) -> dict[str, dict[str, float]]:
    """Gains above 0, of documents by question. Also in TREC's four columns.

    Raises:
        InvalidRequest: a line, the first apart, does not end in a number.
    """
    judged: dict[str, dict[str, float]] = defaultdict(dict)
    for number, line in enumerate(content.decode().splitlines(), start=1):
        columns = line.split("\t") if "\t" in line else line.split()
        if not line.strip():
            continue
        try:
            question, document, gain = columns[0], columns[-2], float(columns[-1])
        except (ValueError, IndexError):
            if number == 1:  # names of the columns
                continue
            raise InvalidRequest(
                f"{name}, line {number}: not a question's id, a document's id and a score"
            ) from None
        if gain > 0:
            judged[question][document] = gain
    return dict(judged)


def parse_questions(name: str, content: bytes) -> tuple[Question, ...]:
    """Of `qa.jsonl`. Evidence is an object with a page or a quotation, or a sentence of `doc`."""
    return tuple(_question(line) for line in _lines(name, content, _Asked))


def joined(
    queries: Mapping[str, str],
    judged: Mapping[str, Mapping[str, float]],
    asked: Sequence[Question] = (),
    passages: Sequence[Passage] = (),
) -> JudgedSet:
    """One set of both layouts; a question in both is one.

    Raises:
        InvalidRequest: nothing in it is judged.
    """
    known = {each.id: each for each in asked}
    from_queries = [
        replace(known.pop(id, Question(id, text)), text=text, relevant=judged.get(id, {}))
        for id, text in queries.items()
    ]
    found = JudgedSet((*from_queries, *known.values()), _grain(judged, asked), tuple(passages))
    if found.grain == "document" and not judged:
        found = replace(found, questions=tuple(_by_document(each) for each in found.questions))
    if not found.scored:
        raise InvalidRequest(
            "no question of this set names what is relevant: a document in qrels.tsv, or a page,"
            " a quotation or a document in qa.jsonl"
        )
    return found


def _lines(name: str, content: bytes, kind: type[Line]) -> Iterator[Line]:
    for number, line in enumerate(content.splitlines(), start=1):
        if line.strip():
            try:
                yield msgspec.json.decode(line, type=kind)
            except msgspec.DecodeError as error:
                raise InvalidRequest(f"{name}, line {number}: {error}") from error


def _question(line: _Asked) -> Question:
    evidence = tuple(
        Place(line.doc or "", quote=each)
        if isinstance(each, str)
        else Place(each.doc, each.page, each.quote)
        for each in line.evidence
    )
    return Question(
        str(line.id),
        line.question,
        evidence=evidence,
        document=line.doc,
        answerable=line.answerable,
        answers=line.answers,
    )


def _grain(judged: Mapping[str, object], asked: Sequence[Question]) -> Grain:
    places = [place for each in asked if each.answerable for place in each.evidence]
    if places and not judged:
        if all(place.quote for place in places):
            return "passage"
        if all(place.page is not None for place in places):
            return "page"
    return "document"


def _by_document(question: Question) -> Question:
    if not question.answerable:
        return question
    named = [place.doc for place in question.evidence] or [question.document or ""]
    return replace(question, relevant={doc: 1.0 for doc in named if doc})


def _first_twice(ids: Sequence[str]) -> str | None:
    seen: set[str] = set()
    for id in ids:
        if id in seen:
            return id
        seen.add(id)
    return None
