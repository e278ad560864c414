"""What people say of answers."""

from typing import Annotated

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody
from msgspec import Meta, Struct
from msgspec.structs import replace

from rag.api.linking import linked_answer
from rag.api.listing import DEFAULT_LIMIT, After, Limit
from rag.domain import AnswerId, CitationId, Feedback, Judged, Listing
from rag.wiring import Services

Words = Annotated[str, Meta(min_length=1, max_length=5_000)]


class GivenFeedback(Struct, frozen=True, forbid_unknown_fields=True):
    helpful: bool
    """Whether it was right: for a refusal, whether nothing answers the question."""
    expected: Words | None = None
    """What the answer should have been."""
    right: Annotated[tuple[str, ...], Meta(max_length=200)] = ()
    """Ids of the citations that do prove it, where not all of them do."""
    note: Words | None = None

    def given(self) -> Feedback:
        right = tuple(map(CitationId, self.right))
        return Feedback(self.helpful, self.expected, right, self.note)


class FeedbackController(Controller):
    path = "/v1"
    tags = ["Answers"]

    @post("/answers/{answer:str}/feedback", status_code=200, sync_to_thread=True)
    def judge(
        self,
        answer: FromPath[str],
        data: JSONBody[GivenFeedback],
        services: NamedDependency[Services],
    ) -> Judged:
        """Say whether an answer was right, and what it should have been.

        It is kept instead of what was said before, goes with the answer, and is what `rag eval
        make --from-feedback` makes judged questions of.
        """
        return _linked(services.library.answers.judge(AnswerId(answer), data.given()))

    @get("/feedback", sync_to_thread=True)
    def listed(
        self,
        services: NamedDependency[Services],
        limit: Limit = DEFAULT_LIMIT,
        after: After = None,
    ) -> Listing[Judged]:
        """List the answers that something was said of, oldest first."""
        found = services.library.answers.judged(limit=limit, after=after)
        return replace(found, data=tuple(map(_linked, found.data)))


def _linked(judged: Judged) -> Judged:
    return replace(judged, answer=linked_answer(judged.answer))
