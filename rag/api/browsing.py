"""Reading on in a collection: a document from a place, its headings, where words stand."""

import asyncio
from typing import Annotated

from litestar import Controller, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct

from rag.browsing import grepping
from rag.browsing.grepping import Match
from rag.browsing.opening import Opened, Place
from rag.browsing.outlines import Outline
from rag.browsing.verbs import WHOLE, Pattern, Scope
from rag.errors import InvalidRequest
from rag.ranking.filters import Filter
from rag.storage.cursors import cursor, position
from rag.verbatim.needles import LONGEST
from rag.wiring import Services

Named = Annotated[str, Meta(min_length=1, max_length=2_000)]
"""Id or key of a document."""
At = Annotated[int, Meta(ge=0, lt=2**31)]
PageNumber = Annotated[int, Meta(ge=1, lt=2**31)]


class Open(Struct, frozen=True, forbid_unknown_fields=True):
    document: Named
    """Id or key, as hits and citations have them."""
    at: At | None = None
    """A character of its text, as `start` of a hit or citation; the beginning if left out."""
    page: PageNumber | None = None
    """Instead of a character: the beginning of this page."""
    max_tokens: Annotated[int, Meta(ge=50, le=50_000)] = 1_000
    """How much of it; whole blocks are returned, and one of them at least."""
    before: Annotated[float, Meta(ge=0.0, le=0.9)] = 0.0
    """Share of that for what stands before the place."""
    filter: Filter | None = None
    """Only a document whose attributes match."""


class Navigate(Struct, frozen=True, forbid_unknown_fields=True):
    document: Named
    """Id or key."""
    at: At | None = None
    """A character of its text: the headings around and under it. All if left out."""
    page: PageNumber | None = None
    """Instead of a character: the beginning of this page."""
    depth: Annotated[int, Meta(ge=1, le=WHOLE)] = WHOLE
    """Levels of headings."""
    filter: Filter | None = None
    """Only a document whose attributes match."""


class Grep(Struct, frozen=True, forbid_unknown_fields=True):
    pattern: Annotated[str, Meta(min_length=1, max_length=LONGEST)]
    """What is looked for: text as it stands, but that a line may end between any two words."""
    regex: bool = False
    """Take it as a regular expression, matched in each line by itself: without look-around and
    references to groups, so that none takes long. The first match of a line is told."""
    case_sensitive: bool = False
    document: Named | None = None
    """Id or key of the only document to look through."""
    filter: Filter | None = None
    """Only documents whose attributes match."""
    limit: Annotated[int, Meta(ge=1, le=200)] = 50
    """How many matches to return at most."""
    after: Annotated[str, Meta(max_length=5_000)] | None = None
    """`next` of the look before; opaque."""


class Matches(Struct, frozen=True):
    """Where a text or pattern stands, by the documents' keys."""

    data: tuple[Match, ...]
    has_more: bool
    next: str | None
    """Where to go on looking."""
    documents: int
    """That were looked through."""
    timed_out: bool
    """Whether time was up before there were enough; `next` goes on."""


class BrowsingController(Controller):
    path = "/v1/collections/{collection:str}"
    tags = ["Search"]

    @post("/open", status_code=200)
    async def open(
        self, collection: FromPath[str], data: JSONBody[Open], services: NamedDependency[Services]
    ) -> Opened:
        """Read a document from a place on, in whole blocks; `previous` and `next` turn pages."""
        scope = await _scope(collection, data.filter, services)
        place = _place(data.at, data.page) or Place()
        return await services.open(
            data.document, place, scope, max_tokens=data.max_tokens, before=data.before
        )

    @post("/navigate", status_code=200)
    async def navigate(
        self,
        collection: FromPath[str],
        data: JSONBody[Navigate],
        services: NamedDependency[Services],
    ) -> Outline:
        """Show a document's headings, or the section of a place with those around it."""
        scope = await _scope(collection, data.filter, services)
        place = _place(data.at, data.page)
        return await services.navigate(data.document, place, scope, depth=data.depth)

    @post("/grep", status_code=200)
    async def grep(
        self, collection: FromPath[str], data: JSONBody[Grep], services: NamedDependency[Services]
    ) -> Matches:
        """Find where a text or pattern stands in the documents themselves, without any index.

        It ends after two seconds, or with `limit` matches; `next` goes on from there.
        """
        scope = await _scope(collection, data.filter, services)
        pattern = Pattern(data.pattern, data.regex, not data.case_sensitive)
        begin = _begin(data.after)
        found = await services.grep(
            pattern, scope, document=data.document, limit=data.limit, begin=begin
        )
        onward = cursor(found.place.key, found.place.at) if found.place else None
        return Matches(found.matches, onward is not None, onward, found.documents, found.is_late)


async def _scope(collection: str, filter: Filter | None, services: Services) -> Scope:
    return Scope(await asyncio.to_thread(services.library.collections.find, collection), filter)


def _place(at: int | None, page: int | None) -> Place | None:
    """
    Raises:
        InvalidRequest: it is both.
    """
    if at is not None and page is not None:
        raise InvalidRequest("a place is either a character ('at') or a 'page'")
    return None if at is None and page is None else Place(at or 0, page)


def _begin(after: str | None) -> grepping.Place:
    found = position(after, str, int)
    return grepping.Place() if found is None else grepping.Place(str(found[0]), int(found[1]))
