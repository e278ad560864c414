"""Uploaded files, and what batch jobs leave behind."""

import hashlib
import re
import uuid
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from .refusals import refused

LARGEST = 512 * 1024 * 1024  # bytes

HOUR = 3600.0
KEPT = 30 * 24 * HOUR

BLOB = "/fake/blobs"
"""Where signed URLs point to: another place than the API, and no key is wanted there."""

_SIGNED = re.compile(rf"https?://[^/]+{BLOB}/([0-9a-f-]+)\?expires=(\d+)&signature=([0-9a-f]+)")


class StoredFile(Struct):
    id: str
    content: bytes
    filename: str
    purpose: str
    mimetype: str
    created_at: float
    expires_at: float
    has_expiry: bool
    sample_type: str
    source: str
    visibility: str = "workspace"

    def card(self) -> dict[str, Any]:
        is_lines = self.filename.endswith(".jsonl")
        return {
            "id": self.id,
            "object": "file",
            "bytes": len(self.content),
            "created_at": int(self.created_at),
            "filename": self.filename,
            "purpose": self.purpose,
            "sample_type": self.sample_type,
            "source": self.source,
            "num_lines": len(self.content.splitlines()) if is_lines else None,
            "mimetype": self.mimetype,
            "signature": hashlib.md5(self.content, usedforsecurity=False).hexdigest(),
            "expires_at": int(self.expires_at) if self.has_expiry else None,
            "visibility": self.visibility,
        }


class FileStore:
    """Files by id, as long as they last."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._files: dict[str, StoredFile] = {}

    def put(
        self,
        content: bytes,
        filename: str,
        purpose: str,
        mimetype: str,
        *,
        hours: int | None = None,
        sample_type: str = "batch_request",
        source: str = "upload",
        visibility: str = "workspace",
    ) -> StoredFile:
        now = self._now()
        ends = now + (KEPT if hours is None else hours * HOUR)
        file = StoredFile(
            str(uuid.uuid4()),
            content,
            filename,
            purpose,
            mimetype,
            now,
            ends,
            hours is not None,
            sample_type,
            source,
            visibility,
        )
        self._files[file.id] = file
        return file

    def get(self, file_id: str) -> StoredFile:
        """
        Raises:
            Refusal: it never was, was deleted, or has expired.
        """
        file = self._files.get(file_id)
        if file is None or file.expires_at <= self._now():
            raise refused(404, "invalid_file", f"No file matches the given query: {file_id}")
        return file

    def listed(self) -> list[StoredFile]:
        """Newest first."""
        now = self._now()
        return [file for file in reversed(self._files.values()) if file.expires_at > now]

    def delete(self, file_id: str) -> None:
        self.get(file_id)
        del self._files[file_id]

    def sign(self, file_id: str, base_url: str, hours: int) -> str:
        expires = int(self._now() + hours * HOUR)
        signature = _signature(self.get(file_id).id, expires)
        return f"{base_url}{BLOB}/{file_id}?expires={expires}&signature={signature}"

    def behind(self, url: str) -> StoredFile | None:
        """The file that a signed URL stands for; None where the URL is not one of ours."""
        match = _SIGNED.fullmatch(url)
        if match is None:
            return None
        file_id, expires, signature = match.groups()
        if signature != _signature(file_id, int(expires)) or int(expires) <= self._now():
            raise refused(400, "invalid_request_error", "The URL is not valid, or not any more")
        return self.get(file_id)


def _signature(file_id: str, expires: int) -> str:
    return hashlib.sha256(f"{file_id}/{expires}/a secret".encode()).hexdigest()[:32]
