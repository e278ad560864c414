"""The answers that were given, and their citations."""

from rag.domain import Answer, AnswerId, Citation, CitationId, Feedback, Judged, Listing
from rag.storage import answers
from rag.storage.database import Database
from rag.storage.feedback import keep_feedback, list_feedback


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

    def judge(self, id: AnswerId, feedback: Feedback) -> Judged:
        """
        Raises:
            NotFound: no such answer.
            InvalidRequest: it names a citation that the answer does not have.
        """
        with self._database.write() as session:
            return keep_feedback(session, id, feedback)

    def judged(self, *, limit: int = 20, after: str | None = None) -> Listing[Judged]:
        """Answers that something was said of, oldest first."""
        with self._database.read() as session:
            return list_feedback(session, limit=limit, after=after)

    def citation(self, id: CitationId) -> Citation:
        with self._database.read() as session:
            return answers.find_citation(session, id)
