"""What of a source can be kept: checked before anything is."""

import math
from collections.abc import Sequence

from rag.domain import Attribute
from rag.errors import InvalidRequest
from rag.storage.attributes import is_storable
from rag.storage.spooling import Handed

MAX_KEY = 1_024  # characters
MAX_ATTRIBUTES = 100  # of one document
LARGEST_INTEGER = 2**63 - 1  # what a database column holds


def check_sources(sources: Sequence[Handed]) -> None:
    """
    Raises:
        InvalidRequest: a key or attribute that cannot be kept.
    """
    for source in sources:
        if not is_key(source.key):
            raise InvalidRequest(
                f"a document's key is 1 to {MAX_KEY:,} characters of text, without NUL"
            )
        if not is_storable(source.title or "") or not is_storable(source.media_type or ""):
            raise InvalidRequest(f"title or media type of {source.key!r} is not text")
        if len(source.attributes) > MAX_ATTRIBUTES:
            raise InvalidRequest(f"{source.key!r} has more than {MAX_ATTRIBUTES} attributes")
        for name, value in source.attributes.items():
            if not is_storable(name) or not _can_be_kept(value):
                raise InvalidRequest(f"an attribute of {source.key!r} cannot be kept: {name!r}")


def is_key(key: str) -> bool:
    """Whether a document can be known by it."""
    return 1 <= len(key) <= MAX_KEY and is_storable(key)


def _can_be_kept(value: Attribute) -> bool:
    match value:
        case str():
            return is_storable(value)
        case tuple():
            return all(is_storable(part) for part in value)
        case float():
            return math.isfinite(value)
        case int():
            return abs(value) <= LARGEST_INTEGER
        case None:
            return True
