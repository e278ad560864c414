"""The story of a page: its address -> what is there now -> a source, known by that address."""

import asyncio

import msgspec
from msgspec import Struct

from rag.domain import Attribute, Collection, DocumentSummary, Source, version_of
from rag.errors import Conflict, InvalidRequest, NotFound
from rag.sources.web.addresses import WebAddress, parse_address
from rag.sources.web.crawling import Bounds
from rag.sources.web.fetching import Fetched, Fetcher, Validators
from rag.storage.library import Library
from rag.storage.queueing import ToFetch
from rag.storage.sources import MAX_KEY

URL, ETAG, LAST_MODIFIED = OWN = ("web_url", "web_etag", "web_last_modified")
"""Attributes of a fetched document: where it was found in the end, and what its site can tell by
whether it has changed."""

CRAWL = "crawl:"
"""How the keys of sites begin."""

UNKNOWN = Validators()


class Trip(Struct, frozen=True):
    """Where to, as an item keeps it until it is made."""

    url: str
    crawl: Bounds | None = None
    """How far to go from there; None where that page alone is wanted."""


def written(trip: Trip) -> str:
    return msgspec.json.encode(trip).decode()


def trip_of(fetch: str) -> Trip:
    return msgspec.json.decode(fetch, type=Trip)


def page_to_fetch(wanted: "Wanted") -> ToFetch:
    """
    Raises:
        AddressRefused: that is no address.
        InvalidRequest: the address is too long for a key.
    """
    key = wanted.key or key_of(parse_address(wanted.url))
    return ToFetch(key, written(Trip(wanted.url)), wanted.title, wanted.attributes)


def site_to_crawl(url: str, bounds: Bounds, attributes: dict[str, Attribute]) -> ToFetch:
    """Known by another key than its first page.

    Raises:
        AddressRefused: that is no address.
        InvalidRequest: the address is too long for a key.
    """
    key = CRAWL + key_of(parse_address(url))
    return ToFetch(key, written(Trip(url, bounds)), None, attributes)


class Wanted(Struct, frozen=True):
    """A page or file to fetch, and what is said of it."""

    url: str
    key: str | None = None
    """The address in its normal form where None."""
    title: str | None = None
    attributes: dict[str, Attribute] = {}


async def fetch(
    wanted: Wanted, within: Collection, *, fetcher: Fetcher, library: Library
) -> Source:
    """What is at the address. A page that its site calls unchanged is not sent again: then it is
    what the collection has.

    Raises:
        AddressRefused: nothing is fetched from there.
        DocumentTooLarge: it has more bytes than the limit.
        FetchFailed: it is not there, or not in time.
        InvalidRequest: the address is too long for a key.
    """
    address = parse_address(wanted.url)
    key = wanted.key or key_of(address)
    stored = None
    if key in (str(address), wanted.url):  # another name may be that of another page
        stored = await asyncio.to_thread(library.documents.find_by_key, within, key)
    fetched = await fetcher.fetch(address, _validators_of(stored))
    if fetched is None and stored is not None:
        content, media_type = await asyncio.to_thread(_content, stored, library)
        own = {name: stored.attributes[name] for name in OWN if name in stored.attributes}
        return Source(key, content, media_type, wanted.title, wanted.attributes | own)
    assert fetched is not None, "a site that was told of no version calls none unchanged"
    told = wanted.attributes | _told(fetched, stored)
    return Source(key, fetched.content, fetched.media_type, wanted.title, told)


def key_of(address: WebAddress) -> str:
    key = str(address)
    if len(key) > MAX_KEY:
        raise InvalidRequest(f"the address is longer than a key can be ({MAX_KEY:,}): give a 'key'")
    return key


def _content(stored: DocumentSummary, library: Library) -> tuple[bytes, str]:
    try:
        return library.documents.content(stored.id)
    except NotFound as error:
        raise Conflict("the document was deleted while it was fetched; hand it in again") from error


def page_source(
    key: str, fetched: Fetched, stored: DocumentSummary | None, attributes: dict[str, Attribute]
) -> Source:
    """What a crawl found under an address."""
    told = attributes | _told(fetched, stored)
    return Source(key, fetched.content, fetched.media_type, None, told)


def told_of(fetched: Fetched) -> dict[str, Attribute]:
    """Attributes of a document that was fetched."""
    told: dict[str, Attribute] = {URL: str(fetched.address)}
    if fetched.validators.etag:
        told[ETAG] = fetched.validators.etag
    if fetched.validators.last_modified:
        told[LAST_MODIFIED] = fetched.validators.last_modified
    return told


def _told(fetched: Fetched, stored: DocumentSummary | None) -> dict[str, Attribute]:
    """A validator that changes alone is no news, and would make a new version of a document."""
    known = _validators_of(stored)
    if known and stored and stored.version == version_of(fetched.content):
        fetched = msgspec.structs.replace(fetched, validators=known)
    return told_of(fetched)


def _validators_of(stored: DocumentSummary | None) -> Validators | None:
    if stored is None:
        return None
    etag, last_modified = (stored.attributes.get(name) for name in (ETAG, LAST_MODIFIED))
    known = Validators(
        etag if isinstance(etag, str) else None,
        last_modified if isinstance(last_modified, str) else None,
    )
    return None if known == UNKNOWN else known
