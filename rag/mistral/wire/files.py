"""`/v1/files`."""

from typing import Literal, TypeAlias

from msgspec import Struct

Purpose: TypeAlias = Literal["ocr", "batch"]


class FileCard(Struct, frozen=True):
    id: str
    bytes: int | None = None
    """Null in the published samples, though the contract has it always."""
    filename: str = ""
    purpose: str = ""
    created_at: int = 0
    """Seconds since 1970."""
    expires_at: int | None = None


class SignedUrl(Struct, frozen=True):
    url: str


class DeletedFile(Struct, frozen=True):
    id: str
    deleted: bool = True
