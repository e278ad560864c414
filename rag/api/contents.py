"""One document read back: what it is, its text, its pages, its original bytes."""

from typing import Annotated
from urllib.parse import quote

from litestar import Controller, Response, delete, get
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter
from msgspec import Struct

from rag.api.listing import DEFAULT_LIMIT, After, Limit
from rag.domain import Document, DocumentId, DocumentSummary, IngestItem, Listing, Version
from rag.errors import NotFound
from rag.wiring import Services

Dpi = Annotated[int, QueryParameter(ge=36, le=300, description="Dots per inch, 36 to 300.")]
DEFAULT_DPI = 150  # small print is readable, and an A4 page stays below 1 MB


class PageText(Struct, frozen=True):
    """One page of a document: its span of the document's text, and how it was read."""

    document_id: DocumentId
    version: Version
    number: int
    start: int
    end: int
    text: str
    reader: str
    reason: str
    width: float | None
    height: float | None
    confidence: float | None


class ContentsController(Controller):
    path = "/v1/documents/{document:str}"
    tags = ["Documents"]

    @get(sync_to_thread=True)
    def show(self, document: FromPath[str], services: NamedDependency[Services]) -> DocumentSummary:
        """Show a document without its text."""
        return services.library.documents.find(DocumentId(document))

    @delete(sync_to_thread=True)
    def remove(self, document: FromPath[str], services: NamedDependency[Services]) -> None:
        """Delete a document; no search finds it once the call returned. What was unpacked from an
        archive goes with it."""
        services.library.documents.delete(DocumentId(document))

    @get("/members", sync_to_thread=True)
    def members(
        self,
        document: FromPath[str],
        services: NamedDependency[Services],
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Listing[IngestItem]:
        """List the files of an archive, by key: how each ended when it came last, and why it was
        refused. None of what is no archive."""
        return services.library.documents.members(DocumentId(document), limit=limit, after=after)

    @get("/text", sync_to_thread=True)
    def text(
        self,
        document: FromPath[str],
        services: NamedDependency[Services],
        version: Annotated[
            str | None, QueryParameter(description="`sha256:…`; the current one if left out.")
        ] = None,
    ) -> Document:
        """Read a document's text, with its blocks and pages as spans of it in code points."""
        wanted = None if version is None else Version(version)
        return services.library.documents.text(DocumentId(document), wanted)

    @get("/pages/{number:int}", sync_to_thread=True)
    def page(
        self, document: FromPath[str], number: FromPath[int], services: NamedDependency[Services]
    ) -> PageText:
        """Read one page's text."""
        read = services.library.documents.text(DocumentId(document))
        return _page(DocumentId(document), read, number)

    @get("/pages/{number:int}/image", media_type="image/png")
    async def page_image(
        self,
        document: FromPath[str],
        number: FromPath[int],
        services: NamedDependency[Services],
        dpi: Dpi = DEFAULT_DPI,
    ) -> bytes:
        """Show one page as a picture (PNG)."""
        return await services.render_page(DocumentId(document), number, dpi)

    @get("/content", sync_to_thread=True)
    def content(
        self, document: FromPath[str], services: NamedDependency[Services]
    ) -> Response[bytes]:
        """Download the original bytes. Browsers are told to save them, never to show them."""
        summary = services.library.documents.find(DocumentId(document))
        content, media_type = services.library.documents.content(summary.id)
        name = quote(summary.key.rsplit("/", 1)[-1])
        headers = {
            "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
            "Content-Security-Policy": "default-src 'none'; sandbox",
        }
        return Response(content, media_type=media_type, headers=headers)


def _page(document: DocumentId, read: Document, number: int) -> PageText:
    """
    Raises:
        NotFound: it has no such page.
    """
    page = next((page for page in read.pages if page.number == number), None)
    if page is None:
        there = f"pages 1 to {len(read.pages)}" if read.pages else "no pages"
        raise NotFound(f"document {document} has {there}, not {number}")
    return PageText(
        document,
        read.version,
        number,
        page.start,
        page.end,
        read.text[page.start : page.end],
        page.reader,
        page.reason,
        page.width,
        page.height,
        page.confidence,
    )
