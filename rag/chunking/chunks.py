"""Document -> chunks: spans small enough to embed, cut where it hurts least."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from rag.chunking.atoms import INSIDE_ATOM, Atom, atoms_of, finer
from rag.chunking.cuts import cheapest_cuts
from rag.chunking.sections import Section, sections
from rag.chunking.sentences import equal_parts
from rag.domain import Chunk, Document, embedded_text
from rag.errors import InvalidDocument

TARGET = 400  # tokens; a longer chunk blurs, whatever the model would take
OVERLAP = 0.15  # of a chunk: the most that is repeated from the one before
HEADINGS = 0.5  # of a chunk: the most that title and heading path may take
SMALLEST_ROOM = 0.125  # of a chunk: what a title must leave for text
CHARACTERS_PER_TOKEN = 12
"""The most that count as one token. English has 4.5; only runs of blanks, and words that a
tokenizer gives up on, have more, and a chunk shall not be a megabyte of those."""

CHUNKER = f"blocks/1 target={TARGET} overlap={OVERLAP}"
"""Names the algorithm and its options: another name, other chunks."""

CountTokens: TypeAlias = Callable[[Sequence[str]], list[int]]


def chunk(document: Document, *, limit: int, count_tokens: CountTokens) -> tuple[Chunk, ...]:
    """Chunks in order, none of whose `embedded_text` has more than `limit` tokens.

    They follow the document's headings and blocks, repeat about a sentence where prose was cut,
    and together hold all text but page headers, footers and markup between blocks. The same
    document gives the same chunks.

    Raises:
        InvalidDocument: the title leaves no room for text.
    """
    ruler = _Ruler(document, min(limit, TARGET), count_tokens)
    drafts = [
        draft for section in ruler.measured(sections(document)) for draft in _cut(document, section)
    ]
    return tuple(_located(document, ruler.fitted(drafts)))


class _Measured(Struct, frozen=True):
    """A section in atoms, with tokens."""

    heading_path: tuple[str, ...]
    room: int
    """Tokens that a chunk has for text and context, headings and special tokens taken off."""
    atoms: list[Atom]
    tokens: list[int]
    """Of each atom with the white space behind it; their sum bounds a chunk's from above."""
    contexts: dict[tuple[int, int], int]
    """Tokens of each span that chunks may repeat as context."""


class _Ruler:
    """Counts tokens, each text once, many at a time."""

    def __init__(self, document: Document, target: int, count_tokens: CountTokens) -> None:
        self._text = document.text
        self._title = document.title
        self._target = target
        self._count = count_tokens
        [self._special] = count_tokens([""])

    def measured(self, found: Sequence[Section]) -> list[_Measured]:
        paths, rooms = self._paths_and_rooms(found)
        atoms, tokens = self._fitting_atoms([atoms_of(self._text, s) for s in found], rooms)
        spans = list({atom.context for each in atoms for atom in each if atom.context})
        counts = self._tokens([self._text[start:end] + "\n" for start, end in spans])
        contexts = dict(zip(spans, counts, strict=True))
        return [
            _Measured(*each, contexts) for each in zip(paths, rooms, atoms, tokens, strict=True)
        ]

    def fitted(self, drafts: list[Chunk]) -> list[Chunk]:
        """Drafts with their tokens counted; one that has too many after all becomes smaller ones.

        Atoms are counted one by one, and no tokenizer promises that a whole has no more tokens
        than its parts; with real ones it has not been seen.
        """
        settled: list[Chunk] = []
        while drafts:
            counts = self._count([embedded_text(draft, self._title) for draft in drafts])
            counted = [replace(draft, tokens=n) for draft, n in zip(drafts, counts, strict=True)]
            settled += [draft for draft in counted if draft.tokens <= self._target]
            drafts = [
                smaller
                for draft in counted
                if draft.tokens > self._target
                for smaller in _smaller(self._text, draft)
            ]
        return sorted(settled, key=lambda draft: (draft.start, draft.end))

    def _paths_and_rooms(self, found: Sequence[Section]) -> tuple[list[tuple[str, ...]], list[int]]:
        """Heading paths, cut from the outside inwards where too long, and the room they leave."""
        path_of = {section.heading_path: section.heading_path for section in found}
        tokens: dict[tuple[str, ...], int] = {}
        pending = list(path_of)
        while pending:
            heads = [embedded_text(Chunk(0, 0, "", 0, path_of[p]), self._title) for p in pending]
            tokens.update(zip(pending, self._tokens([h + "\n" for h in heads]), strict=True))
            pending = [p for p in pending if tokens[p] > HEADINGS * self._target and path_of[p]]
            path_of.update({p: path_of[p][1:] for p in pending})
        rooms = [self._target - self._special - tokens[s.heading_path] for s in found]
        if rooms and min(rooms) < SMALLEST_ROOM * self._target:
            raise InvalidDocument(
                f"the title leaves {max(0, min(rooms))} of {self._target} tokens for text; "
                "give the document a shorter one"
            )
        return [path_of[s.heading_path] for s in found], rooms

    def _fitting_atoms(
        self, per_section: list[list[Atom]], rooms: Sequence[int]
    ) -> tuple[list[list[Atom]], list[list[int]]]:
        """Atoms that fit a chunk, those right below headings together with them."""
        tokens = self._token_lists(per_section)
        while True:
            oversized = [
                {i: -(-n // most) for i, n, most in _too_large(atoms, counts, room)}
                for atoms, counts, room in zip(per_section, tokens, rooms, strict=True)
            ]
            if not any(oversized):
                return per_section, tokens
            per_section = [
                [
                    piece
                    for i, atom in enumerate(atoms)
                    for piece in (finer(self._text, atom, parts[i]) if i in parts else [atom])
                ]
                for atoms, parts in zip(per_section, oversized, strict=True)
            ]
            tokens = self._token_lists(per_section)

    def _token_lists(self, per_section: list[list[Atom]]) -> list[list[int]]:
        texts = [
            self._text[atom.start : following.start if following else atom.end]
            for atoms in per_section
            for atom, following in zip(atoms, [*atoms[1:], None], strict=True)
        ]
        counts = iter(self._tokens(texts))
        return [[next(counts) for _ in atoms] for atoms in per_section]

    def _tokens(self, texts: Sequence[str]) -> list[int]:
        """Of texts to be joined, so without special tokens."""
        counts = self._count(texts) if texts else []
        return [
            max(n - self._special, -(-len(text) // CHARACTERS_PER_TOKEN))
            for n, text in zip(counts, texts, strict=True)
        ]


def _too_large(
    atoms: Sequence[Atom], tokens: Sequence[int], room: int
) -> Iterator[tuple[int, int, int]]:
    """Position, tokens, and tokens allowed, of each atom that must be cut."""
    opening = 0
    in_opening = True
    for i, (atom, n) in enumerate(zip(atoms, tokens, strict=True)):
        most = room - opening if in_opening and 2 * opening <= room else room
        if n > most and atom.end - atom.start > 1:
            yield i, n, most
        in_opening = in_opening and atom.kind == "title"
        opening += n if in_opening else 0


def _cut(document: Document, section: _Measured) -> Iterator[Chunk]:
    repeated = _repeated(section)
    runs = cheapest_cuts(section.atoms, section.tokens, repeated, section.room)
    for first, after in runs:
        start, context = section.atoms[first].start, ""
        if repeated[first]:
            if span := section.atoms[first].context:
                context = document.text[slice(*span)].strip()
            else:
                start = section.atoms[first - 1].start
        end = section.atoms[after - 1].end
        yield Chunk(start, end, document.text[start:end], 0, section.heading_path, context=context)


def _repeated(section: _Measured) -> list[int]:
    """Tokens a chunk that begins at each atom repeats from before it: its context, or in prose
    the sentence before. None where they would not fit beside the atom."""
    repeated = [0] * len(section.atoms)
    for i, (atom, n) in enumerate(zip(section.atoms, section.tokens, strict=True)):
        if atom.context:
            repeated[i] = section.contexts[atom.context]
        elif i and _flows(section.atoms[i - 1], atom):
            before = section.tokens[i - 1]
            repeated[i] = before if before <= OVERLAP * section.room else 0
        if n + repeated[i] > section.room:
            repeated[i] = 0
    return repeated


def _flows(before: Atom, after: Atom) -> bool:
    """Whether prose goes on from a whole sentence to the next."""
    return (
        before.kind == after.kind == "text"
        and before.page == after.page
        and before.cut_cost < INSIDE_ATOM
    )


def _smaller(text: str, draft: Chunk) -> list[Chunk]:
    """Without its context; else in halves; else with a shorter heading path."""
    if draft.context:
        return [replace(draft, context="")]
    if draft.end - draft.start > 1:
        starts = equal_parts(text, draft.start, draft.end, 2)
        pieces = zip(starts, [*starts[1:], draft.end], strict=True)
        return [
            replace(draft, start=a, end=a + len(half), text=half)
            for a, b in pieces
            if (half := text[a:b].rstrip())
        ]
    if draft.heading_path:
        return [replace(draft, heading_path=draft.heading_path[1:])]
    raise InvalidDocument("the title leaves no room for text; give the document a shorter one")


def _located(document: Document, drafts: Sequence[Chunk]) -> Iterator[Chunk]:
    """Each with its pages, or its lines where the document has no pages."""
    if document.pages:
        starts = [page.start for page in document.pages]
        ends = [page.end for page in document.pages]
        for draft in drafts:
            first, after = bisect_right(ends, draft.start), bisect_left(starts, draft.end)
            pages = tuple(page.number for page in document.pages[first:after])
            yield replace(draft, pages=pages)
    else:
        line_ends = [end.start() for end in re.finditer("\n", document.text)]
        for draft in drafts:
            first_line = bisect_left(line_ends, draft.start) + 1
            last_line = bisect_left(line_ends, draft.end) + 1
            yield replace(draft, lines=(first_line, last_line))
