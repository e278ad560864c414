"""Archives -> the files in them, in memory, one at a time.

Nothing is unpacked to disk, so a name cannot lead out of anywhere; links are not followed.
"""

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import PurePosixPath

from msgspec import Struct

from rag.errors import EmptyDocument, InvalidDocument
from rag.local.reading import media
from rag.local.reading.packed.zips import DAMAGED, Counted, Zip
from rag.local.reading.readout import Readout, joined
from rag.local.reading.task import Task

SKIPPED_NAMES = frozenset(("__MACOSX", "Thumbs.db", "desktop.ini"))
"""What systems put into archives of their own accord; so are names that begin with a dot."""
ENDS = {".tgz": ".tar", ".tbz2": ".tar", ".txz": ".tar", ".gz": "", ".bz2": "", ".xz": ""}
UNPACK: dict[str, Callable[[bytes], io.BufferedIOBase]] = {
    media.GZIP: lambda content: gzip.GzipFile(fileobj=io.BytesIO(content)),
    media.BZIP2: lambda content: bz2.BZ2File(io.BytesIO(content)),
    media.XZ: lambda content: lzma.LZMAFile(io.BytesIO(content)),  # noqa: SIM115  # no file is open
}
UNPACKING = (tarfile.TarError, EOFError, OSError, ValueError, lzma.LZMAError, zlib.error)


class Member(Struct, frozen=True):
    path: str
    content: bytes


def zip_members(archive: Zip) -> Iterator[Member]:
    for info in archive.members:
        is_link = stat.S_ISLNK(info.external_attr >> 16)
        path = _path(info.filename)
        if path and not info.is_dir() and not is_link:
            yield Member(path, archive.read(info.filename))


def read_tar(content: bytes, task: Task) -> Readout:
    """
    Raises:
        InvalidDocument: it is damaged, or nothing in it can be read.
    """
    return read_members(tar_members(content, task), task)


def tar_members(content: bytes, task: Task) -> Iterator[Member]:
    """Plain files of an archive, as they stream by."""
    try:
        with tarfile.open(fileobj=io.BytesIO(content), mode="r|") as archive:
            for info in archive:
                task.allowance.enter()
                path = _path(info.name)
                if not info.isreg() or not path:
                    continue
                task.allowance.take(info.size)
                file = archive.extractfile(info)
                yield Member(path, b"" if file is None else file.read())
    except UNPACKING as error:
        raise InvalidDocument(DAMAGED) from error


def read_compressed(content: bytes, media_type: str, task: Task) -> Readout:
    """A single file that was compressed: a TAR archive more often than not.

    Raises:
        InvalidDocument: it is damaged, or what is in it cannot be read.
    """
    member = unpacked(Member(task.name, content), media_type, task)
    part = task.read_part(member.path, member.content, "compressed")
    if part.readout is None:
        raise InvalidDocument(part.reason)
    return part.readout


def unpacked(packed: Member, media_type: str, task: Task) -> Member:
    """The single file in a compressed one, whose name stands in that of the other.

    Raises:
        InvalidDocument: it is damaged.
        DocumentTooLarge: it is larger than what is left to unpack.
    """
    content = packed.content
    stream = Counted(UNPACK[media_type](content), task.allowance, len(content))
    try:
        return Member(_inner_name(packed.path), stream.readall() or b"")
    except UNPACKING as error:
        raise InvalidDocument(DAMAGED) from error


def read_members(members: Iterable[Member], task: Task) -> Readout:
    """All files of an archive as one document, each below its name.

    Raises:
        InvalidDocument: nothing in it can be read.
    """
    parts = [
        task.read_part(member.path, member.content, "a file of the archive") for member in members
    ]
    if not parts:
        raise EmptyDocument("there is no file in this archive")
    if all(part.readout is None for part in parts):
        raise InvalidDocument(
            f"none of the {len(parts)} files in this archive can be read "
            f"({parts[0].name}: {parts[0].reason})"
        )
    return joined(parts)


def _path(name: str) -> str:
    """As a key has it: relative, with `/`, and without steps upward. Empty for what is nobody's
    document."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    if any(part in SKIPPED_NAMES or part.startswith((".", "~$")) for part in parts):
        return ""
    return "/".join(parts)


def _inner_name(name: str) -> str:
    path = PurePosixPath(name)
    end = path.suffix.lower()
    return path.name.removesuffix(path.suffix) + ENDS[end] if end in ENDS else path.name
