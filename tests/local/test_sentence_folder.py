"""A sentence model in a folder: its vectors are those of the published arithmetic."""

import asyncio
import json
import shutil
from math import erf
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers, processors

from rag.domain import InputType
from rag.errors import ModelUnavailable
from rag.local.bert import BertEmbedder
from rag.local.minilm import load_minilm
from rag.local.sentence_folder import load_sentence_folder
from rag.local.weights import find_model

Matrix = npt.NDArray[np.float32]

WORDS = ["<pad>", "[S]", "[E]", "[U]", "query:", "passage:", "red", "fox", "hunts", "at", "night"]
LAYERS, HEADS, WIDTH, PLACES = 2, 2, 16, 24


def tensors(prefix: str = "") -> dict[str, Matrix]:
    """Of a small model whose weights are noise."""
    noise = np.random.default_rng(7)

    def some(*shape: int) -> Matrix:
        return noise.normal(0, 0.3, shape).astype(np.float32)

    made = {
        "embeddings.word_embeddings.weight": some(len(WORDS), WIDTH),
        "embeddings.position_embeddings.weight": some(PLACES, WIDTH),
        "embeddings.token_type_embeddings.weight": some(1, WIDTH),
        "embeddings.LayerNorm.weight": 1 + some(WIDTH),
        "embeddings.LayerNorm.bias": some(WIDTH),
    }
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}"
        wide = {"intermediate.dense": (2 * WIDTH, WIDTH), "output.dense": (WIDTH, 2 * WIDTH)}
        parts = ("self.query", "self.key", "self.value", "output.dense")
        square = {f"attention.{part}": (WIDTH, WIDTH) for part in parts}
        for part, (rows, columns) in (square | wide).items():
            made[f"{name}.{part}.weight"] = some(rows, columns)
            made[f"{name}.{part}.bias"] = some(rows)
        for part in ("attention.output.LayerNorm", "output.LayerNorm"):
            made[f"{name}.{part}.weight"] = 1 + some(WIDTH)
            made[f"{name}.{part}.bias"] = some(WIDTH)
    return {prefix + name: tensor for name, tensor in made.items()}


def write_tensors(path: Path, named: dict[str, Matrix], kind: str = "F32") -> None:
    header, body = {}, b""
    for name, tensor in named.items():
        content = tensor.astype("<f4" if kind == "F32" else "<f2").tobytes()
        offsets = [len(body), len(body) + len(content)]
        header[name] = {"dtype": kind, "shape": list(tensor.shape), "data_offsets": offsets}
        body += content
    head = json.dumps(header).encode()
    path.write_bytes(len(head).to_bytes(8, "little") + head + body)


def write_folder(
    folder: Path,
    *,
    model_type: str = "bert",
    cls: bool = False,
    prefix: str = "",
    kind: str = "F32",
    **more: object,
) -> Path:
    (folder / "1_Pooling").mkdir(parents=True)
    write_tensors(folder / "model.safetensors", tensors(prefix), kind)
    config = {
        "model_type": model_type,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "hidden_size": WIDTH,
        "max_position_embeddings": PLACES,
        "pad_token_id": 0,
        **more,
    }
    (folder / "config.json").write_text(json.dumps(config))
    pooling = {"pooling_mode_mean_tokens": not cls, "pooling_mode_cls_token": cls}
    (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    tokenizer = Tokenizer(models.WordLevel({w: n for n, w in enumerate(WORDS)}, unk_token="[U]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[S] $A [E]", special_tokens=[("[S]", 1), ("[E]", 2)]
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    return folder


def normed(x: Matrix, named: dict[str, Matrix], name: str) -> Matrix:
    scaled = (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-12)
    return np.asarray(scaled * named[f"{name}.weight"] + named[f"{name}.bias"])


def expected(text: str, *, first: int = 0, cls: bool = False) -> Matrix:
    """As the paper has it (Devlin et al. 2019), one text at a time."""
    named = tensors()

    def linear(x: Matrix, name: str) -> Matrix:
        return np.asarray(x @ named[f"{name}.weight"].T + named[f"{name}.bias"])

    ids = [1, *(WORDS.index(word) for word in text.split()), 2]
    x = named["embeddings.word_embeddings.weight"][ids]
    x = x + named["embeddings.position_embeddings.weight"][first : first + len(ids)]
    x = normed(
        x + named["embeddings.token_type_embeddings.weight"][0], named, "embeddings.LayerNorm"
    )
    for layer in range(LAYERS):
        name = f"encoder.layer.{layer}"
        query, key, value = (
            linear(x, f"{name}.attention.self.{part}").reshape(len(ids), HEADS, -1).swapaxes(0, 1)
            for part in ("query", "key", "value")
        )
        scores = np.exp(query @ key.swapaxes(1, 2) / np.sqrt(WIDTH / HEADS))
        mixed = (scores / scores.sum(-1, keepdims=True)) @ value
        attended = linear(
            mixed.swapaxes(0, 1).reshape(len(ids), WIDTH), f"{name}.attention.output.dense"
        )
        x = normed(x + attended, named, f"{name}.attention.output.LayerNorm")
        wide = linear(x, f"{name}.intermediate.dense")
        wide = wide * (1 + np.vectorize(erf)(wide / np.sqrt(2))) / 2
        x = normed(x + linear(wide, f"{name}.output.dense"), named, f"{name}.output.LayerNorm")
    row = x[0] if cls else x.mean(axis=0)
    return np.asarray(row / np.linalg.norm(row))


def loaded(folder: Path, **more: str) -> BertEmbedder:
    cache = folder.parent / "graphs"
    return load_sentence_folder(
        folder,
        cache,
        precision="float32",
        query_prompt=more.get("query_prompt"),
        passage_prompt=more.get("passage_prompt"),
        threads=1,
    )


def vector(model: BertEmbedder, text: str, input_type: InputType = "passage") -> Matrix:
    return asyncio.run(model.embed([text], input_type))[0]


@pytest.mark.parametrize("cls", [False, True], ids=["mean", "first"])
@pytest.mark.parametrize(
    ("model_type", "prefix", "first"),
    [("bert", "", 0), ("bert", "bert.", 0), ("xlm-roberta", "roberta.", 1)],
)
def test_vectors_are_those_of_the_published_arithmetic(
    tmp_path: Path, model_type: str, prefix: str, first: int, cls: bool
) -> None:
    folder = write_folder(tmp_path / "fox", model_type=model_type, cls=cls, prefix=prefix)
    text = "red fox hunts at night"

    found = vector(loaded(folder), text)

    assert found == pytest.approx(expected(text, first=first, cls=cls), abs=1e-4)


def test_half_precision_weights_are_read(tmp_path: Path) -> None:
    found = vector(loaded(write_folder(tmp_path / "fox", kind="F16")), "red fox")

    assert found == pytest.approx(expected("red fox"), abs=0.02)


def test_prompts_come_from_the_folder_or_the_settings(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "fox")
    plain = loaded(folder)
    (folder / "config_sentence_transformers.json").write_text(
        json.dumps({"prompts": {"query": "query: ", "document": "passage: "}})
    )
    own, told = loaded(folder), loaded(folder, passage_prompt="at ")

    assert vector(own, "fox", "query") == pytest.approx(expected("query: fox"), abs=1e-4)
    assert vector(own, "fox") == pytest.approx(expected("passage: fox"), abs=1e-4)
    assert vector(told, "fox") == pytest.approx(expected("at fox"), abs=1e-4)
    assert own.count_tokens(["fox hunts"]) == [5]
    assert len({plain.model, own.model, told.model}) == 3


def test_other_weights_have_another_name(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "fox")
    former = loaded(folder).model
    changed = tensors()
    changed["embeddings.LayerNorm.bias"] += 0.1
    write_tensors(folder / "model.safetensors", changed)

    assert loaded(folder).model != former
    assert former.startswith("fox@")


def test_a_text_may_be_as_long_as_there_are_positions_and_the_folder_says(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "fox", model_type="xlm-roberta")
    assert loaded(folder).max_tokens == PLACES - 1
    (folder / "sentence_bert_config.json").write_text('{"max_seq_length": 9}')
    assert loaded(folder).max_tokens == 9


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("config.json", '{"model_type": "gpt2"}', "no model of a kind that is known"),
        ("config.json", None, "cannot be read"),
        ("model.safetensors", None, "RAG_SENTENCE_MODEL"),
        ("model.safetensors", "\x05\0\0\0\0\0\0\0{bad}", "is damaged"),
        ("model.safetensors", "\x02\0\0\0\0\0\0\0{}", "holds no BERT model"),
        ("tokenizer.json", "{}", "is no tokenizer"),
        ("1_Pooling/config.json", '{"pooling_mode_lasttoken": true}', "lasttoken"),
    ],
)
def test_a_folder_that_cannot_be_used_says_why(
    tmp_path: Path, file: str, content: str | None, said: str
) -> None:
    folder = write_folder(tmp_path / "fox")
    (folder / file).unlink()
    if content is not None:
        (folder / file).write_text(content)

    with pytest.raises(ModelUnavailable, match=said):
        loaded(folder)


def test_the_model_in_the_box_is_the_same_from_its_folder(tmp_path: Path) -> None:
    shutil.copytree(find_model().weights.parent, tmp_path / "minilm")
    texts = ["A cat sits on the mat.", "Zinssätze steigen."]
    named = load_sentence_folder(tmp_path / "minilm", tmp_path / "graphs", threads=1)
    boxed = load_minilm(tmp_path / "graphs", threads=1)

    assert named.count_tokens(texts) == boxed.count_tokens(texts)
    assert named.max_tokens == boxed.max_tokens
    ours, theirs = (asyncio.run(each.embed(texts, "passage")) for each in (named, boxed))
    assert ours == pytest.approx(theirs)
