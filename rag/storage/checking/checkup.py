"""A check of a whole library, part by part, in a thread of its own while the service goes on."""

import logging
import threading
from collections.abc import Callable
from typing import Literal, TypeAlias

import msgspec
from msgspec import Struct

from rag.errors import Conflict, RagError
from rag.storage.checking.attributes import check_attributes
from rag.storage.checking.code import check_code
from rag.storage.checking.documents import check_chunks, check_counts, check_documents
from rag.storage.checking.files import check_files
from rag.storage.checking.findings import Finding, Findings, Flaw, Holdings, Part
from rag.storage.checking.indexes import check_dense, check_words
from rag.storage.checking.originals import check_originals
from rag.storage.checking.structure import check_database
from rag.storage.checking.vectors import check_vectors
from rag.storage.checking.work import check_jobs, check_ledger
from rag.storage.timestamps import now

log = logging.getLogger(__name__)

PARTS: dict[Part, Callable[[Holdings], Findings]] = {
    "database": check_database,
    "documents": check_documents,
    "chunks": check_chunks,
    "vectors": check_vectors,
    "attributes": check_attributes,
    "counts": check_counts,
    "originals": check_originals,
    "jobs": check_jobs,
    "ledger": check_ledger,
    "files": check_files,
    "dense": check_dense,
    "words": check_words,
    "code": check_code,
}
"""In the order in which they are mended: what is derived comes after what it is derived from."""

PATIENCE = 10.0  # seconds to wait for the part under way when the library is closed

State: TypeAlias = Literal["never", "running", "done", "broken_off"]


class Report(Struct, frozen=True):
    """How far a check is, and what it found."""

    state: State
    repair: bool = False
    """Whether it mends what it finds."""
    part: Part | None = None
    """That is being looked at."""
    done: int = 0
    total: int = len(PARTS)
    """Parts."""
    flaws: tuple[Flaw, ...] = ()
    began_at: str | None = None
    ended_at: str | None = None

    @property
    def is_sound(self) -> bool:
        """Whether all is well now."""
        return self.state == "done" and all(flaw.repaired for flaw in self.flaws)


class Checkup:
    """One check at a time."""

    def __init__(self, held: Holdings) -> None:
        self._held = held
        self._lock = threading.Lock()
        self._report = Report("never")
        self._ending = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def report(self) -> Report:
        """Of the check under way, or of the last one."""
        return self._report

    def begin(self, *, repair: bool) -> Report:
        """Returns at once; `report` says how it goes.

        Raises:
            Conflict: one is under way.
        """
        with self._lock:
            if self._report.state == "running":
                raise Conflict("a check of this library is under way; wait for its end")
            self._report = Report("running", repair, began_at=now())
            self._thread = threading.Thread(target=self._run, name="check", daemon=True)
            self._thread.start()
            return self._report

    def run(self, *, repair: bool = False) -> Report:
        """The same, to its end."""
        self.begin(repair=repair)
        if self._thread is not None:
            self._thread.join()
        return self._report

    def close(self) -> None:
        self._ending.set()
        if self._thread is not None:
            self._thread.join(PATIENCE)

    def _run(self) -> None:
        try:
            for part, check in PARTS.items():
                if self._ending.is_set():
                    self._say(state="broken_off", part=None, ended_at=now())
                    return
                self._say(part=part)
                flaws = self._looked_at(part, check)
                self._say(flaws=self._report.flaws + flaws, done=self._report.done + 1)
            self._say(state="done", part=None, ended_at=now())
        except Exception:
            log.exception("a check failed", extra={"action": "check_failed"})
            self._say(state="broken_off", ended_at=now())

    def _looked_at(self, part: Part, check: Callable[[Holdings], Findings]) -> tuple[Flaw, ...]:
        try:
            # all of them first: what is mended would change what is found
            return tuple([self._judged(finding) for finding in list(check(self._held))])
        except RagError as error:
            remedy = "look at the server's log, and restore the last backup if it stays so"
            return (Flaw(part, f"it cannot be looked at: {error}", remedy, by_hand=True),)

    def _judged(self, finding: Finding) -> Flaw:
        flaw = finding.flaw
        log.warning(
            "a flaw was found", extra={"action": "flaw_found", "part": flaw.part, "what": flaw.what}
        )
        if not self._report.repair or finding.mend is None:
            return flaw
        try:
            finding.mend()
        except RagError as error:
            return msgspec.structs.replace(flaw, remedy=f"it could not be mended: {error}")
        return msgspec.structs.replace(flaw, repaired=True)

    def _say(self, **news: object) -> None:
        self._report = msgspec.structs.replace(self._report, **news)
