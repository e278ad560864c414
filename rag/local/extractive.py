"""The answerer that needs no chat model: it picks the sentences that answer, and says so."""

from collections.abc import Sequence

from msgspec.structs import replace

from rag.domain import Draft, Evidence, Usage
from rag.grounding.extract import Likeness, compose, is_undecided
from rag.grounding.pieces import Piece, passages, shortlist
from rag.ports import Embedder


class ExtractiveAnswerer:
    """Port `Answerer`: sentences of the evidence, word for word, or a refusal."""

    name = "extractive"

    def __init__(self, embedder: Embedder | None) -> None:
        """
        Args:
            embedder: scores sentences by meaning; without one, words alone decide.
        """
        self._embedder = embedder

    async def draft(self, question: str, evidence: Sequence[Evidence]) -> tuple[Draft, Usage]:
        """
        Raises:
            ProviderError: an embedder at a provider failed for good.
        """
        pieces = shortlist(question, evidence)
        likeness = None
        if self._embedder is not None and pieces:
            likeness = await _likeness(question, pieces, evidence, embedder=self._embedder)
        return compose(question, pieces, likeness), Usage(model=self.name)


async def _likeness(
    question: str, pieces: Sequence[Piece], evidence: Sequence[Evidence], *, embedder: Embedder
) -> Likeness:
    [asked] = await embedder.embed([question], "query")

    async def cosines(texts: Sequence[str]) -> tuple[float, ...]:
        vectors = await embedder.embed(_fitting(texts, embedder), "passage")
        return tuple(float(cosine) for cosine in vectors @ asked)

    likeness = Likeness(await cosines([piece.in_context for piece in pieces]))
    texts = passages(evidence)
    if texts and is_undecided(question, pieces, likeness):
        return replace(likeness, passages=await cosines(texts))
    return likeness


def _fitting(texts: Sequence[str], embedder: Embedder) -> list[str]:
    """Each text, or as much of its beginning as the embedder takes: here only a likeness is
    wanted, and what is quoted stays whole."""
    fitting = list(texts)
    for n, tokens in enumerate(embedder.count_tokens(fitting)):
        while tokens > embedder.max_tokens:
            # by share of characters, and one in ten more, as tokens are not evenly long
            keep = int(len(fitting[n]) * 0.9 * embedder.max_tokens / tokens)
            fitting[n] = fitting[n][:keep]
            [tokens] = embedder.count_tokens([fitting[n]])
    return fitting
