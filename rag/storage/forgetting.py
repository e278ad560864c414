"""Removing the original bytes that nothing uses any more."""

from collections.abc import Sequence

from rag.domain import Version
from rag.storage.archives.backup import Backups
from rag.storage.blobs import Blobs
from rag.storage.database import Database
from rag.storage.retrying import unused_versions
from rag.storage.texts import Texts


class Forgetting:
    """What follows the transaction that removes a document."""

    def __init__(self, database: Database, blobs: Blobs, backups: Backups, texts: Texts) -> None:
        self._database = database
        self._blobs = blobs
        self._backups = backups
        self._texts = texts

    def forget(self, versions: Sequence[Version]) -> None:
        """Removes bytes that nothing uses, and every text from memory."""
        self._texts.forget()
        with self._database.alone() as session:
            # asked again, for a job may have come for the same bytes; none can come while this
            # transaction is open
            unused = unused_versions(session, versions)
            if self._backups.postpone(unused):
                return
            for version in unused:
                self._blobs.remove(session, version)
