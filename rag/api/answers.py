"""Answers with quotations, and the citations that prove them."""

import asyncio
from functools import partial
from typing import Annotated

from litestar import Controller, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from litestar.response import ServerSentEvent
from msgspec import Meta, Struct

from rag.answering import Mode, Question
from rag.api.contents import DEFAULT_DPI, Dpi
from rag.api.events import LastEvent
from rag.api.linking import linked, linked_answer
from rag.api.narration import EventStream, afterwards, as_it_happens, number_of
from rag.api.problems import HttpRequest, problem_of, request_id_of
from rag.domain import Answer, AnswerId, Citation, CitationId, Collection, Policy
from rag.gathering import Within
from rag.questions.exploring import Limits
from rag.questions.rephrasing import MAX_TURNS, Turn
from rag.ranking.filters import Filter
from rag.retrieval.chatting import Price
from rag.trees import Repository
from rag.wiring import DEFAULT_COLLECTION, Services


class Ask(Struct, frozen=True, forbid_unknown_fields=True):
    question: Annotated[str, Meta(min_length=1, max_length=10_000)]
    collections: Annotated[tuple[str, ...], Meta(min_length=1, max_length=20)] | None = None
    """Names or ids; `default` where neither these nor repositories are given."""
    repositories: Annotated[tuple[str, ...], Meta(max_length=20)] = ()
    """Names or ids: the answer may quote their code, beside the documents of the collections."""
    ref: str | None = None
    """Of the repositories; what was indexed last where none is given."""
    filter: Filter | None = None
    """Only documents whose attributes match; code is narrowed by `lang:` and `path:` in the
    question."""
    verification: Policy = "strict"
    """`strict` drops what the sources do not support, `annotate` keeps and marks it, `off` keeps
    it unmarked. Quotations that are not in their source are dropped always."""
    k: Annotated[int, Meta(ge=1, le=50)] = 10
    """How many passages to look at."""
    stream: bool = False
    """Tell it as it happens, as server-sent events: each claim once it is proven."""
    history: Annotated[tuple[Turn, ...], Meta(max_length=MAX_TURNS)] = ()
    """What was said before, oldest first: a chat model makes the question stand by itself."""
    rerank: bool = False
    """Let a chat model put the candidates in order, in one call."""
    mode: Mode = "direct"
    """`agentic` lets a chat model look further before it answers: it may search again, open
    documents, see their headings and look for words, within what is asked and this filter."""
    limits: Limits = Limits()
    """Of looking further."""

    def asked(self) -> Question:
        return Question(
            self.question,
            self.filter,
            self.verification,
            self.k,
            self.history,
            self.rerank,
            self.ref,
            self.mode,
            self.limits,
        )


class AnswersController(Controller):
    path = "/v1"
    tags = ["Answers"]

    @post("/answers", status_code=200)
    async def ask(
        self, request: HttpRequest, data: JSONBody[Ask], services: NamedDependency[Services]
    ) -> Answer | ServerSentEvent:
        """Answer a question with quotations found in documents, in code, or in both, or refuse and
        say why.

        With `stream` it is told as server-sent events: `answer.created`, a `retrieval.looked` for
        each look that a chat model wanted taken, `retrieval.completed`, then each claim as an
        `answer.delta` after the `citation.added` that prove it, `claim.flagged` for what was not
        believed, and `answer.completed` with the same object as without; or `error` with a problem
        document. To hang up gives the question up.
        """
        question = data.asked()
        services.answer_price(question)  # which refuses what cannot be asked here
        within = await asyncio.to_thread(_named, services, data)
        repositories = [each for each in within if isinstance(each, Repository)]
        await services.refresher.reconcile(repositories, data.ref)
        if not data.stream:
            return linked_answer(await services.answer(question, within))
        path, id = request.scope["path"], request_id_of(request.scope)
        told = partial(problem_of, path=path, request_id=id)
        return EventStream(as_it_happens(question, within, services, told))

    @post("/answers/price", status_code=200, sync_to_thread=False)
    def price(self, data: JSONBody[Ask], services: NamedDependency[Services]) -> Price:
        """Show what an answer would cost at most, beyond embedding its question; nothing is
        sent."""
        return services.answer_price(data.asked())

    @get("/answers/{answer:str}/events", media_type="text/event-stream")
    async def events(
        self, answer: FromPath[str], services: NamedDependency[Services], last: LastEvent = None
    ) -> ServerSentEvent:
        """Tell a complete answer once more as its stream did, after the event `Last-Event-ID`."""
        made = await asyncio.to_thread(services.library.answers.find, AnswerId(answer))
        return ServerSentEvent(afterwards(made, number_of(last)))

    @get("/answers/{answer:str}", sync_to_thread=True)
    def show(self, answer: FromPath[str], services: NamedDependency[Services]) -> Answer:
        """Show an answer that was given before."""
        return linked_answer(services.library.answers.find(AnswerId(answer)))

    @get("/citations/{citation:str}", sync_to_thread=True)
    def citation(self, citation: FromPath[str], services: NamedDependency[Services]) -> Citation:
        """Show a citation: the quotation and where it stands in its source."""
        return linked(services.library.answers.citation(CitationId(citation)))

    @get("/citations/{citation:str}/image", media_type="image/png")
    async def citation_image(
        self,
        citation: FromPath[str],
        services: NamedDependency[Services],
        page: Annotated[
            int | None, QueryParameter(description="The first on which it stands if left out.")
        ] = None,
        dpi: Dpi = DEFAULT_DPI,
    ) -> bytes:
        """Show the quotation where it stands: the strip of its page, marked (PNG)."""
        return await services.render_citation(CitationId(citation), page, dpi)


def _named(services: Services, asked: Ask) -> Within:
    """Each collection and repository once, also where it is named twice or by name and by id."""
    library = services.library
    default = () if asked.repositories else (DEFAULT_COLLECTION,)
    names = default if asked.collections is None else asked.collections
    found: list[Collection | Repository] = [library.collections.find(name) for name in names]
    found += [library.code.find(name) for name in asked.repositories]
    return list({each.id: each for each in found}.values())
