"""Bodies that bring documents -> sources."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Literal, TypeAlias

import msgspec
from litestar import Request
from litestar.datastructures import State
from msgspec import Meta, Struct

from rag.api.bodies import parse_json
from rag.api.forms import Form, Spools, receive_body, receive_form
from rag.api.keys import normalized_key
from rag.api.problems import Refused
from rag.domain import Source, version_of
from rag.errors import InvalidRequest
from rag.sources.web.crawling import Bounds
from rag.storage.spooling import Handed, Upload

UploadRequest: TypeAlias = Request[object, object, State]

Whole: TypeAlias = Annotated[int, Meta(ge=-(2**53), le=2**53)]
"""Integers that every JSON reader and every database keeps exactly."""
Name: TypeAlias = Annotated[str, Meta(min_length=1, max_length=200)]
Text: TypeAlias = Annotated[str, Meta(max_length=10_000)]
Attributes: TypeAlias = Annotated[
    dict[Name, Text | Whole | float | bool | tuple[Text, ...] | None], Meta(max_length=100)
]
"""What a caller says of a document, and filters by: `{"year": 2020, "tags": ["a", "b"]}`."""
Title: TypeAlias = Annotated[str, Meta(min_length=1, max_length=1_000)]


class About(Struct, frozen=True, forbid_unknown_fields=True):
    """What a caller says of one file of a form."""

    title: Title | None = None
    attributes: Attributes = {}


UNDECLARED = frozenset({"", "application/octet-stream"})
"""Media types that say nothing."""


class Places:
    """Room for so many uploads at a time, since each may occupy disk to the limit."""

    def __init__(self, n: int, what: str = "uploads") -> None:
        self._free = n
        self._what = what

    @contextmanager
    def taken(self) -> Iterator[None]:
        """
        Raises:
            Refused: 503 when all places are taken.
        """
        if self._free == 0:
            raise Refused(
                503,
                f"too_many_{self._what}",
                f"too many {self._what} at a time; send it again",
                retry_after=1,
            )
        self._free -= 1
        try:
            yield
        finally:
            self._free += 1


class PutText(Struct, frozen=True, forbid_unknown_fields=True):
    """A document given as text."""

    text: Annotated[str, Meta(min_length=1)]
    title: Title | None = None
    attributes: Attributes = {}
    media_type: Literal["text/markdown", "text/plain", "text/html"] = "text/markdown"


class NewDocument(Struct, frozen=True, forbid_unknown_fields=True):
    """A document given as text, or by its address."""

    text: Annotated[str, Meta(min_length=1)] | None = None
    url: Annotated[str, Meta(min_length=1)] | None = None
    """Of a page or file on the public internet, or where the operator allows it."""
    crawl: Bounds | None = None
    """Also what that page links to on its host and below its folder, or what that sitemap lists, as
    far as robots.txt and these bounds allow. Every page is a document under its own address."""
    key: str | None = None
    """A name for it within the collection; where it is missing, the address in its normal form, or
    made from the text."""
    title: Title | None = None
    attributes: Attributes = {}
    media_type: Literal["text/markdown", "text/plain", "text/html"] = "text/markdown"
    """Of the text."""


async def read_new(request: UploadRequest, spools: Spools) -> tuple[Handed, ...] | NewDocument:
    """The documents of a POST: one or many files of a form, or one text; or what was said of an
    address, from which they are still to be fetched.

    Raises:
        Refused: neither a form nor JSON, or a malformed one.
        InvalidRequest: a key is missing, impossible, or given twice.
    """
    media_type, _ = request.content_type
    if media_type == "multipart/form-data":
        return _uploads(await receive_form(request, spools))
    if media_type == "application/json":
        given = parse_json(await request.body(), NewDocument)
        if given.url is None:
            if given.crawl is not None:
                raise InvalidRequest("a crawl begins at a 'url'")
            return (_text_source(given),)
        if given.text is not None:
            raise InvalidRequest("a document has a 'text' or a 'url', not both")
        if given.crawl is not None and (given.key or given.title):
            raise InvalidRequest("the pages of a site have keys and titles of their own")
        return given
    raise Refused(
        415,
        "unsupported_media_type",
        "documents come as multipart/form-data with files, or as application/json with a text or"
        f" a url; not as {media_type or 'a body of unnamed type'}",
    )


async def read_put(request: UploadRequest, key: str, spools: Spools) -> Handed:
    """The document of a PUT: JSON with a text, or the bytes of a file.

    A JSON file that is itself the document comes by POST, as a file of a form.
    """
    media_type, _ = request.content_type
    if media_type == "application/json":
        given = parse_json(await request.body(), PutText)
        content = given.text.encode()
        return Source(key, content, given.media_type, given.title, dict(given.attributes))
    body = await receive_body(request, spools)
    if not body.size:
        raise InvalidRequest("the body is empty: there is no document in it")
    return Upload(key, body, declared(media_type))


def _text_source(given: NewDocument) -> Source:
    if given.text is None:
        raise InvalidRequest("there is no 'text' to read, and no 'url' to fetch")
    content = given.text.encode()
    digest = version_of(content).removeprefix("sha256:")
    key = normalized_key(f"text-{digest[:16]}" if given.key is None else given.key)
    return Source(key, content, given.media_type, given.title, dict(given.attributes))


def _uploads(form: Form) -> tuple[Upload, ...]:
    keys = _distinct([normalized_key(file.name) for file in form.files])
    said = _said(form.fields, keys)
    return tuple(
        Upload(key, file.content, declared(file.media_type), said[key].title, said[key].attributes)
        for key, file in zip(keys, form.files, strict=True)
    )


def _said(fields: dict[str, str], keys: list[str]) -> dict[str, About]:
    """Of each file: `title` and `attributes` hold for all, and `about` for one by its key."""
    if unknown := sorted(set(fields) - {"title", "attributes", "about"}):
        raise InvalidRequest(
            f"the form has a field {unknown[0]!r}; besides files it may have 'title', 'attributes'"
            " and 'about' (a file needs a file name)"
        )
    if "title" in fields and len(keys) > 1:
        raise InvalidRequest("one title cannot be that of several files: send them one by one")
    title = parse_json(msgspec.json.encode(fields["title"]), Title) if "title" in fields else None
    attributes = parse_json(fields.get("attributes", "{}").encode(), Attributes)
    about = {
        normalized_key(key): said
        for key, said in parse_json(fields.get("about", "{}").encode(), dict[str, About]).items()
    }
    if strange := sorted(set(about) - set(keys)):
        raise InvalidRequest(f"'about' tells of {strange[0]!r}, which is no file of the form")
    own = {key: about.get(key, About()) for key in keys}
    return {
        key: About(said.title or title, {**attributes, **said.attributes})
        for key, said in own.items()
    }


def _distinct(keys: list[str]) -> list[str]:
    if not keys:
        raise InvalidRequest("the form holds no file")
    twice = sorted({key for key in keys if keys.count(key) > 1})
    if twice:
        raise InvalidRequest(f"two files of the form have the key {twice[0]!r}")
    return keys


def declared(media_type: str) -> str | None:
    """Without its parameters; None where it says nothing, so that readers sniff."""
    bare = media_type.partition(";")[0].strip().lower()
    return None if bare in UNDECLARED else bare
