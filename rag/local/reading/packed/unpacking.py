"""An archive -> the files in it, one at a time, each to become a document of its own."""

from collections.abc import Iterator

from rag.domain import WITHIN
from rag.errors import DocumentTooLarge, InvalidDocument
from rag.local.reading import media
from rag.local.reading.packed.archives import Member, tar_members, unpacked, zip_members
from rag.local.reading.packed.containers import is_document
from rag.local.reading.packed.zips import Zip
from rag.local.reading.task import Task


def unpack(content: bytes, media_type: str, task: Task) -> Iterator[Member]:
    """Files of archives within it as well, below the path of theirs. What is no archive is its
    own only file, with an empty path.

    Raises:
        InvalidDocument: it is damaged, or encrypted.
        DocumentTooLarge: it unpacks to more than is allowed.
    """
    yield from _unpack(Member("", content), media_type, task, depth=0)


def _unpack(member: Member, media_type: str, task: Task, depth: int) -> Iterator[Member]:
    inner = _members(member, media_type, task, depth)
    if inner is None:
        yield member
        return
    if depth >= task.limits.depth:
        raise DocumentTooLarge(f"files are packed in one another more than {depth} deep")
    for each in inner:
        below = Member(f"{member.path}{WITHIN}{each.path}", each.content)
        yield from _unpack(below, _kind(below), task, depth + 1)


def _members(member: Member, media_type: str, task: Task, depth: int) -> Iterator[Member] | None:
    """None of what is no archive: a file that was compressed alone is none."""
    if media_type == media.ZIP:
        archive = Zip(member.content, task.allowance)
        return None if is_document(archive) else zip_members(archive)
    if media_type == media.TAR:
        return tar_members(member.content, task)
    if media_type in (media.GZIP, media.BZIP2, media.XZ):
        inner = unpacked(Member(member.path or task.name, member.content), media_type, task)
        if _kind(inner) == media.TAR:
            return tar_members(inner.content, task)
        return iter((inner,)) if depth or _kind(inner) == media.ZIP else None
    return None


def _kind(member: Member) -> str:
    """What cannot be read is refused when it is read, under its own key."""
    try:
        return media.sniff(member.content, None, member.path)
    except InvalidDocument:
        return ""
