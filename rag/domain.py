"""The nouns. All are values: frozen, comparable, and the same in code and in JSON.

One string, spans of it: `Document.text` is the only text, and a page, a block, a line, a chunk
and a citation are each a half-open span `[start, end)` of it, counted in Unicode code points.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Generic, Literal, NewType, TypeAlias, TypeVar

import numpy as np
import numpy.typing as npt
from msgspec import Struct

CollectionId = NewType("CollectionId", str)
IndexId = NewType("IndexId", str)
DocumentId = NewType("DocumentId", str)
ChunkId = NewType("ChunkId", str)
JobId = NewType("JobId", str)
AnswerId = NewType("AnswerId", str)
CitationId = NewType("CitationId", str)

Version = NewType("Version", str)
"""`sha256:` and the hex digest of a document's bytes; of a file of code, `git:` and what git calls
them."""

Vectors: TypeAlias = npt.NDArray[np.float32]
"""(n, d), each row of length 1, so that an inner product is a cosine."""

Box: TypeAlias = tuple[float, float, float, float]
"""x0, y0, x1, y1 as fractions of the page's width and height, origin top left."""

Attribute: TypeAlias = str | int | float | bool | tuple[str, ...] | None

FILE = "file."
"""How attributes begin that a file brings along by being one: its folder, its time ..."""

ARCHIVE = FILE + "archive"
"""Key of the archive that a document was unpacked from."""

MEMBERS = FILE + "members"
"""How many files an archive holds."""

WITHIN = "!/"
"""Between an archive and the path in it: `reports.zip!/2024/q1.docx`."""

BlockKind: TypeAlias = Literal[
    "title", "text", "table", "list", "code", "caption", "image", "equation", "header", "footer"
]

InputType: TypeAlias = Literal["passage", "query"]
"""What an embedded text is: some models embed the two differently."""


# --- before and after reading -------------------------------------------------------------------


class Source(Struct, frozen=True):
    """Bytes, what they claim to be, and where they came from; not yet read."""

    key: str
    """The caller's name for it within a collection: a key, URL or relative path with `/`."""
    content: bytes
    media_type: str | None = None
    """As declared by the caller; None when nothing was declared, and readers then sniff."""
    title: str | None = None
    attributes: dict[str, Attribute] = {}

    @property
    def version(self) -> Version:
        return version_of(self.content)


class Line(Struct, frozen=True, array_like=True):
    """One printed line of a block: its span of the document's text and its box on the page."""

    start: int
    end: int
    box: Box


class Doubt(Struct, frozen=True, array_like=True):
    """A word that may have been misread: its span of the document's text."""

    start: int
    end: int
    confidence: float
    """As of `Block`."""


class Block(Struct, frozen=True):
    """A paragraph, heading, table, list, code fence ...: the smallest unit with a kind.

    Blocks are in reading order, do not overlap, and lie within one page where there are pages.
    """

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    """1 to 6 for a heading (`title`), else 0."""
    page: int | None = None
    """Number of its page, from 1."""
    box: Box | None = None
    confidence: float | None = None
    """The reader's own estimate from 0 to 1; None where nothing was guessed (a text layer)."""
    lines: tuple[Line, ...] = ()
    doubts: tuple[Doubt, ...] = ()
    """Of a page that was recognized, by engines that tell."""
    place: str | None = None
    """Where it stands, in the format's own words: `Sales!A1:F40`."""


class Page(Struct, frozen=True):
    """One page, slide, sheet or image: its number from 1, its span, and how it was read."""

    number: int
    start: int
    end: int
    reader: str
    """What read it: `text-layer`, `rapidocr`, `tesseract`, a provider's model id ..."""
    reason: str
    """Why that reader: "sound text layer", "no text layer", ..."""
    width: float | None = None
    height: float | None = None
    """In points (1/72 inch) for PDF, in pixels for images."""
    confidence: float | None = None
    name: str | None = None
    """Of a sheet, a slide's title, a file within an archive, an attachment."""


class Document(Struct, frozen=True):
    """A source after reading: one text, and spans of it."""

    key: str
    version: Version
    media_type: str
    title: str
    text: str
    blocks: tuple[Block, ...] = ()
    pages: tuple[Page, ...] = ()
    """Empty where the format has none (markdown, text, HTML); citations then give lines."""
    attributes: dict[str, Attribute] = {}


class Survey(Struct, frozen=True):
    """A document as far as it can be read without OCR. Its text may be empty."""

    document: Document
    unread: tuple[int, ...] = ()
    """Numbers of the pages that OCR has to read; they have no text yet."""


class Chunk(Struct, frozen=True):
    """A span small enough to embed, made of whole blocks where possible.

    `document.text[start:end] == text` always.
    """

    start: int
    end: int
    text: str
    tokens: int
    """Of `embedded_text`, by the collection's own tokenizer."""
    heading_path: tuple[str, ...] = ()
    """Headings above it, outermost first."""
    pages: tuple[int, ...] = ()
    lines: tuple[int, int] | None = None
    """First and last line of the source text, from 1; None where there are pages."""
    context: str = ""
    """Text repeated from elsewhere in the document when a block had to be split (a table's
    header row, a code fence's opening line): embedded and searched, never part of `text`."""


def embedded_text(chunk: Chunk, title: str) -> str:
    """What stands for a chunk in both indexes: document title, heading path, context, text.

    Embedded without title and headings, an evidence page of MMLongBench was among five hits in
    0.747 and not 0.795, CLAPnq had 0.986 and not 0.987, XQuAD in English 0.976 and not 0.979
    nDCG@10. A heading that opens the chunk's own text stands in it twice; once measures the same.
    """
    headings = [h for h in (title, *chunk.heading_path) if h]
    distinct = [h for i, h in enumerate(headings) if h not in headings[:i]]
    return "\n".join(part for part in (" > ".join(distinct), chunk.context, chunk.text) if part)


# --- what is kept -------------------------------------------------------------------------------


IndexState: TypeAlias = Literal["building", "ready"]
"""`building` while it lacks documents; only one that is ready can be made to serve."""


class Collection(Struct, frozen=True):
    """Documents searched together, seen through one of their indexes: the one that serves, unless
    another is asked for."""

    id: CollectionId
    name: str
    embedding_model: str | None
    """None where no model could be loaded: the collection is searched by words alone."""
    dimension: int | None
    chunk_tokens: int
    """No chunk's embedded text has more, by the model's own tokenizer."""
    dense_weight: float
    """Share of the dense leg in fusion, 0 to 1, set by the self-check."""
    documents: int = 0
    chunks: int = 0
    """In the index that serves."""
    created_at: str = ""
    index: IndexId = IndexId("")
    """Whose model, chunks and weight these are; a search asks this one from start to end."""


class IndexSummary(Struct, frozen=True):
    """One way in which a collection is cut and embedded: several may be kept side by side."""

    id: IndexId
    collection: str
    embedding_model: str | None
    dimension: int | None
    chunk_tokens: int
    chunker: str
    """The algorithm that cuts, and its options."""
    state: IndexState
    serves: bool
    """Whether questions are answered from it; exactly one does."""
    documents: int
    """That it has."""
    documents_total: int
    """That it should have."""
    chunks: int
    dense_weight: float
    created_at: str


class CodePlace(Struct, frozen=True):
    """Where a file of code stands: in which state of which repository."""

    repository: str
    """Its name."""
    repository_id: str
    ref: str
    """As it was indexed; empty for the files as they lie in its folder."""
    commit: str | None
    """None where there is none: a plain folder."""
    dirty: bool
    """Whether the folder's files differ from those of the commit."""
    path: str
    blob: str
    """Git's id of the file's content: `git cat-file blob` shows what was quoted from."""


class Elsewhere(Struct, frozen=True):
    """Another document that holds the same passage."""

    document_id: DocumentId
    key: str


class Hit(Struct, frozen=True):
    """A chunk with a score, higher is better, and how it was found."""

    chunk_id: ChunkId
    document_id: DocumentId
    key: str
    title: str
    score: float
    text: str
    start: int
    end: int
    pages: tuple[int, ...] = ()
    lines: tuple[int, int] | None = None
    heading_path: tuple[str, ...] = ()
    found_by: tuple[str, ...] = ()
    """`dense`, `words`, or both."""
    also: tuple[Elsewhere, ...] = ()
    """Other documents of this collection in which the same passage was found: it is returned
    once."""
    code: CodePlace | None = None
    """Where it is code of a repository, and its document one of its files."""


class Candidate(Struct, frozen=True, gc=False):  # hundreds to a question, and none in a cycle
    """A chunk that at least one leg of the search returned, with what each leg says of it."""

    chunk_id: ChunkId
    dense: float | None = None
    """Cosine with the question, known for every candidate where there is a dense leg."""
    words: float | None = None
    """BM25; None where the word index did not return it."""
    dense_rank: int | None = None
    words_rank: int | None = None
    """Ranks from 1; None where that leg did not return it."""
    words_plain: float | None = None
    """BM25 of a chunk of average length that says each of the question's words once, whether there
    is such a chunk or not; the same for all candidates of a question."""


class Ranked(Struct, frozen=True, gc=False):
    """A chunk's place among all candidates, before anything else is known of it."""

    chunk_id: ChunkId
    score: float
    found_by: tuple[str, ...] = ()


class DocumentSummary(Struct, frozen=True):
    """A stored document without its text."""

    id: DocumentId
    collection: str
    key: str
    version: Version
    title: str
    media_type: str
    bytes: int
    characters: int
    pages: int
    pages_ocred: int
    chunks: int
    attributes: dict[str, Attribute] = {}
    created_at: str = ""
    updated_at: str = ""


# --- answers ------------------------------------------------------------------------------------


class Evidence(Struct, frozen=True):
    """One numbered block as the answerer sees it, with all that grounding needs to locate a
    quotation in it. `text == document.text[block.start:block.end]`."""

    label: int
    """From 1, unique within one question; a draft cites it."""
    document_id: DocumentId
    version: Version
    key: str
    title: str
    text: str
    block: Block
    heading_path: tuple[str, ...] = ()
    first_line: int | None = None
    """Line of the document's text on which the block starts, from 1; None where there are pages."""
    score: float = 0.0
    """Of the hit it came from."""
    code: CodePlace | None = None
    """As of `Hit`."""


class Quotation(Struct, frozen=True, forbid_unknown_fields=True):
    """A model's word that `quote` stands in the block numbered `block`. Not yet believed."""

    block: int
    quote: str


class DraftClaim(Struct, frozen=True, forbid_unknown_fields=True):
    text: str
    evidence: tuple[Quotation, ...]


class Draft(Struct, frozen=True, forbid_unknown_fields=True):
    """What an answerer returned, not yet believed."""

    sufficient: bool
    """Whether the blocks answer the question."""
    claims: tuple[DraftClaim, ...]


class Usage(Struct, frozen=True):
    """What one answer cost."""

    model: str
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: str = "0"


Verified: TypeAlias = Literal["exact", "relocated", "near"]
Policy: TypeAlias = Literal["strict", "annotate", "off"]
Outcome: TypeAlias = Literal["answered", "no_evidence", "insufficient", "conflicting"]


class PageBoxes(Struct, frozen=True):
    number: int
    boxes: tuple[Box, ...]
    place: str | None = None
    """As of `Block`: the cells of a sheet."""


class Span(Struct, frozen=True):
    start: int
    end: int
    heading_path: tuple[str, ...] = ()


class Citation(Struct, frozen=True):
    """A quotation found in its source: `document.text[source.start:source.end] == quote`."""

    id: CitationId
    document_id: DocumentId
    version: Version
    key: str
    title: str
    quote: str
    verified: Verified
    source: Span
    pages: tuple[PageBoxes, ...] = ()
    lines: tuple[int, int] | None = None
    confidence: float | None = None
    links: dict[str, str] = {}
    """Where more of it is served."""
    stale: bool = False
    """Whether its document has another text by now: the quotation stood in a former one. For code,
    whether its ref, as it is indexed now, has another file there."""
    code: CodePlace | None = None
    """As of `Hit`; `key` is the path and `lines` are the file's."""


class Claim(Struct, frozen=True):
    """A span of the answer's text, and the citations that carry it."""

    start: int
    end: int
    supported: bool
    citations: tuple[CitationId, ...]


class Looked(Struct, frozen=True):
    """A look that a chat model wanted taken, before there was an answer."""

    verb: str
    """`search`, `open`, `navigate` or `grep`."""
    arguments: str
    """As the model wrote them, JSON as a rule; text alone."""
    found: int
    """Blocks that were not known before."""
    problem: str | None = None
    """Why it came to nothing."""


class Dropped(Struct, frozen=True):
    """Something a draft said that was not believed, and why."""

    text: str
    reason: str


class Answer(Struct, frozen=True):
    """Claims with citations, or a typed refusal."""

    id: AnswerId
    question: str
    outcome: Outcome
    answerer: str
    """`extractive`, or the chat model's id."""
    text: str
    claims: tuple[Claim, ...] = ()
    citations: tuple[Citation, ...] = ()
    dropped: tuple[Dropped, ...] = ()
    conflicts: tuple[tuple[CitationId, ...], ...] = ()
    """Citations of different documents that contradict each other; both sides are in the text."""
    nearest: tuple[Hit, ...] = ()
    """For a refusal: the passages that came nearest."""
    usage: Usage | None = None
    condensed: str | None = None
    """The question as it was understood with what was said before it; None where that changed
    nothing."""
    degraded: str | None = None
    """Why evidence was looked for with less than there should be, as by words alone while no
    question can be embedded; None where it was not."""
    looked: tuple[Looked, ...] = ()
    """What a chat model looked at besides, in the agentic mode."""


class Feedback(Struct, frozen=True):
    """What somebody said of an answer, or of a refusal."""

    helpful: bool
    """Whether it was right: for a refusal, whether nothing answers the question."""
    expected: str | None = None
    """What the answer should have been."""
    right: tuple[CitationId, ...] = ()
    """Citations that do prove it, where not all of them do."""
    note: str | None = None


class Judged(Struct, frozen=True):
    """An answer with what was said of it last."""

    answer: Answer
    feedback: Feedback
    created_at: str


# --- jobs ---------------------------------------------------------------------------------------

Lane: TypeAlias = Literal["direct", "batch"]
"""How a provider is asked: at once, or with much else at half the price and in its own time."""

JobState: TypeAlias = Literal["queued", "running", "succeeded", "failed", "cancelled"]
"""`failed` when at least one item failed or was refused; the others are published all the same."""

ItemState: TypeAlias = Literal[
    "queued",
    "fetching",
    "read",
    "chunked",
    "embedded",
    "indexed",
    "unchanged",
    "refused",
    "failed",
    "superseded",
    "cancelled",
    "visited",
]
"""`indexed` is what the design calls published. `refused`: these bytes cannot become a document,
and trying again changes nothing; `failed`: something around them went wrong; a retry may help;
`superseded`: newer bytes came under the same key before these were begun; `visited`: a site, whose
pages have items of their own."""

FINAL_ITEM_STATES: tuple[ItemState, ...] = (
    "indexed",
    "unchanged",
    "refused",
    "failed",
    "superseded",
    "cancelled",
    "visited",
)


class Failure(Struct, frozen=True):
    """Why an item ended badly: a stable code, the stage, and a sentence a person can act on."""

    code: str
    stage: str
    message: str


class Saved(Struct, frozen=True):
    """What was not paid for because it was known: pages that were read and passages that were
    embedded before, and are used instead of a purchase."""

    pages: int = 0
    tokens: int = 0
    """As our own count has them, rather more than fewer."""
    usd: Decimal = Decimal(0)
    """What these would have cost."""

    def __add__(self, other: Saved) -> Saved:
        return Saved(self.pages + other.pages, self.tokens + other.tokens, self.usd + other.usd)


class IngestItem(Struct, frozen=True):
    """One source of a job, with its state."""

    key: str
    state: ItemState
    document_id: DocumentId | None = None
    error: Failure | None = None
    pages: int = 0
    pages_ocred: int = 0
    chunks: int = 0
    seconds: float = 0.0
    attempts: int = 0
    """Begun so far; more than one where a worker died, or lost it."""


class ItemCounts(Struct, frozen=True):
    total: int
    done: int
    """Nothing is left to do: they are published, or superseded."""
    failed: int


JobKind: TypeAlias = Literal["ingest", "reindex"]


DeliveryState: TypeAlias = Literal["waiting", "due", "delivered", "given_up"]
"""`waiting` for the job's end; `due`: to be sent, now or once more; `given_up`: nobody was told."""


class Delivery(Struct, frozen=True):
    """What became of the message that a job has ended."""

    state: DeliveryState
    attempts: int = 0
    said: str | None = None
    """Why the last attempt failed."""
    next_at: str | None = None
    """When it is sent again."""


class IngestJob(Struct, frozen=True):
    """A request to ingest, or to cut and embed anew what was ingested."""

    id: JobId
    collection: str
    state: JobState
    items: ItemCounts
    kind: JobKind = "ingest"
    index: IndexId | None = None
    """What it builds; None where it ingests."""
    lane: Lane = "direct"
    progress: dict[str, int] = {}
    """Items by state, what was done, and how many items wait for a batch."""
    saved: Saved = Saved()
    spent_usd: Decimal = Decimal(0)
    """What it cost so far; a call without a reply at the most that it may have cost."""
    seconds_left: float | None = None
    """By the pace of its last items; None where too few have ended, or it waits for a batch."""
    last_error: Failure | None = None
    paused: Failure | None = None
    """Why nothing of it is begun at the moment: the provider is down, or refuses the key, or no
    worker runs."""
    webhook: Delivery | None = None
    """Of the message that it has ended; None where nobody asked for one."""
    created_at: str = ""
    finished_at: str | None = None


class Retried(Struct, frozen=True):
    """What became of items that were to be tried again."""

    job: IngestJob
    queued: int
    """Items that wait again."""
    obsolete: int = 0
    """Items left alone, for newer bytes came under their keys since, or what they were for is
    gone."""
    gone: int = 0
    """Items whose bytes are gone; hand them in again."""


Item = TypeVar("Item")


class Listing(Struct, Generic[Item], frozen=True):
    """One page of a list; `next` is an opaque cursor for the page after it."""

    data: tuple[Item, ...]
    has_more: bool = False
    next: str | None = None


# --- identity -----------------------------------------------------------------------------------


def version_of(content: bytes) -> Version:
    return Version("sha256:" + hashlib.sha256(content).hexdigest())


def derived_id(prefix: str, *parts: str) -> str:
    """`prefix_` and 24 hex digits of SHA-256 over the parts: the same parts, the same id, on any
    machine. 96 bits make a collision among a billion ids less likely than one in 10^10."""
    joined = "\x1f".join(parts).encode()
    return f"{prefix}_{hashlib.sha256(joined).hexdigest()[:24]}"


def file_id(repository: str, path: str) -> DocumentId:
    """Of a file of code, in whatever state.

    Args:
        repository: its id.
    """
    return DocumentId(derived_id("file", repository, path))


def document_id(collection: CollectionId, key: str) -> DocumentId:
    return DocumentId(derived_id("doc", collection, key))
