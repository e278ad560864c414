"""What the engines of both databases have in common."""

from typing import Any

import msgspec
from sqlalchemy.exc import SQLAlchemyError

OPTIONS: dict[str, Any] = {
    "json_serializer": lambda value: msgspec.json.encode(value).decode(),
    "json_deserializer": msgspec.json.decode,
    "hide_parameters": True,  # parameters are document text, and errors are logged
}


def cause(error: SQLAlchemyError) -> str:
    """In the words of the database, without the statement and its parameters."""
    return str(getattr(error, "orig", None) or type(error).__name__).strip()
