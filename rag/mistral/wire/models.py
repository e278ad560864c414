"""`GET /v1/models`."""

from msgspec import Struct


class ModelCard(Struct, frozen=True):
    id: str
    aliases: tuple[str, ...] = ()
    deprecation: str | None = None
    """When it goes, as a date and time; None while it stays."""
    deprecation_replacement_model: str | None = None


class ModelList(Struct, frozen=True):
    data: tuple[ModelCard, ...]
