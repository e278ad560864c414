"""Judged questions made of a library's own documents, without a model.

A heading asks for what stands under it. A sentence asks for itself: a name or a number in it is
the answer, and some of its other words are the question, so that the answer is never in it. What
no document answers is a question whose rarest word was changed for one of another document.

Such questions share words with what answers them, more than those of people do: that favors the
search by words. `Made.kind` says how each came about.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, TypeAlias, TypeVar

import numpy as np
from msgspec import Struct
from msgspec.structs import replace

from rag.domain import Block, Document
from rag.evaluation.sets import Place, Question
from rag.sentences import sentence_spans

Kind: TypeAlias = Literal["heading", "sentence", "swapped", "model", "feedback"]

SENTENCE_LENGTH = range(40, 301)  # characters; shorter ones are cells, longer ones were not cut
HEADING_LENGTH = range(4, 101)

FEWEST_WORDS = 4
"""Of a question."""

KEPT = 0.6
"""Share of a sentence's telling words that its question keeps: people do not quote."""

MOST_WORDS = 10

COMMON = 0.02
"""Share of sentences beyond which a word tells nothing."""

NEIGHBORS = 2
"""Words of a question that a block holds, beside the one that was changed, from which on the
changed question might be answered by it after all."""

_WORD = re.compile(r"[^\W_]+(?:[-'’.,][^\W_]+)*")
_ENDS = (".", "!", "?", "。", "！", "？", "।", "؟", ".”", '."', ".)")
_NUMBER = re.compile(r"\d")
_NUMBERING = re.compile(
    r"^(?:#+\s*)?(?:(?:\d+|[IVXivx]+|[A-Za-z])[.)]|\d+(?:\.\d+)+\.?|§)\s*|^#+\s*"
)
_MARKUP = re.compile(r"[*_`|#<>\[\]]")
_BACKWARD_WORDS = """
    it this that these those he she they his her their its such here there then also however but
    and or so both another er sie es dies diese dieser dieses das dabei damit il elle ils elles cela
    ce cette ces ello esto este esta estos estas ese esa
"""
_BACKWARD = frozenset(_BACKWARD_WORDS.split())
"""Words that begin a sentence which is nothing without the one before."""


T = TypeVar("T")


class Made(Struct, frozen=True):
    question: Question
    kind: Kind


class _Sentence(Struct, frozen=True):
    document: Document
    block: Block
    text: str
    words: tuple[str, ...]


def make(
    documents: Sequence[Document], *, answerable: int, unanswerable: int, seed: int
) -> tuple[Made, ...]:
    """So many questions at most, spread over the documents; the same seed, the same questions."""
    choose = np.random.default_rng(seed)
    ordered = sorted(documents, key=lambda each: each.key)
    sentences = [each for document in ordered for each in _sentences(document)]
    frequency = Counter(word for each in sentences for word in {w.casefold() for w in each.words})
    rare = {word for word, n in frequency.items() if n <= max(2, COMMON * len(sentences))}
    usable = [each for each in _shuffled(sentences, choose) if _stands_alone(each, frequency)]
    by_document = [
        _of_one(document, ordered, usable, rare, choose) for document in _shuffled(ordered, choose)
    ]
    made = _distinct(_in_turns(by_document))
    changed = _distinct(_swapped(usable, rare, frequency, ordered, choose))
    asked = {each.question.text.casefold() for each in made[:answerable]}
    lost = [each for each in changed if each.question.text.casefold() not in asked]
    return tuple(_numbered([*made[:answerable], *lost[:unanswerable]]))


# --- answerable -----------------------------------------------------------------------------------


def _of_one(
    document: Document,
    documents: Sequence[Document],
    usable: Sequence[_Sentence],
    rare: set[str],
    choose: np.random.Generator,
) -> list[Made]:
    """Headings and sentences by turns."""
    own = (each for each in usable if each.document is document)
    from_sentences = (_from_sentence(each, rare, choose) for each in own)
    from_headings = _from_headings(document, documents)
    return list(
        _in_turns([_shuffled(from_headings, choose), [made for made in from_sentences if made]])
    )


def _from_sentence(sentence: _Sentence, rare: set[str], choose: np.random.Generator) -> Made | None:
    answer = _answer(sentence)
    hidden = set(_WORD.findall(answer.casefold())) if answer else set()
    distinct = {word.casefold(): word for word in reversed(sentence.words)}
    telling = [
        word
        for word in dict.fromkeys(distinct[w.casefold()] for w in sentence.words)
        if word.casefold() in rare and word.casefold() not in hidden
    ]
    if len(telling) < FEWEST_WORDS:
        return None
    kept = min(MOST_WORDS, max(FEWEST_WORDS, round(KEPT * len(telling))))
    places = sorted(choose.choice(len(telling), size=kept, replace=False))
    return Made(
        Question(
            "",
            " ".join(telling[place] for place in places),
            evidence=(_place(sentence.document, sentence.block, sentence.text),),
            document=sentence.document.key,
            answers=(answer or sentence.text,),
        ),
        "sentence",
    )


def _answer(sentence: _Sentence) -> str | None:
    """A number with what it counts, else a name within the sentence."""
    words = sentence.words
    for n, word in enumerate(words):
        if _NUMBER.search(word):
            return word
        if n and word[0].isupper():
            run = [word]
            for after in words[n + 1 :]:
                if not after[0].isupper() or f"{run[-1]} {after}" not in sentence.text:
                    break
                run.append(after)
            return " ".join(run)
    return None


def _from_headings(document: Document, documents: Sequence[Document]) -> list[Made]:
    titles = Counter(_heading(each, block) for each in documents for block in each.blocks)
    made = []
    for title, body in zip(document.blocks, document.blocks[1:], strict=False):
        heading = _heading(document, title)
        if heading and titles[heading] == 1 and body.kind in ("text", "list"):
            quote = _first_sentence(document, body)
            if quote:
                made.append(_from_heading(document, heading, body, quote))
    return made


def _from_heading(document: Document, heading: str, body: Block, quote: str) -> Made:
    asked = heading
    is_named = " " in document.title and document.title.casefold() not in heading.casefold()
    if len(heading.split()) < FEWEST_WORDS and is_named:
        asked = f"{document.title}: {heading}"
    question = Question(
        "",
        asked,
        evidence=(_place(document, body, quote),),
        document=document.key,
        answers=(quote,),
    )
    return Made(question, "heading")


def _heading(document: Document, block: Block) -> str:
    """Without marks and numbers; empty where it is none."""
    if block.kind != "title":
        return ""
    text = " ".join(document.text[block.start : block.end].split())
    bare = _MARKUP.sub("", _NUMBERING.sub("", text)).strip()
    has_letters = sum(c.isalpha() for c in bare) >= len(bare) / 2
    return bare if len(bare) in HEADING_LENGTH and has_letters else ""


def _first_sentence(document: Document, block: Block) -> str:
    start, end = sentence_spans(document.text, block.start, block.end)[0]
    quote = " ".join(document.text[start:end].split())
    return quote if len(quote) in SENTENCE_LENGTH else ""


# --- unanswerable ---------------------------------------------------------------------------------


def _swapped(
    usable: Sequence[_Sentence],
    rare: set[str],
    frequency: Mapping[str, int],
    documents: Sequence[Document],
    choose: np.random.Generator,
) -> Iterator[Made]:
    blocks = [
        {word.casefold() for word in _WORD.findall(document.text[block.start : block.end])}
        for document in documents
        for block in document.blocks
    ]
    others = _shuffled(usable, choose)
    for sentence, other in zip(usable, others, strict=True):
        made = _from_sentence(sentence, rare, choose)
        if made is None or other is sentence:
            continue
        words = made.question.text.split()
        leaving = min(words, key=lambda word: (frequency[word.casefold()], -len(word)))
        coming = _rarest_name(other, frequency)
        kept = {word.casefold() for word in words} - {leaving.casefold()}
        if coming is None or coming.casefold() in kept | {leaving.casefold()}:
            continue
        near = (len(kept & block) for block in blocks if coming.casefold() in block)
        if max(near, default=0) < NEIGHBORS:
            text = " ".join(coming if word == leaving else word for word in words)
            yield Made(Question("", text, answerable=False), "swapped")


def _rarest_name(sentence: _Sentence, frequency: Mapping[str, int]) -> str | None:
    names = [w for w in sentence.words[1:] if w[0].isupper() or _NUMBER.search(w) or len(w) > 6]
    return min(names, key=lambda word: (frequency[word.casefold()], word), default=None)


# --- what both need -------------------------------------------------------------------------------


def _sentences(document: Document) -> Iterator[_Sentence]:
    for block in document.blocks:
        if block.kind not in ("text", "list"):
            continue
        for start, end in sentence_spans(document.text, block.start, block.end):
            text = document.text[start:end].strip()
            yield _Sentence(document, block, text, tuple(_WORD.findall(_MARKUP.sub(" ", text))))


def _stands_alone(sentence: _Sentence, frequency: Mapping[str, int]) -> bool:
    words = sentence.words
    letters = sum(c.isalpha() for c in sentence.text)
    return (
        len(sentence.text) in SENTENCE_LENGTH
        and len(words) > FEWEST_WORDS
        and letters >= 0.6 * len(sentence.text)
        and sentence.text.endswith(_ENDS)
        and words[0].casefold() not in _BACKWARD
        and not words[0][0].islower()
        and min(frequency[word.casefold()] for word in words) == 1
    )


def _place(document: Document, block: Block, quote: str) -> Place:
    return Place(document.key, block.page, " ".join(quote.split()))


def _in_turns(rows: Sequence[Sequence[Made]]) -> Iterator[Made]:
    """The first of each, then the second of each ..."""
    for n in range(max(map(len, rows), default=0)):
        yield from (row[n] for row in rows if n < len(row))


def _shuffled(items: Sequence[T], choose: np.random.Generator) -> list[T]:
    return [items[n] for n in choose.permutation(len(items))]


def _distinct(made: Iterator[Made]) -> list[Made]:
    return list({each.question.text.casefold(): each for each in made}.values())


def _numbered(made: Sequence[Made]) -> list[Made]:
    return [
        replace(each, question=replace(each.question, id=f"m{n:04d}"))
        for n, each in enumerate(made, start=1)
    ]
