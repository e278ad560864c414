"""A collection learns how much to trust meaning, from nothing but its own sentences."""

import numpy as np
import pytest

from rag.domain import Candidate, Chunk, ChunkId, embedded_text
from rag.ranking.selfcheck import FEWEST, PRIOR_WEIGHT, Probe, Trial, best_weight, probes

SENTENCES = (
    "Barnacles settle on the hull of any vessel that lies still for weeks.",
    "Scraping a wooden hull every spring keeps the weight of a boat down.",
    "Copper paint was introduced because nothing living cares to sit on copper.",
)


def chunk(text: str) -> Chunk:
    return Chunk(start=0, end=len(text), text=text, tokens=0)


def sampled(*texts: str) -> list[tuple[ChunkId, str, Chunk]]:
    return [(ChunkId(f"chunk {n}"), "Boats", chunk(text)) for n, text in enumerate(texts)]


# --- probes -------------------------------------------------------------------------------------


def test_a_probe_asks_half_of_a_sentences_words_in_their_order() -> None:
    [probe] = probes(sampled(" ".join(SENTENCES)), seed=1)

    assert probe.sentence in SENTENCES
    asked, said = probe.question.split(), probe.sentence.split()
    assert len(asked) == len(said) // 2
    rest = iter(said)
    assert all(word in rest for word in asked)


def test_the_remainder_is_the_chunk_without_the_sentence() -> None:
    [probe] = probes(sampled(" ".join(SENTENCES)), seed=1)

    others = [sentence for sentence in SENTENCES if sentence != probe.sentence]
    assert probe.sentence not in probe.remainder
    assert all(sentence in probe.remainder for sentence in others)
    assert probe.remainder.startswith(embedded_text(chunk(""), "Boats"))


def test_words_that_stand_elsewhere_in_the_chunk_are_kept() -> None:
    said_again = f"{SENTENCES[0]} {SENTENCES[0]} {SENTENCES[0]}"
    said_once = "Alpha beta gamma delta epsilon zeta eta theta. So it is. And it stays."

    again, once = probes(sampled(said_again, said_once), seed=1)

    # three mentions become two: sat(2) / sat(3), where sat(n) = n / (n + 1.2)
    assert again.words_kept == pytest.approx((2 / 3.2) / (3 / 4.2))
    assert once.words_kept == 0


def test_a_word_in_another_form_is_the_same_word() -> None:
    said = "Foxes crossed meadows hunting voles and rabbits."
    forms = "A fox crosses. Hunts: meadow, vole, rabbit."

    [probe] = probes(sampled(f"{said} {forms}"), seed=1)

    assert probe.words_kept == pytest.approx((1 / 2.2) / (2 / 3.2))


def test_a_script_without_spaces_is_asked_by_half_its_characters() -> None:
    sentence = "藤壺は何週間も動かない船の船底に付着するので毎年春になると人々はそれを削り落とす。"
    text = f"{sentence}\n\n{sentence[::-1]}。\n\n{sentence}"

    [probe] = probes(sampled(text), seed=1)

    assert len(probe.question) == len(probe.sentence) // 2
    assert probe.question in probe.sentence


@pytest.mark.parametrize(
    "text",
    [
        "Contents",
        SENTENCES[0],  # nothing would be left
        "One. Two. Three. Four. Five.",  # cells and headings, not sentences
    ],
)
def test_a_chunk_without_a_sentence_to_spare_gives_no_probe(text: str) -> None:
    assert probes(sampled(text), seed=1) == ()


def test_the_same_seed_asks_the_same() -> None:
    chunks = sampled(*(" ".join(SENTENCES[n:] + SENTENCES[:n]) for n in range(3)))

    assert probes(chunks, seed=7) == probes(chunks, seed=7)


# --- weights ------------------------------------------------------------------------------------


def trial(*, dense: tuple[float, float], words: tuple[float, float], kept: float = 1.0) -> Trial:
    """A search that found the probe's chunk and one other; what each leg says of the two."""
    names = ("target", "other")
    return Trial(
        Probe(ChunkId("target"), "question", "a sentence", "", words_kept=kept),
        tuple(
            Candidate(ChunkId(name), d, w) for name, d, w in zip(names, dense, words, strict=True)
        ),
        remainder_cosine=dense[0],
    )


MEANING_KNOWS = trial(dense=(0.6, 0.4), words=(5.0, 10.0))
WORDS_KNOW = trial(dense=(0.4, 0.6), words=(10.0, 5.0))
BOTH_KNOW = trial(dense=(0.6, 0.4), words=(10.0, 5.0))


def test_where_both_legs_are_right_the_prior_stands() -> None:
    assert best_weight([BOTH_KNOW] * 200) == PRIOR_WEIGHT


def test_where_only_meaning_is_right_the_weight_rises() -> None:
    # target's share is w * 0.8 + (1 - w) * 0.5, the other's w * 0.7 + (1 - w): even at w = 5/6
    assert best_weight([MEANING_KNOWS] * 200) == 0.85


def test_where_only_words_are_right_no_weight_lets_meaning_outvote_them() -> None:
    # the mirror image: words win wherever w < 5/6, and so at the prior already
    assert best_weight([WORDS_KNOW] * 200) == PRIOR_WEIGHT


def test_a_dense_leg_of_pure_noise_loses_its_weight() -> None:
    noise = np.random.default_rng(3).uniform(-0.4, 0.4, size=(200, 2))

    weight = best_weight([trial(dense=(a, b), words=(10.0, 9.0)) for a, b in noise])

    assert weight < 0.4


def test_too_few_probes_keep_the_prior() -> None:
    assert best_weight([MEANING_KNOWS] * (FEWEST - 1), prior=0.6) == 0.6


def test_no_probes_keep_the_prior() -> None:
    assert best_weight([], prior=0.6) == 0.6


def test_a_search_that_never_finds_its_chunk_keeps_the_prior() -> None:
    lost = Trial(Probe(ChunkId("lost"), "q", "s", "", 0.5), BOTH_KNOW.candidates, 0.5)

    assert best_weight([lost] * 200) == PRIOR_WEIGHT


def test_another_chunk_that_holds_the_sentence_does_not_count_against_its_own() -> None:
    """Chunks overlap: without the sentence, its neighbor would be the one right answer."""
    neighbor = Candidate(ChunkId("neighbor"), 0.9, 20.0)
    overlapping = Trial(
        BOTH_KNOW.probe,
        (*BOTH_KNOW.candidates, neighbor),
        BOTH_KNOW.remainder_cosine,
        holders=frozenset({neighbor.chunk_id}),
    )
    alone = MEANING_KNOWS

    assert best_weight([overlapping] * 100 + [alone] * 100) == best_weight([alone] * 200)
