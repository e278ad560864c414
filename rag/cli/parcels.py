"""Files -> what is sent of them, in forms of several."""

import hashlib
import mimetypes
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TypeAlias

from rag.cli.outcomes import Outcome, Told
from rag.sources.folder import Found

MOST_FILES = 16
MOST_BYTES = 16 * 1024 * 1024
"""Of a parcel of more than one file."""

Parcel: TypeAlias = list[tuple[str, bytes]]
"""Keys and bytes."""


def parcels(files: Sequence[Found], known: Mapping[str, str], hear: Told) -> Iterator[Parcel]:
    """The files that must be sent; tells of those that need not or cannot.

    Args:
        known: the bytes, as SHA-256, that are there under each key.
    """
    parcel: Parcel = []
    size = 0
    for found in files:
        try:
            content = found.path.read_bytes()
        except OSError as error:
            hear(Outcome(found.key, "failed", "unreadable_file", str(error.strerror or error)))
            continue
        if known.get(found.key) == "sha256:" + hashlib.sha256(content).hexdigest():
            hear(Outcome(found.key, "unchanged"))
            continue
        if parcel and (len(parcel) == MOST_FILES or size + len(content) > MOST_BYTES):
            yield parcel
            parcel, size = [], 0
        parcel.append((found.key, content))
        size += len(content)
    if parcel:
        yield parcel


def form_of(parcel: Iterable[tuple[str, bytes]]) -> list[tuple[str, tuple[str, bytes, str]]]:
    """The files as a form has them."""
    return [("file", (key, content, _media_type(key))) for key, content in parcel]


def _media_type(key: str) -> str:
    return mimetypes.guess_type(key)[0] or "application/octet-stream"
