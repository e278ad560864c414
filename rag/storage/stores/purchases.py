"""What was paid for, so that nothing is bought twice: readings and vectors."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from rag.domain import Collection, Document, Failure, InputType, Saved, Survey, Vectors, Version
from rag.storage import embeddings, readings, savings
from rag.storage.database import Database


class PurchaseStore:
    """Readings by bytes and reader; vectors by model and text."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def reading(self, version: Version, fingerprint: str) -> Document | Failure | None:
        """What a reader made of these bytes before, with the key, title and attributes of then."""
        with self._database.read() as session:
            return readings.find_reading(session, version, fingerprint)

    def refusals(self, versions: Sequence[Version], fingerprint: str) -> dict[Version, Failure]:
        """Why a reader refused those of the bytes that it refused."""
        with self._database.read() as session:
            return readings.find_refusals(session, versions, fingerprint)

    def keep_reading(self, version: Version, fingerprint: str, result: Document | Failure) -> None:
        with self._database.write() as session:
            readings.keep_reading(session, version, fingerprint, result)

    def survey(self, version: Version, fingerprint: str) -> Survey | None:
        """How far these bytes were read, for an item that waits for OCR from a batch."""
        with self._database.read() as session:
            return readings.find_survey(session, version, fingerprint)

    def keep_in_passing(
        self, version: Version, fingerprint: str, result: Document | Survey
    ) -> None:
        """A reading that any parser could make again, until the item ends that it is for."""
        with self._database.write() as session:
            readings.keep_in_passing(session, version, fingerprint, result)

    def embeddings(
        self, model: str, input_type: InputType, texts: Sequence[str]
    ) -> dict[str, npt.NDArray[np.float32]]:
        """Vectors of those texts that were embedded before."""
        with self._database.read() as session:
            return embeddings.known_embeddings(session, model, input_type, texts)

    def keep_embeddings(
        self, model: str, input_type: InputType, texts: Sequence[str], vectors: Vectors
    ) -> None:
        with self._database.write() as session:
            embeddings.keep_embeddings(session, model, input_type, texts, vectors)

    def worth_of(self, collection: Collection, keys: Sequence[str]) -> dict[str, Saved]:
        """What these documents were worth to a provider when they were made; those of which it is
        not known, or which are not there, are missing."""
        with self._database.read() as session:
            return savings.worth_of(session, collection.id, keys)
