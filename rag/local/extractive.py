"""The answerer that needs no chat model: it picks the sentences that answer, and says so."""

from collections.abc import Sequence

from rag.domain import Draft, Evidence, Usage
from rag.grounding.extract import compose, shortlist
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
        cosines = await self._cosines(question, [piece.embedded_text for piece in pieces])
        return compose(question, pieces, cosines), Usage(model=self.name)

    async def _cosines(self, question: str, texts: Sequence[str]) -> list[float] | None:
        if self._embedder is None or not texts:
            return None
        [asked] = await self._embedder.embed([question], "query")
        return [float(c) for c in await self._embedder.embed(texts, "passage") @ asked]
