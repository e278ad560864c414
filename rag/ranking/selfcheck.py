"""How much to trust meaning against words in one collection, found out without labels.

A sentence is taken from a chunk, half of its words are asked, and its chunk should come first.
Asked that way the words leg wins everywhere, since the chunk holds those very words; with the
sentence cut out of its chunk (an inverse cloze, Lee, Chang and Toutanova, ACL 2019) meaning wins,
since a writer seldom repeats words. Real questions lie between: they share some words with what
answers them. So each probe is scored both ways, and a weight must do well on both.
"""

import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec
import numpy as np
from msgspec import Struct

from rag.domain import Candidate, Chunk, ChunkId, embedded_text
from rag.ranking.analysis.terms import Terms, term_of, terms_of
from rag.ranking.analysis.words import query_words
from rag.ranking.fusion import Shares, shares

PRIOR_WEIGHT = 0.7
"""Of a collection not yet checked, and of most that were. Quality here and at the weight best for
the set, of 0.6 to 0.85 and in hindsight: CLAPnq 0.986 and 0.991, XQuAD 0.980 and 0.983 in English,
0.950 and 0.954 in German, 0.961 and 0.963 in Spanish, German questions on English texts 0.598 and
0.610, Spanish ones 0.613 and 0.622 (nDCG@10); an evidence page of MMLongBench among five hits 0.795
and 0.795, over all documents 0.627 and 0.627."""

WEIGHTS = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95, 1.0)

SAMPLE = 300
"""Chunks to draw from a collection: about 200 of them give a probe, whose sentences and
remainders are embedded in a few seconds."""

CERTAINTY = 1.0
"""Standard errors by which another weight must beat the prior. At 2, 250 probes did not move a
collection whose vectors were pure noise; at 0.5, chance moved collections that were fine."""

FEWEST = 40
"""Probes below which the prior stands: the standard error itself is then a guess."""


class Probe(Struct, frozen=True):
    """A question whose answer is known: the chunk it was taken from."""

    chunk_id: ChunkId
    question: str
    """Half of a sentence's words, in order."""
    sentence: str
    remainder: str
    """What would be embedded, had the chunk never held the sentence."""
    words_kept: float
    """Share of the chunk's BM25 for this question that is left without the sentence."""


class Trial(Struct, frozen=True):
    """A probe, what the search found for it, and its cosine with the remainder."""

    probe: Probe
    candidates: tuple[Candidate, ...]
    remainder_cosine: float
    holders: frozenset[ChunkId] = frozenset()
    """Those of the candidates whose text holds the probe's sentence."""


# --- asking -------------------------------------------------------------------------------------


def probes(chunks: Sequence[tuple[ChunkId, str, Chunk]], seed: int) -> tuple[Probe, ...]:
    """One probe from each chunk that has a sentence to give and text left without it.

    Args:
        chunks: id, document title and chunk, sampled from the collection.
    """
    choose = np.random.default_rng(seed)
    rarity = _rarity([chunk.text for _, _, chunk in chunks])
    made = (_probe(id, title, chunk, rarity, choose) for id, title, chunk in chunks)
    return tuple(probe for probe in made if probe is not None)


SENTENCE_LENGTH = range(40, 301)
"""Characters: shorter ones are headings and cells, longer ones were not cut at a sentence."""

_SENTENCE = re.compile(r"\S.*?(?:[.!?…](?=\s|$)|[。！？।؟]|(?=\n\s*\n)|$)", re.DOTALL)


def _probe(
    id: ChunkId,
    title: str,
    chunk: Chunk,
    rarity: Mapping[str, float],
    choose: np.random.Generator,
) -> Probe | None:
    found = list(_SENTENCE.finditer(chunk.text))
    usable = [match for match in found if len(match[0]) in SENTENCE_LENGTH]
    if not usable or len(found) < 3:
        return None
    taken = usable[choose.integers(len(usable))]
    rest = chunk.text[: taken.start()] + chunk.text[taken.end() :]
    question = _half(taken[0], choose)
    whole = embedded_text(chunk, title)
    remainder = embedded_text(msgspec.structs.replace(chunk, text=rest), title)
    return Probe(id, question, taken[0], remainder, _kept(question, whole, remainder, rarity))


def _half(sentence: str, choose: np.random.Generator) -> str:
    """Half of the words in order; where no spaces are written, one half of the characters."""
    parts = sentence.split()
    if len(parts) < 6:
        start = choose.integers(len(sentence) // 2)
        return sentence[start : start + len(sentence) // 2]
    kept = sorted(choose.choice(len(parts), size=len(parts) // 2, replace=False))
    return " ".join(parts[n] for n in kept)


def _kept(question: str, whole: str, remainder: str, rarity: Mapping[str, float]) -> float:
    held = terms_of(whole)
    left = terms_of(remainder, held.language)
    asked = [term_of(word, held.language) for word in query_words(question)]
    before, after = _bm25(asked, held, rarity), _bm25(asked, left, rarity)
    return after / before if before else 0.0


def _bm25(asked: Sequence[str], text: Terms, rarity: Mapping[str, float]) -> float:
    """BM25 with k1 = 1.2 of a text of average length."""
    frequency = Counter(text.text.split())
    unseen = max(rarity.values())
    return sum(
        rarity.get(term, unseen) * frequency[term] / (frequency[term] + 1.2) for term in asked
    )


def _rarity(texts: Sequence[str]) -> dict[str, float]:
    """Inverse document frequency among the sample."""
    frequency = Counter(term for text in texts for term in set(terms_of(text).text.split()))
    return {term: math.log(1 + (len(texts) - n + 0.5) / (n + 0.5)) for term, n in frequency.items()}


# --- judging ------------------------------------------------------------------------------------


def best_weight(trials: Sequence[Trial], *, prior: float = PRIOR_WEIGHT) -> float:
    """The dense weight with which the probes find their chunks.

    Of the weights that no other beats with `CERTAINTY`, the one nearest the prior: without
    evidence, or with too little of it, that is the prior itself.
    """
    if len(trials) < FEWEST:
        return prior
    weights = np.array(sorted({*WEIGHTS, prior}, key=lambda weight: abs(weight - prior)))
    scores = np.array([_score(trial, weights) for trial in trials])
    best = scores[:, [scores.mean(axis=0).argmax()]]
    behind = best - scores  # (trials, weights): paired, so that hard probes cancel out
    error = behind.std(axis=0, ddof=1) / math.sqrt(len(trials))
    as_good = behind.mean(axis=0) <= CERTAINTY * error
    return float(weights[as_good.argmax()])


def _score(trial: Trial, weights: Shares) -> Shares:
    """nDCG@10 of the probe's chunk at each weight, with its sentence and without: their mean."""
    readings = (trial.candidates, _without_sentence(trial))
    ranks = np.array([_ranks(reading, trial.probe.chunk_id, weights) for reading in readings])
    # the ideal is rank 1, whose gain is 1
    gains: Shares = np.where(ranks <= 10, 1 / np.log2(ranks + 1), 0)
    return np.asarray(gains.mean(axis=0))


def _ranks(candidates: Sequence[Candidate], target: ChunkId, weights: Shares) -> Shares:
    """Of one chunk at each weight; infinite where the search did not find it."""
    ids = [candidate.chunk_id for candidate in candidates]
    if target not in ids:
        return np.full(len(weights), np.inf)
    dense, words = shares(candidates)
    scores = np.outer(dense, weights) + np.outer(words, 1 - weights)
    return np.asarray(1.0 + (scores > scores[ids.index(target)]).sum(axis=0))


def _without_sentence(trial: Trial) -> list[Candidate]:
    """As the search would have found, had nobody written the sentence."""
    probe = trial.probe
    return [
        _reduced(candidate, trial) if candidate.chunk_id == probe.chunk_id else candidate
        for candidate in trial.candidates
        # an overlapping or repeated chunk still holds the sentence: it would be the answer
        if candidate.chunk_id == probe.chunk_id or candidate.chunk_id not in trial.holders
    ]


def _reduced(candidate: Candidate, trial: Trial) -> Candidate:
    kept = None if candidate.words is None else candidate.words * trial.probe.words_kept
    return msgspec.structs.replace(candidate, dense=trial.remainder_cosine, words=kept)
