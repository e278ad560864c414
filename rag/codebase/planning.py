"""What indexing a repository would do and cost, before anything of it is kept or sent."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from pathlib import Path

from msgspec import Struct

from rag.codebase.embedding import cards_of, fitted
from rag.codebase.indexing import look_at, reasons, worth_reading
from rag.ports import Embedder, PaidEmbedder
from rag.sources.git.repository import Place
from rag.storage.library import Library
from rag.syntax.cards import card
from rag.syntax.languages import language_of
from rag.trees import LeftOut, Tree, TreeFile

AT_ONCE = 200  # files whose text is in memory


class Foresight(Struct, frozen=True):
    """Files and chunks of one state, and what is still to be bought for it."""

    files: int
    """That are there."""
    searched: int
    left_out: dict[str, int]
    """How many of the others, by the reason."""
    new_files: int
    """Whose content was not known before."""
    chunks: int
    known: int
    """Chunks that have a vector already, or the same text as another."""
    tokens: int
    """To be embedded, for the rest."""
    cost_usd: Decimal
    """0 for a model of our own, and where no price is known."""
    model: str | None
    """None where code is searched by words alone."""


def foresee(
    folder: Path, ref: str | None, *, embedder: Embedder | None, library: Library
) -> Foresight:
    """
    Raises:
        NotFound: no such folder, or no such ref.
    """
    place = Place(folder)
    tree = worth_reading(place.tree(ref))
    pairs = [(file.oid, language_of(file.path)) for file in tree.files]
    kept = library.code.known(pairs)
    new = {pair: file for pair, file in zip(pairs, tree.files, strict=True) if pair not in kept}
    buying = _Buying(embedder, library)
    buying.add_known([each.id for each in kept.values() if each.unwanted is None])
    unwanted = {pair: each.unwanted for pair, each in kept.items()}
    chunks = {pair: each.chunks for pair, each in kept.items()}
    for pair, reason, count in _looked_at(place, new, buying):
        unwanted[pair], chunks[pair] = reason, count
    left_out = [*tree.left_out, *_unwanted(tree, pairs, unwanted)]
    searched = [pair for pair in pairs if unwanted[pair] is None]
    total = sum(chunks[pair] for pair in searched)
    return Foresight(
        len(tree.files) + len(tree.left_out),
        len(searched),
        reasons(left_out),
        len(new),
        total,
        total - buying.texts if embedder else 0,
        buying.tokens,
        buying.cost,
        embedder.model if embedder else None,
    )


class _Buying:
    """Counts what has no vector yet, each text once."""

    def __init__(self, embedder: Embedder | None, library: Library) -> None:
        self._embedder = embedder
        self._library = library
        self._seen: set[str] = set()
        self.tokens = 0

    @property
    def texts(self) -> int:
        return len(self._seen)

    @property
    def cost(self) -> Decimal:
        paid = isinstance(self._embedder, PaidEmbedder)
        return self._embedder.cost(self.tokens) if paid else Decimal(0)  # type: ignore[union-attr]  # as just asked

    def add_known(self, contents: Sequence[int]) -> None:
        if self._embedder is None:
            return
        unembedded = self._library.code.unembedded_contents(self._embedder.model, contents)
        for at in range(0, len(unembedded), AT_ONCE):
            cards = cards_of(unembedded[at : at + AT_ONCE], self._embedder, self._library)
            self._add([text for texts in cards.values() for text in texts])

    def add(self, texts: Sequence[str]) -> None:
        if self._embedder is not None:
            self._add(fitted(texts, self._embedder))

    def _add(self, texts: Sequence[str]) -> None:
        assert self._embedder is not None, "somebody embeds"
        unknown = self._library.code.unknown_texts(self._embedder.model, texts)
        new = [text for text in unknown if text not in self._seen]
        self._seen.update(new)
        self.tokens += sum(self._embedder.count_tokens(new))


def _looked_at(
    place: Place, new: dict[tuple[str, str], TreeFile], buying: _Buying
) -> Iterator[tuple[tuple[str, str], str | None, int]]:
    """Each new content, why it is not searched, and its chunks."""
    for (file, content), pair in zip(place.contents(list(new.values())), new, strict=True):
        found = look_at(file, pair[1], content)
        if found.unwanted is None:
            buying.add([card(chunk, found.text) for chunk in found.outline.chunks])
        yield pair, found.unwanted, len(found.outline.chunks)


def _unwanted(
    tree: Tree, pairs: Sequence[tuple[str, str]], unwanted: dict[tuple[str, str], str | None]
) -> Iterator[LeftOut]:
    for file, pair in zip(tree.files, pairs, strict=True):
        if reason := unwanted[pair]:
            yield LeftOut(file.path, reason, file.size, file.oid)
