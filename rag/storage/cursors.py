"""Cursors of lists: opaque to callers, and refused when they are not ours."""

import base64
import binascii

import msgspec

from rag.errors import InvalidRequest

MAX_LIMIT = 100


def cursor(*position: str | int) -> str:
    """Stands for the place after the row that sorts at `position`."""
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).decode().rstrip("=")


def position(after: str | None, *types: type[str] | type[int]) -> tuple[str | int, ...] | None:
    """What a cursor stands for; None for the start of the list.

    Raises:
        InvalidRequest: not a cursor of such a list.
    """
    if after is None:
        return None
    try:
        raw = base64.urlsafe_b64decode(after + "=" * (-len(after) % 4))
        found = msgspec.json.decode(raw, type=tuple[str | int, ...])
    except (ValueError, binascii.Error, msgspec.DecodeError) as error:
        raise InvalidRequest("`after` is not a cursor of this list") from error
    if tuple(type(part) for part in found) != types:
        raise InvalidRequest("`after` is not a cursor of this list")
    return found


def checked_limit(limit: int) -> int:
    """
    Raises:
        InvalidRequest: not within 1 to `MAX_LIMIT`.
    """
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidRequest(f"`limit` is {limit}, but must be 1 to {MAX_LIMIT}")
    return limit
