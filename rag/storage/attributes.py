"""Attributes as they are stored: JSON, where a list is what a tuple was."""

from typing import Any

import msgspec

from rag.domain import Attribute


def attributes_of(stored: dict[str, Any]) -> dict[str, Attribute]:
    return msgspec.convert(stored, dict[str, Attribute])
