"""The story of an archive: bytes -> the files in it, each a document of its own.

They are queued in the archive's own job, under keys below the archive's, and each has its own
state, reason and type from then on. What they had before and the archive has no more is deleted.
Last, the archive becomes a document too, whose text tells what is in it: no search finds that, but
it is listed, it is known as unchanged when it comes again, and what is in it goes when it goes.

All of it is looked through before anything is queued: an archive that is damaged, locked or too
large is refused as a whole, and leaves nothing. Safe to repeat: what waits in the job already is
not queued again.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from pathlib import PurePosixPath
from time import perf_counter

import msgspec
import numpy as np

from rag.chunking.markdown import blocks
from rag.domain import (
    ARCHIVE,
    FILE,
    MEMBERS,
    WITHIN,
    Attribute,
    Collection,
    Document,
    DocumentSummary,
    Failure,
    Source,
)
from rag.errors import EmptyDocument, IndexesChanged, InvalidDocument
from rag.ingestion import refusal_of
from rag.ports import Member, Readers, Unpacker
from rag.sources.found import EXTENSION, FOLDER, ROOT
from rag.storage.claims import ClaimedItem
from rag.storage.library import Library
from rag.storage.publishing import Edition
from rag.storage.sources import is_key

PARCEL = 16 * 1024 * 1024
"""Bytes of files that are queued together."""
PARCEL_FILES = 100


async def members_of(
    source: Source, *, unpacker: Unpacker, readers: Readers, library: Library
) -> tuple[Member, ...] | None:
    """What is in an archive; None of what is no archive.

    Raises:
        InvalidDocument: it is damaged, locked, empty or too large; now, or when it was looked
            into last.
    """
    reader = readers[source.media_type or ""]
    fingerprint = await asyncio.to_thread(getattr, reader, "fingerprint")
    kept = await asyncio.to_thread(library.purchases.reading, source.version, fingerprint)
    if isinstance(kept, Failure):
        raise refusal_of(kept)
    try:
        members = await unpacker.members(source)
        if members == ():
            raise EmptyDocument("there is no file in this archive")
    except InvalidDocument as error:
        reason = Failure(error.code, "read", str(error))
        await asyncio.to_thread(library.purchases.keep_reading, source.version, fingerprint, reason)
        raise
    return members


async def take_apart(
    archive: Source,
    members: Sequence[Member],
    claimed: ClaimedItem,
    *,
    unpacker: Unpacker,
    library: Library,
) -> DocumentSummary:
    """Queues the files of an archive, deletes those that it has no more, and publishes its
    account.

    Raises:
        Conflict: the item was cancelled meanwhile.
    """
    began = perf_counter()
    within = claimed.collection
    async for parcel in _parcels(unpacker.unpack(archive)):
        sources = [_of_its_own(each, archive) for each in parcel if is_key(each.key)]
        await asyncio.to_thread(library.jobs.queue, within, sources, job=claimed.job_id)
    await asyncio.to_thread(library.jobs.advance, claimed, "read")
    there = frozenset(archive.key + each.path for each in members)
    await asyncio.to_thread(library.documents.remove_members, within.id, archive.key, but=there)
    account = _account(archive, members)
    while True:
        views = await asyncio.to_thread(library.indexes.views, within.id)
        try:
            return await asyncio.to_thread(
                library.documents.publish,
                views[0],
                account,
                (),
                _nothing(views[0]).vectors,
                claimed=claimed,
                seconds=perf_counter() - began,
                others={view.index: _nothing(view) for view in views[1:]},
            )
        except IndexesChanged:  # one was begun meanwhile
            continue


async def _parcels(files: AsyncIterator[Source]) -> AsyncIterator[list[Source]]:
    parcel: list[Source] = []
    size = 0
    async for each in files:
        parcel.append(each)
        size += len(each.content)
        if size >= PARCEL or len(parcel) == PARCEL_FILES:
            yield parcel
            parcel, size = [], 0
    if parcel:
        yield parcel


def _of_its_own(member: Source, archive: Source) -> Source:
    """With what was said of the archive, but what the archive brings along by being a file."""
    said = {name: value for name, value in archive.attributes.items() if not name.startswith(FILE)}
    own: dict[str, Attribute] = {
        ROOT: archive.attributes.get(ROOT),
        ARCHIVE: archive.key,
        FOLDER: member.key.rpartition("/")[0].removesuffix("!"),
        EXTENSION: PurePosixPath(member.key).suffix.removeprefix(".").lower() or None,
    }
    known = {name: value for name, value in own.items() if value is not None}
    return msgspec.structs.replace(member, title=None, attributes=said | known)


def _account(archive: Source, members: Sequence[Member]) -> Document:
    name = archive.title or PurePosixPath(archive.key).name or archive.key
    lines = [f"# {name}", "", f"{len(members):,} files:", ""]
    for each in members:
        path = each.path.removeprefix(WITHIN).encode(errors="replace").decode().replace("\n", " ")
        note = "" if is_key(archive.key + each.path) else ", left out: its name cannot be kept"
        lines.append(f"- {path} ({each.size:,} bytes{note})")
    text = "\n".join(lines).replace("\0", "") + "\n"
    return Document(
        key=archive.key,
        version=archive.version,
        media_type=archive.media_type or "application/octet-stream",
        title=name,
        text=text,
        blocks=blocks(text),
        attributes=archive.attributes | {MEMBERS: len(members)},
    )


def _nothing(view: Collection) -> Edition:
    """No chunk: what is told of an archive answers no question."""
    if view.dimension is None:
        return Edition((), None)
    return Edition((), np.zeros((0, view.dimension), np.float32))
