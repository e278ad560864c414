"""How many tokens a chunk has for text, and atoms that fit."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from rag.chunking.atoms import INSIDE_ATOM, Atom, atoms_of, finer
from rag.chunking.sections import Section
from rag.domain import Chunk, embedded_text
from rag.errors import InvalidDocument

OVERLAP = 0.15  # of a chunk's room: the most that prose repeats from the chunk before
HEADINGS = 0.5  # of a chunk: the most that title and heading path may take together
SMALLEST_ROOM = 0.125  # of a chunk: what a title must leave for text
CHARACTERS_PER_TOKEN = 12
"""The most that count as one token. English has 4.5; only runs of blanks, and words that a
tokenizer gives up on, have more, and a chunk shall not be a megabyte of those."""
MOST_ATOMS = 32  # in a chunk, on average: the time that cutting takes grows with their number

CountTokens: TypeAlias = Callable[[Sequence[str]], list[int]]


class Budget:
    """Tokens that a chunk may have, and how they are counted."""

    def __init__(self, most: int, count_tokens: CountTokens) -> None:
        self.most = most
        self.count = count_tokens
        [self._special] = count_tokens([""])

    def parts(self, texts: Sequence[str]) -> list[int]:
        """Tokens that each adds to a text it becomes a part of; no fewer than its characters
        stand for."""
        counts = self.count(texts) if texts else []
        return [
            max(n - self._special, len(text) // CHARACTERS_PER_TOKEN)
            for n, text in zip(counts, texts, strict=True)
        ]

    def room(self, title: str, heading_path: tuple[str, ...]) -> int:
        """Tokens left for text below these."""
        head = embedded_text(Chunk(0, 0, "", 0, heading_path), title)
        return self.most - self._special - sum(self.parts([head + "\n"]))


class Measured(Struct, frozen=True):
    """An atom and what it weighs in a chunk, in tokens."""

    atom: Atom
    tokens: int
    gap: int
    """Of what stands between it and the next atom."""
    repeated: int
    """Of what a chunk that begins here repeats from before: its context, or in prose the sentence
    before. None where that would not fit beside the atom."""


def fitting_path(
    title: str, heading_path: tuple[str, ...], budget: Budget
) -> tuple[tuple[str, ...], int]:
    """The path, without its outermost headings where it is too long, and the room below it.

    Raises:
        InvalidDocument: the title alone leaves no room for text.
    """
    room = budget.room(title, heading_path)
    while heading_path and room < (1 - HEADINGS) * budget.most:
        heading_path = heading_path[1:]
        room = budget.room(title, heading_path)
    if room < SMALLEST_ROOM * budget.most:
        raise InvalidDocument(
            f"the title leaves {max(0, room)} of {budget.most} tokens for text; "
            "give the document a shorter one"
        )
    return heading_path, room


def fitting_atoms(text: str, section: Section, room: int, budget: Budget) -> list[Measured]:
    """The section's atoms, those too large for a chunk cut further; the first below the headings
    small enough to share a chunk with them."""
    atoms = atoms_of(text, section)
    opening = next((i for i, atom in enumerate(atoms) if atom.kind != "title"), len(atoms))
    found = list(_fitting(text, atoms[:opening], room, budget))
    headings = sum(tokens for _, tokens in found)
    beside = room - headings if 2 * headings <= room else room
    found += _fitting(text, atoms[opening : opening + 1], beside, budget)
    found += _fitting(text, atoms[opening + 1 :], room, budget)
    return _measured(text, _coarser(found, room), room, budget)


def _fitting(
    text: str, atoms: Sequence[Atom], room: int, budget: Budget
) -> Iterator[tuple[Atom, int]]:
    counts = budget.parts([text[atom.start : atom.end] for atom in atoms])
    for atom, tokens in zip(atoms, counts, strict=True):
        if tokens <= room or atom.end - atom.start == 1:
            yield atom, max(1, tokens)
        else:
            yield from _fitting(text, finer(text, atom, -(-tokens // room)), room, budget)


def _coarser(found: list[tuple[Atom, int]], room: int) -> list[tuple[Atom, int]]:
    """Neighbors of a kind taken together, where most atoms are but a word or two."""
    least = room // MOST_ATOMS
    if sum(tokens for _, tokens in found) >= least * len(found):
        return found
    groups: list[tuple[Atom, int]] = []
    for atom, tokens in found:
        group, so_far = groups[-1] if groups else (None, 0)
        if group and so_far < least and _alike(group, atom):
            together = replace(group, end=atom.end, cut_cost=atom.cut_cost)
            groups[-1] = together, so_far + tokens
        else:
            groups.append((atom, tokens))
    return groups


def _alike(group: Atom, atom: Atom) -> bool:
    return (group.kind, group.page, group.context) == (atom.kind, atom.page, atom.context)


def _measured(
    text: str, found: Sequence[tuple[Atom, int]], room: int, budget: Budget
) -> list[Measured]:
    atoms = [atom for atom, _ in found]
    following = [*atoms[1:], None]
    gaps = budget.parts(
        [text[a.end : b.start] if b else "" for a, b in zip(atoms, following, strict=True)]
    )
    contexts = list({atom.context for atom in atoms if atom.context})
    context_tokens = dict(
        zip(contexts, budget.parts([text[a:b] + "\n" for a, b in contexts]), strict=True)
    )
    measured = []
    for i, (atom, tokens) in enumerate(found):
        repeated = 0
        if atom.context:
            repeated = context_tokens[atom.context]
        elif i and _flows(atoms[i - 1], atom) and found[i - 1][1] <= OVERLAP * room:
            repeated = found[i - 1][1] + gaps[i - 1]
        fits = tokens + repeated <= room
        measured.append(Measured(atom, tokens, gaps[i], repeated if fits else 0))
    return measured


def _flows(before: Atom, after: Atom) -> bool:
    """Whether prose goes on from a whole sentence to the next."""
    return (
        before.kind == after.kind == "text"
        and before.page == after.page
        and before.cut_cost < INSIDE_ATOM
    )
