"""The answerer that needs no chat model: it picks the sentences that answer, and says so."""

from collections.abc import Sequence

from rag.domain import Draft, Evidence, Usage
from rag.grounding.extract import compose
from rag.grounding.likeness import Likeness, likeness
from rag.grounding.pieces import Piece, is_of_one_document, shortlist
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
        near = None
        if self._embedder is not None and pieces:
            near = await nearness(question, pieces, embedder=self._embedder)
        draft = compose(question, pieces, near, within_document=is_of_one_document(evidence))
        return draft, Usage(model=self.name)


async def nearness(question: str, pieces: Sequence[Piece], *, embedder: Embedder) -> Likeness:
    """Of each piece to the question, with the title of its document as its topic."""
    asked = await embedder.embed([question], "query")
    titles = [piece.evidence.title for piece in pieces]
    texts = list(dict.fromkeys([*(piece.in_context for piece in pieces), *titles]))
    vectors = await embedder.embed(_fitting(texts, embedder), "passage")
    place = {text: n for n, text in enumerate(texts)}
    said, topics = (
        vectors[[place[text] for text in each]]
        for each in ([piece.in_context for piece in pieces], titles)
    )
    return likeness(asked, said, topics)


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
