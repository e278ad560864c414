import asyncio
from collections.abc import Sequence
from functools import cache
from math import erf
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rag.errors import InvalidRequest
from rag.local.bert import BertEmbedder, batches_of_one_length
from rag.local.minilm import MAX_TOKENS, load_minilm, load_tokenizer
from rag.local.weights import find_model, read_tensors
from rag.local.wordpieces import WordPieces
from rag.ports import Embedder

Matrix = npt.NDArray[np.float32]

TEXTS = [
    "A cat sits on the mat.",
    "A kitten is resting on a rug.",
    "Interest rates rose by half a point in the third quarter of 2018.",
    "Zinssätze steigen, und niemand weiß, wie lange noch.",
    "def fuse(rankings):\n    return sorted(rankings, key=score)",
    "| name | size |\n| --- | --- |\n| alpha | 10 |\n| beta | 20 |",
    "猫がマットの上に座っている。",
    "",
    "Mitochondria produce most of the chemical energy that a cell needs. " * 4,
]


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="session")
def int8(models: Path) -> BertEmbedder:
    return load_minilm(models)


@pytest.fixture(scope="session")
def float32(models: Path) -> BertEmbedder:
    return load_minilm(models, precision="float32")


def embed(model: BertEmbedder, texts: Sequence[str]) -> Matrix:
    return asyncio.run(model.embed(texts, "passage"))


# --- the same vectors as the published model ----------------------------------------------------


@cache
def published_weights() -> dict[str, Matrix]:
    return read_tensors(find_model().weights.read_bytes())


def linear(x: Matrix, name: str) -> Matrix:
    weights = published_weights()
    return np.asarray(x @ weights[f"{name}.weight"].T + weights[f"{name}.bias"])


def normalized(x: Matrix, name: str) -> Matrix:
    weights = published_weights()
    centered = x - x.mean(-1, keepdims=True)
    scaled = centered / np.sqrt(x.var(-1, keepdims=True) + 1e-12)
    return np.asarray(scaled * weights[f"{name}.weight"] + weights[f"{name}.bias"])


def attended(x: Matrix, name: str) -> Matrix:
    query, key, value = (
        linear(x, f"{name}.self.{part}").reshape(len(x), 12, 32).swapaxes(0, 1)
        for part in ("query", "key", "value")
    )
    scores = np.exp(query @ key.swapaxes(1, 2) / np.sqrt(32))
    shares = scores / scores.sum(-1, keepdims=True)
    return np.asarray((shares @ value).swapaxes(0, 1).reshape(len(x), 384))


def forward(ids: Sequence[int]) -> Matrix:
    """BERT as its paper has it (Devlin et al., NAACL 2019), one text, in numpy."""
    weights = published_weights()
    words, positions, types = (
        weights[f"embeddings.{kind}_embeddings.weight"]
        for kind in ("word", "position", "token_type")
    )
    x = normalized(words[list(ids)] + positions[: len(ids)] + types[0], "embeddings.LayerNorm")
    for layer in range(6):
        name = f"encoder.layer.{layer}"
        mixed = linear(attended(x, f"{name}.attention"), f"{name}.attention.output.dense")
        x = normalized(x + mixed, f"{name}.attention.output.LayerNorm")
        wide = linear(x, f"{name}.intermediate.dense")
        gelu = wide * (1 + np.vectorize(erf)(wide / np.sqrt(2))) / 2
        x = normalized(x + linear(gelu, f"{name}.output.dense"), f"{name}.output.LayerNorm")
    mean = x.mean(axis=0)
    return np.asarray(mean / np.linalg.norm(mean))


def test_float32_is_the_published_model(float32: BertEmbedder) -> None:
    tokenizer = load_tokenizer(find_model())
    expected = np.stack([forward(tokenizer.encode(text).ids) for text in TEXTS])

    assert embed(float32, TEXTS) == pytest.approx(expected, abs=1e-5)


def test_int8_is_near_float32(int8: BertEmbedder, float32: BertEmbedder) -> None:
    cosines = (embed(int8, TEXTS) * embed(float32, TEXTS)).sum(axis=1)

    assert cosines.mean() >= 0.99
    assert np.delete(cosines, TEXTS.index("")).min() >= 0.985


def test_texts_that_mean_the_same_are_near(int8: BertEmbedder) -> None:
    cat, kitten, rates = embed(int8, TEXTS[:3])

    assert cat @ kitten > 0.6
    assert cat @ rates < 0.1


def test_vectors_have_length_one_and_come_in_order(int8: BertEmbedder) -> None:
    together = embed(int8, TEXTS)

    assert (together.dtype, together.shape) == (np.float32, (len(TEXTS), int8.dimension))
    assert np.linalg.norm(together, axis=1) == pytest.approx(1, abs=1e-5)
    for text, vector in zip(TEXTS, together, strict=True):
        [alone] = embed(int8, [text])
        assert (alone == vector).all(), "its neighbors do not change a text's vector"


def test_no_texts_give_no_vectors(int8: BertEmbedder) -> None:
    assert embed(int8, []).shape == (0, 384)


# --- long texts ---------------------------------------------------------------------------------


def test_a_passage_is_never_cut_in_silence(int8: BertEmbedder) -> None:
    fits = "word " * (MAX_TOKENS - 2)

    assert embed(int8, [fits]).shape == (1, 384)
    with pytest.raises(InvalidRequest, match="257 tokens"):
        embed(int8, [fits + "word"])


def test_the_end_of_a_long_question_counts(int8: BertEmbedder) -> None:
    padding = "and so on " * 120

    async def asked(text: str) -> Matrix:
        return await int8.embed([text], "query")

    about_cats, about_rates = (
        asyncio.run(asked(padding + end)) for end in (TEXTS[0] * 20, TEXTS[2] * 10)
    )
    cat = embed(int8, TEXTS[:1])

    assert np.linalg.norm(about_cats) == pytest.approx(1, abs=1e-5)
    assert (about_cats @ cat.T).item() > (about_rates @ cat.T).item() + 0.1


def test_a_long_question_does_not_disturb_its_neighbors(int8: BertEmbedder) -> None:
    vectors = asyncio.run(int8.embed(["word " * 600, TEXTS[0], "word " * 300, TEXTS[2]], "query"))

    assert (vectors[[1, 3]] == embed(int8, [TEXTS[0], TEXTS[2]])).all()


# --- the port -----------------------------------------------------------------------------------


def test_it_is_an_embedder_that_names_its_precision(
    int8: BertEmbedder, float32: BertEmbedder
) -> None:
    assert isinstance(int8, Embedder)
    assert (int8.model, float32.model) == ("all-MiniLM-L6-v2/int8", "all-MiniLM-L6-v2/float32")
    assert int8.max_tokens == 256


def test_embedding_leaves_the_event_loop_free(int8: BertEmbedder) -> None:
    async def ticks_meanwhile() -> int:
        ticks = 0
        embedding = asyncio.create_task(int8.embed(TEXTS * 4, "passage"))
        while not embedding.done():
            await asyncio.sleep(0)
            ticks += 1
        return ticks

    assert asyncio.run(ticks_meanwhile()) > 10


def test_a_question_does_not_wait_behind_passages(int8: BertEmbedder) -> None:
    async def passages_are_done_first() -> bool:
        passages = asyncio.create_task(int8.embed([TEXTS[-1]] * 60, "passage"))
        await asyncio.sleep(0.05)
        await int8.embed(["Where does the cat sit?"], "query")
        was_done = passages.done()
        await passages
        return was_done

    assert not asyncio.run(passages_are_done_first())


# --- counting and batching ----------------------------------------------------------------------


def test_counts_include_the_special_tokens(int8: BertEmbedder) -> None:
    assert int8.count_tokens(["", "cat", "a cat, and so on"]) == [2, 3, 8]


def test_counting_does_not_stop_where_the_published_tokenizer_does(int8: BertEmbedder) -> None:
    assert int8.count_tokens(["word " * 1000]) == [1002]


AWKWARD = (
    *("\x0b", "\x1c", "\x85", "\u00a0", "\u2028", "\u200b", "\u3000", "\x00", "\ufffd"),
    *("é", "e\u0301", "中", "’", "ﬁ", "İ", "ß", " ", "\n", "\t"),
    *("[SEP]", "[MASK]", "don't", "x" * 120),
)
WORDS = st.one_of(st.sampled_from(AWKWARD), st.text(st.characters(exclude_categories=("Cs",))))


@settings(max_examples=150, deadline=None)
@given(st.lists(WORDS))
def test_counting_words_is_counting_tokens(pieces: list[str]) -> None:
    text = "".join(pieces)

    assert counter().count([text, text]) == [len(tokenizer().encode(text).ids)] * 2


@cache
def counter() -> WordPieces:
    return WordPieces(tokenizer())


@cache
def tokenizer():  # type: ignore[no-untyped-def]  # tokenizers ships no types
    return load_tokenizer(find_model())


def test_a_batch_holds_texts_of_one_length_longest_first() -> None:
    assert batches_of_one_length([3, 5, 3, 9, 3], 6) == [[3], [1], [0, 2], [4]]
    assert batches_of_one_length([3, 3], 1) == [[0], [1]]
