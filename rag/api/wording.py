"""Questions out of passages, by the chat model: what an evaluation set is made of."""

import asyncio
from decimal import Decimal
from typing import Annotated

from litestar import Controller, Response, post
from litestar.di import NamedDependency
from litestar.params import FromPath, JSONBody, QueryParameter
from msgspec import Meta, Struct

from rag.domain import Usage
from rag.evaluation.wording import Worded
from rag.wiring import Services


class Passages(Struct, frozen=True, forbid_unknown_fields=True):
    passages: Annotated[
        tuple[Annotated[str, Meta(min_length=1, max_length=10_000)], ...],
        Meta(min_length=1, max_length=20),
    ]


class WordedQuestions(Struct, frozen=True):
    data: tuple[Worded | None, ...]
    """One for each passage; null where what the model said cannot be believed."""
    usage: tuple[Usage, ...]
    """Of each call."""


class WordingPrice(Struct, frozen=True):
    model: str
    usd: Decimal
    """At most."""


class WordingController(Controller):
    path = "/v1/collections/{collection:str}/questions"
    tags = ["Search"]

    @post(status_code=200)
    async def word(
        self,
        collection: FromPath[str],
        data: JSONBody[Passages],
        services: NamedDependency[Services],
        dry_run: Annotated[bool, QueryParameter(description="Only tell the price.")] = False,
    ) -> Response[WordedQuestions | WordingPrice]:
        """Let the chat model word a question for each passage, one call each.

        A question comes with the passage's own words that answer it, and with one on the same
        subject that the passage does not answer. 422 where no chat model is configured.
        """
        within = await asyncio.to_thread(services.library.collections.find, collection)
        if dry_run:
            model, usd = services.wording_price(data.passages)
            return Response(WordingPrice(model, usd))
        said = await services.word_questions(data.passages, within)
        worded = tuple(each for each, _ in said)
        return Response(WordedQuestions(worded, tuple(usage for _, usage in said)))
