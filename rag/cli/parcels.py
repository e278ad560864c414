"""Files -> what is sent of them, in forms of several."""

import asyncio
import json
import mimetypes
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import TypeAlias

import msgspec
from msgspec import Struct

from rag.cli.outcomes import Outcome, Told
from rag.domain import Attribute, Failure, Version
from rag.sources.found import EXTENSION, FOLDER, MODIFIED, ROOT, Found
from rag.sources.hashes import Hashes

MOST_FILES = 16
MOST_BYTES = 16 * 1024 * 1024
"""Of a parcel of more than one file."""

LARGEST = 1024 * 1024 * 1024
"""Bytes of a file that is sent at all: it is held in memory, and no service takes so much."""

LOOKED_AT = 128  # files hashed before the first of them is sent


class Known(Struct, frozen=True):
    """What the collection has under a key."""

    version: Version
    title: str
    attributes: dict[str, Attribute] = {}
    pages: int = 0
    chunks: int = 0


class Wanting(Struct, frozen=True):
    """A file that the collection has not, or not like this."""

    found: Found
    version: Version
    size: int


Parcel: TypeAlias = tuple[Wanting, ...]
RefusedBefore: TypeAlias = Callable[[Sequence[Wanting]], Awaitable[Sequence[Failure | None]]]
"""Why the same bytes were refused, and would be again."""


async def none_refused(wanting: Sequence[Wanting]) -> Sequence[Failure | None]:
    return [None] * len(wanting)


async def parcels(
    files: Sequence[Found],
    known: Mapping[str, Known],
    hear: Told,
    *,
    hashes: Hashes,
    refused_before: RefusedBefore = none_refused,
) -> AsyncIterator[Parcel]:
    """The files that must be sent; tells of those that need not or cannot."""
    for start in range(0, len(files), LOOKED_AT):
        some = files[start : start + LOOKED_AT]
        judged = await asyncio.to_thread(lambda: [_judged(each, known, hashes) for each in some])  # noqa: B023  (awaited here)
        wanting = [each for each in judged if isinstance(each, Wanting)]
        failures = await refused_before(wanting) if wanting else ()
        refused = {
            each.found.key: Outcome(each.found.key, "refused", failure.code, failure.message)
            for each, failure in zip(wanting, failures, strict=True)
            if failure is not None
        }
        for outcome in (*refused.values(), *(o for o in judged if isinstance(o, Outcome))):
            hear(outcome)
        for parcel in packed([each for each in wanting if each.found.key not in refused]):
            yield parcel


def packed(wanting: Sequence[Wanting]) -> list[Parcel]:
    parcels: list[list[Wanting]] = []
    room = 0
    for each in wanting:
        if not parcels or len(parcels[-1]) == MOST_FILES or each.size > room:
            parcels.append([])
            room = MOST_BYTES
        parcels[-1].append(each)
        room -= each.size
    return [tuple(parcel) for parcel in parcels]


def form_of(parcel: Parcel, hear: Told) -> list[tuple[str, tuple[str | None, bytes, str]]]:
    """The files, read now, and what is known of each; tells of those that cannot be read."""
    form: list[tuple[str, tuple[str | None, bytes, str]]] = []
    about: dict[str, dict[str, object]] = {}
    for each in parcel:
        found = each.found
        try:
            content = found.path.read_bytes()
            attributes = attributes_of(found)
        except OSError as error:
            hear(_unreadable(found, error))
            continue
        form.append(("file", (found.key, content, media_type_of(found))))
        about[found.key] = {"title": found.title} if found.title else {}
        about[found.key]["attributes"] = attributes
    if form:
        form.append(("about", (None, json.dumps(about).encode(), "application/json")))
    return form


def attributes_of(found: Found) -> dict[str, Attribute]:
    """What the file itself says, and above that, what somebody wrote down of it.

    Raises:
        OSError: it is gone.
    """
    own: dict[str, Attribute] = {
        ROOT: found.root,
        FOLDER: found.key.rpartition("/")[0] or None,
        EXTENSION: PurePosixPath(found.key).suffix.removeprefix(".").lower() or None,
        MODIFIED: _modified(found.path),
    }
    return {key: value for key, value in own.items() if value is not None} | dict(found.attributes)


def media_type_of(found: Found) -> str:
    guessed = mimetypes.guess_type(found.key)[0] or mimetypes.guess_type(found.path.name)[0]
    return guessed or "application/octet-stream"


def _modified(path: Path) -> str | None:
    try:
        at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
    except (ValueError, OverflowError):  # before the year 1, or after 9999
        return None
    return at.isoformat(timespec="seconds").replace("+00:00", "Z")


def _judged(found: Found, known: Mapping[str, Known], hashes: Hashes) -> Outcome | Wanting:
    try:
        size = found.path.stat().st_size
        if size > LARGEST:
            reason = f"{size:,} bytes are too large; at most {LARGEST:,} are sent"
            return Outcome(found.key, "refused", "document_too_large", reason)
        version = hashes.version_of(found.path)
    except OSError as error:
        return _unreadable(found, error)
    there = known.get(found.key)
    if there is not None and _is_there(found, version, there):
        return Outcome(found.key, "unchanged", pages=there.pages, chunks=there.chunks)
    return Wanting(found, version, size)


def _is_there(found: Found, version: Version, there: Known) -> bool:
    """What was written down of it too; when the file was changed last, if it holds the same, does
    not matter."""
    return (
        there.version == version
        and found.title in (None, there.title)
        and all(_same(there.attributes.get(key), own) for key, own in found.attributes.items())
    )


def _same(one: Attribute, other: Attribute) -> bool:
    """In Python true is 1."""
    return msgspec.json.encode(one) == msgspec.json.encode(other)


def _unreadable(found: Found, error: OSError) -> Outcome:
    return Outcome(found.key, "failed", "unreadable_file", str(error.strerror or error))
