"""Everything that can go wrong, on one page.

RagError
├── NotFound                 no such collection, document, job, answer or citation
│   └── IndexGone                the index of a collection was dropped; another serves
├── Conflict                 the request contradicts what is stored
│   └── IndexesChanged           an index was begun since the work was; it lacks what that needs
├── InvalidRequest           the request itself is wrong (a filter, a name, a number out of range)
│   └── AddressRefused           a web address is none, or nothing is fetched from there
├── InvalidSettings          a setting is misspelt or impossible; the service does not start
├── InvalidDocument          these bytes cannot become a document, however often they are tried
│   ├── EmptyDocument            nothing in it to search
│   ├── EncryptedDocument        a password is needed
│   ├── UnsupportedMediaType     no reader for this kind of file
│   └── DocumentTooLarge         beyond a limit on bytes, pages, pixels, time or memory
├── FetchFailed              a site did not send its page
├── LibraryInUse             another process owns this SQLite library
├── OutOfSpace               too little disk is free for what makes the library grow
├── BackupRefused            an archive is damaged, or not one of ours
├── SchemaTooNew             a newer version of the service wrote this library
├── BudgetExhausted          a paid call would exceed a budget, and was not made
├── ModelUnavailable         an embedded model is missing or not the one we know
├── ReaderUnavailable        a parser, or an OCR engine, does not start on this machine
└── ProviderError            a model provider failed us
    ├── ProviderRefused          it says the request or the key is wrong; a retry will not help
    │   ├── InputRefused             it takes all of many texts but some
    │   └── KeyRefused               it takes nothing from this key; all work there must wait
    ├── RateLimited              try again after `retry_after` seconds
    ├── ProviderUnavailable      it is down, or too slow
    └── MalformedReply           it answered, but not in the shape we asked for

An error says what happened in this service's words and, when it can, what to do. Which status
code it deserves is decided in one table, in `rag.api.problems`; `code` is the stable word that
programs may rely on. Messages never carry document text, questions or keys.
"""

from collections.abc import Mapping
from typing import ClassVar

SHOWN = 5  # positions that a message names


class RagError(Exception):
    code: ClassVar[str] = "error"


class NotFound(RagError):
    code = "not_found"


class IndexGone(NotFound):
    code = "index_gone"


class Conflict(RagError):
    code = "conflict"


class IndexesChanged(Conflict):
    code = "indexes_changed"


class InvalidRequest(RagError):
    code = "invalid_request"


class AddressRefused(InvalidRequest):
    code = "address_refused"


class InvalidSettings(RagError):
    code = "invalid_settings"


class InvalidDocument(RagError):
    code = "unreadable_document"


class EmptyDocument(InvalidDocument):
    code = "empty_document"


class EncryptedDocument(InvalidDocument):
    code = "encrypted_document"


class UnsupportedMediaType(InvalidDocument):
    code = "unsupported_media_type"


class DocumentTooLarge(InvalidDocument):
    code = "document_too_large"


class FetchFailed(RagError):
    code = "fetch_failed"

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        retry_after: float | None = None,
        is_passing: bool = False,
    ) -> None:
        super().__init__(message)
        self.is_passing = is_passing
        """Whether it may be otherwise in a minute."""
        self.status = status
        """That the site answered with, if it did."""
        self.retry_after = retry_after
        """Seconds, as the site stated them."""


class LibraryInUse(RagError):
    code = "library_in_use"


class OutOfSpace(RagError):
    code = "out_of_space"


class BackupRefused(RagError):
    code = "backup_refused"


class SchemaTooNew(RagError):
    code = "schema_too_new"


class IndexRebuilding(RagError):
    code = "index_rebuilding"


class ModelUnavailable(RagError):
    code = "model_unavailable"


class ReaderUnavailable(RagError):
    code = "reader_unavailable"


class BudgetExhausted(RagError):
    code = "budget_exhausted"


class ProviderError(RagError):
    code = "provider_error"

    def __init__(self, provider: str, message: str) -> None:
        super().__init__(f"{provider}: {message}")
        self.provider = provider


class ProviderRefused(ProviderError):
    code = "provider_refused"


class InputRefused(ProviderRefused):
    """Some of many inputs have no value. All others have one, which was bought and kept."""

    code = "provider_refused_input"

    def __init__(self, provider: str, reasons: Mapping[int, ProviderError], among: int) -> None:
        positions = list(reasons)
        shown = ", ".join(map(str, positions[:SHOWN])) + (", ..." if positions[SHOWN:] else "")
        first = next(iter(reasons.values()))
        super().__init__(provider, f"takes all of {among} texts but {shown}: {first}")
        self.positions = tuple(positions)
        """Of the refused inputs among those given, from 0."""
        self.reasons = dict(reasons)
        """Why, by position."""


class KeyRefused(ProviderRefused):
    code = "provider_key_refused"


class RateLimited(ProviderError):
    code = "provider_rate_limited"

    def __init__(self, provider: str, *, retry_after: float) -> None:
        super().__init__(provider, f"asks us to wait {retry_after:g} s")
        self.retry_after = retry_after
        """Seconds to wait, as the provider stated them."""


class ProviderUnavailable(ProviderError):
    code = "provider_unavailable"


class MalformedReply(ProviderError):
    code = "provider_malformed_reply"
