"""Removing the original bytes that nothing uses any more."""

from collections.abc import Sequence

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from rag.domain import Version
from rag.storage.archives.backup import Backups
from rag.storage.blobs import Blobs
from rag.storage.database import Database
from rag.storage.locking import insert_new
from rag.storage.retrying import unused_versions
from rag.storage.tables import RemovalRow
from rag.storage.texts import Texts

AT_ONCE = 500
"""Removed in one transaction, while nobody writes; databases take some thousands of values."""


class Forgetting:
    """What follows the transaction that removes a document."""

    def __init__(self, database: Database, blobs: Blobs, backups: Backups, texts: Texts) -> None:
        self._database = database
        self._blobs = blobs
        self._backups = backups
        self._texts = texts

    @staticmethod
    def note(session: Session, versions: Sequence[Version]) -> None:
        """To be called in the transaction that takes their last owner: a crash before `forget`
        leaves nothing behind."""
        insert_new(session, RemovalRow, [{"sha256": each} for each in sorted(set(versions))])

    def forget(self, versions: Sequence[Version]) -> None:
        """Removes bytes that nothing uses, and every text from memory."""
        self._texts.forget()
        for start in range(0, len(versions), AT_ONCE):
            self._remove(versions[start : start + AT_ONCE])

    def finish(self) -> None:
        """Removes what was noted by a process that is gone."""
        with self._database.read() as session:
            noted = session.scalars(select(RemovalRow.sha256)).all()
        self.forget([Version(each) for each in noted])

    def _remove(self, versions: Sequence[Version]) -> None:
        with self._database.alone() as session:
            # asked again, for a job may have come for the same bytes; none can come while this
            # transaction is open
            unused = unused_versions(session, versions)
            if self._backups.postpone(unused):
                return
            for version in unused:
                self._blobs.remove(session, version)
            session.execute(delete(RemovalRow).where(RemovalRow.sha256.in_(versions)))
