"""A query -> the ways in which its question is asked."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from rag.domain import Usage, Vectors
from rag.questions.reading import Reading, literal, read
from rag.questions.wrapping import unwrapped
from rag.retrieval.chatting import ChatModels, rephrased
from rag.retrieval.queries import Query

Role: TypeAlias = Literal["question", "part", "variant"]


class Wording(Struct, frozen=True):
    """One way to ask."""

    role: Role
    text: str
    """That is embedded."""
    words: str
    """That the word index is asked for."""


class Understood(Struct, frozen=True):
    """A question, and all that is to be asked."""

    reading: Reading
    wordings: tuple[Wording, ...]
    """The question as a whole comes first."""
    hypothesis: str = ""
    """What an answer might look like; empty where nobody wrote one."""
    usage: Usage | None = None
    degraded: str | None = None

    @property
    def texts(self) -> list[str]:
        """All that is embedded."""
        texts = [wording.text for wording in self.wordings]
        return [*texts, self.hypothesis] if self.hypothesis else texts


async def understand(query: Query, chat: ChatModels) -> Understood:
    """
    Raises:
        InvalidRequest: a chat model is asked for, and none is configured.
    """
    if not (query.history or query.expand):
        return _understood(_reading(query))
    written, usage, degraded = await rephrased(query, chat)
    if written is None:
        return replace(_understood(_reading(query)), degraded=degraded)
    reading = _reading(replace(query, text=written.question))
    variants = [Wording("variant", each, unwrapped(each)) for each in written.variants]
    own = _understood(reading)
    return Understood(reading, (*own.wordings, *variants), written.passage, usage)


def vectors_of(understood: Understood, embedded: Mapping[str, Vectors]) -> tuple[Vectors, ...]:
    """One for each wording, of length 1. The question's lies in the middle between its own and
    that of the hypothesis (HyDE; Gao and others, ACL 2023, who take the mean as well), so that a
    wrong guess does not lead away from what was asked."""
    own, *others = [embedded[wording.text] for wording in understood.wordings]
    if understood.hypothesis:
        between = own + embedded[understood.hypothesis]
        own = (between / np.linalg.norm(between)).astype(np.float32)
    return (own, *others)


def _reading(query: Query) -> Reading:
    return literal(query.text) if query.literal else read(query.text)


def _understood(reading: Reading) -> Understood:
    whole = Wording("question", reading.text, reading.words)
    parts = [Wording("part", part, unwrapped(part)) for part in reading.parts]
    return Understood(reading, (whole, *parts))
