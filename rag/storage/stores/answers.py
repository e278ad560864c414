"""The answers that were given, and their citations."""

from rag.domain import Answer, AnswerId, Citation, CitationId
from rag.storage import answers
from rag.storage.database import Database


class AnswerStore:
    """Answers; those that quote a deleted document go with it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, answer: Answer) -> None:
        with self._database.write() as session:
            answers.keep_answer(session, answer)

    def find(self, id: AnswerId) -> Answer:
        with self._database.read() as session:
            return answers.find_answer(session, id)

    def citation(self, id: CitationId) -> Citation:
        with self._database.read() as session:
            return answers.find_citation(session, id)
