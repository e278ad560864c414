"""The derived indexes that this process has open: those of every index version, so that one that
is made to serve is warm by then."""

import shutil
import threading
from pathlib import Path

from rag.domain import IndexId
from rag.errors import IndexGone
from rag.storage.database import Database
from rag.storage.derived import DerivedIndexes
from rag.storage.indexversions import IndexVersion, all_versions, find_version
from rag.storage.texts import Texts

OF_A_DOCUMENT = 20_000
"""Operations that whoever publishes a document applies before it is acknowledged: more than the
longest has chunks. Where more are missing, an index is being built anew."""

UNINDEXED = 16  # operations that the next search may find still to be applied; 100 took it 40 ms


class OpenIndexes:
    """Safe to use from many threads."""

    def __init__(self, database: Database, folder: Path, library_id: str, texts: Texts) -> None:
        self._database = database
        self._folder = folder
        self._library_id = library_id
        self._texts = texts
        self._opening = threading.Lock()
        self._open: dict[IndexId, DerivedIndexes] = {}

    def of(self, index: IndexId) -> DerivedIndexes:
        """
        Raises:
            IndexGone: it was dropped, here or by another process.
        """
        with self._opening:
            known = self._open.get(index)
            if known is not None and not self._database.is_shared:
                return known  # nobody else could have dropped it
            try:
                with self._database.read() as session:
                    version = find_version(session, index)
            except IndexGone:
                self._remove(index)
                raise
            return known or self._opened(version)

    def follow(self, index: IndexId) -> None:
        """What whoever published a document does before it is acknowledged.

        Raises:
            IndexGone: it was dropped, here or by another process.
        """
        self.of(index).follow(lag=UNINDEXED, most=OF_A_DOCUMENT)

    def now(self) -> tuple[DerivedIndexes, ...]:
        """Those that are open."""
        with self._opening:
            return tuple(self._open.values())

    def all(self) -> tuple[DerivedIndexes, ...]:
        """Opened where they are not, and closed where another process dropped them."""
        with self._opening:  # read within: one that is dropped meanwhile is removed after this
            with self._database.read() as session:
                versions = {version.index: version for version in all_versions(session)}
            for gone in self._open.keys() - versions.keys():
                self._remove(gone)
            return tuple(
                self._open.get(index) or self._opened(version)
                for index, version in versions.items()
            )

    def remove(self, index: IndexId) -> None:
        """With its files."""
        with self._opening:
            self._remove(index)

    def close(self) -> None:
        """Saves what is worth saving."""
        with self._database.read() as session:
            kept = {version.index for version in all_versions(session)}
        with self._opening:
            for index, indexes in list(self._open.items()):
                if index in kept:
                    indexes.close()
                else:
                    self._remove(index)
            self._open.clear()

    def tidy(self) -> None:
        """Removes files that no index version is to have: what a crash left of one dropped."""
        with self._database.read() as session:
            kept = {str(version.id) for version in all_versions(session)}
        for folder in self._folder.glob("*/*"):
            if folder.name.rpartition("-")[2] not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def _opened(self, version: IndexVersion) -> DerivedIndexes:
        indexes = DerivedIndexes(
            self._database, self._folder, self._library_id, version, self._texts
        )
        self._open[version.index] = indexes
        return indexes

    def _remove(self, index: IndexId) -> None:
        known = self._open.pop(index, None)
        if known is not None:
            known.remove()
