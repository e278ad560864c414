"""Times as they are stored and shown."""

from datetime import UTC, datetime


def now() -> str:
    """RFC 3339 in UTC with microseconds: always 27 characters, so times sort as text."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
