"""How fast, how small and how good the embedded sentence model is.

    python scripts/bench/embedding.py speed [--seconds 20] [--threads 1]
    python scripts/bench/embedding.py memory [--precision int8]
    python scripts/bench/embedding.py quality FOLDER [--passages whole|chunks] [--vectors FOLDER]
    python scripts/bench/embedding.py chunks FILE ...

speed: passages per CPU second (process time, so that idle cores do not count and busy neighbors
count little), the best of rounds taken in turn, beside sentence-transformers where that is
importable. Its figure is that of its best batch size here.
memory: resident memory of the process before and after texts of every length, in MB.
quality: cosines of int8 with float32, and the nDCG@10 and recall@10 of both on a folder with
`corpus.jsonl`, `queries.jsonl` and `qrels.tsv`, by meaning alone. `whole` embeds title and text
cut at 256 tokens; `chunks` embeds the chunks, and a document ranks by its best.
chunks: chunks per CPU second of markdown files.
"""

import argparse
import asyncio
import hashlib
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import get_args

import msgspec
import numpy as np
from msgspec import Struct

from rag.chunking.chunks import chunk
from rag.chunking.markdown import blocks
from rag.domain import Document, Vectors, embedded_text, version_of
from rag.evaluation.metrics import ndcg, recall
from rag.local.bert import BertEmbedder
from rag.local.bert_graph import Precision
from rag.local.minilm import MAX_TOKENS, load_minilm, load_tokenizer
from rag.local.weights import find_model

MODELS = Path(tempfile.gettempdir()) / "rag-bench-models"
WORDS = (Path(__file__).parents[2] / "LICENSE").read_text().split()
LENGTHS = (16, 64, 256)  # tokens: a question, a sentence or two, a chunk
AT_ONCE = 4


class Passage(Struct):
    id: str = msgspec.field(name="_id")
    text: str = ""
    title: str = ""


# --- speed --------------------------------------------------------------------------------------


def speed(seconds: float, threads: int) -> None:
    ours = {p: load_minilm(MODELS, precision=p, threads=threads) for p in get_args(Precision)}
    runs: dict[str, Callable[[list[str]], object]] = {
        model.model: lambda texts, model=model: asyncio.run(model.embed(texts, "passage"))
        for model in ours.values()
    }
    runs |= reference_runs(threads)
    for length in LENGTHS:
        texts = texts_of(length, ours["int8"])
        best = best_times(runs, texts, seconds / len(LENGTHS))
        slowest = max(best.values())
        for name, cpu in best.items():
            rate = len(texts) / cpu
            print(f"{length:4} tokens  {name:42} {rate:8.1f} /CPU-s  x {slowest / cpu:.2f}")


def reference_runs(threads: int) -> dict[str, Callable[[list[str]], object]]:
    try:
        import torch
        from sentence_transformers import SentenceTransformer
    except ImportError:
        print("sentence-transformers is not importable here: no comparison")
        return {}
    torch.set_num_threads(threads)
    model = SentenceTransformer(str(find_model().weights.parent), device="cpu")
    return {
        f"sentence-transformers, batches of {size}": lambda texts, size=size: model.encode(
            texts, batch_size=size
        )
        for size in (1, AT_ONCE)
    }


def texts_of(length: int, model: BertEmbedder) -> list[str]:
    """`AT_ONCE` different texts of exactly so many tokens."""
    texts = []
    for start in range(0, AT_ONCE * 100, 100):
        words = 1
        while model.count_tokens([" ".join(WORDS[start : start + words])])[0] < length:
            words += 1
        texts.append(" ".join(WORDS[start : start + words]))
    return [text if model.count_tokens([text])[0] <= MAX_TOKENS else text[:-9] for text in texts]


def best_times(
    runs: dict[str, Callable[[list[str]], object]], texts: list[str], seconds: float
) -> dict[str, float]:
    best: dict[str, float] = defaultdict(lambda: float("inf"))
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        for name, run in runs.items():
            began = time.process_time()
            run(texts)
            best[name] = min(best[name], time.process_time() - began)
    return best


# --- memory -------------------------------------------------------------------------------------


def memory(precision: Precision) -> None:
    before = resident()
    model = load_minilm(MODELS, precision=precision)
    loaded = resident()
    texts = [" ".join(WORDS[:length]) for length in range(1, 180)]
    asyncio.run(model.embed(texts, "passage"))
    print(f"{model.model}: {before} MB with libraries imported, {loaded} MB loaded, ", end="")
    print(f"{resident()} MB after embedding")


def resident() -> int:
    fields = Path("/proc/self/status").read_text().split("VmRSS:")[1].split()
    return int(fields[0]) // 1024


# --- quality ------------------------------------------------------------------------------------


def quality(folder: Path, kind: str, vectors: Path) -> None:
    corpus, queries = read(folder / "corpus.jsonl"), read(folder / "queries.jsonl")
    relevant = judgments(folder / "qrels.tsv")
    queries = [query for query in queries if query.id in relevant]
    tokenizer_of = load_minilm(MODELS, precision="int8")
    passages = chunked(corpus, tokenizer_of) if kind == "chunks" else cut(corpus)
    print(f"{len(corpus)} documents, {len(passages)} passages, {len(queries)} queries")
    found: dict[str, Vectors] = {}
    for precision in get_args(Precision):
        model = load_minilm(MODELS, precision=precision)
        rows = embedded(model, [passage.text for passage in passages], vectors)
        asked = asyncio.run(model.embed([query.text for query in queries], "query"))
        found[precision] = rows
        rankings = ranked(asked @ rows.T, [passage.id for passage in passages])
        gains = [relevant[query.id] for query in queries]
        scores = [ndcg(ranking, gain) for ranking, gain in zip(rankings, gains, strict=True)]
        recalls = [recall(ranking, gain) for ranking, gain in zip(rankings, gains, strict=True)]
        print(f"{model.model}: nDCG@10 {np.mean(scores):.4f}  recall@10 {np.mean(recalls):.4f}")
    cosines = (found["int8"] * found["float32"]).sum(axis=1)
    print(f"cosine of int8 with float32: mean {cosines.mean():.4f}, least {cosines.min():.4f}")


def read(path: Path) -> list[Passage]:
    decode = msgspec.json.Decoder(Passage).decode
    return [decode(line) for line in path.read_bytes().splitlines()]


def judgments(path: Path) -> dict[str, dict[str, float]]:
    relevant: dict[str, dict[str, float]] = defaultdict(dict)
    for line in path.read_text().splitlines()[1:]:
        query, document, gain = line.split("\t")
        relevant[query][document] = float(gain)
    return relevant


def cut(corpus: Sequence[Passage]) -> list[Passage]:
    tokenizer = load_tokenizer(find_model())
    tokenizer.enable_truncation(MAX_TOKENS)
    texts = [f"{passage.title}\n{passage.text}" for passage in corpus]
    ends = [max(end for _, end in encoding.offsets) for encoding in tokenizer.encode_batch(texts)]
    return [
        Passage(passage.id, text[:end])
        for passage, text, end in zip(corpus, texts, ends, strict=True)
    ]


def chunked(corpus: Sequence[Passage], model: BertEmbedder) -> list[Passage]:
    return [
        Passage(passage.id, embedded_text(each, passage.title))
        for passage in corpus
        for each in chunk(
            document(passage.text, passage.title), limit=MAX_TOKENS, count_tokens=model.count_tokens
        )
    ]


def embedded(model: BertEmbedder, texts: list[str], folder: Path) -> Vectors:
    """Kept in `folder` by model and texts: ten thousand passages take minutes."""
    name = hashlib.sha256("\x1f".join([model.model, *texts]).encode()).hexdigest()[:16]
    path = folder / f"{name}.npy"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        np.save(path, asyncio.run(model.embed(texts, "passage")))
    return np.asarray(np.load(path), np.float32)


def ranked(scores: Vectors, ids: Sequence[str]) -> list[list[str]]:
    orders = np.argsort(-scores, axis=1, kind="stable")[:, :200]
    return [list(dict.fromkeys(ids[i] for i in order)) for order in orders]


# --- chunks -------------------------------------------------------------------------------------


def chunks(paths: Sequence[Path]) -> None:
    model = load_minilm(MODELS)
    documents = [document(path.read_text(), path.name) for path in paths]
    began = time.process_time()
    found = [
        each
        for one in documents
        for each in chunk(one, limit=MAX_TOKENS, count_tokens=model.count_tokens)
    ]
    cpu = time.process_time() - began
    characters = sum(len(one.text) for one in documents)
    tokens = [each.tokens for each in found]
    print(
        f"{characters / 1e6:.2f} M characters, {len(found)} chunks, {len(found) / cpu:.0f} /CPU-s"
    )
    print(f"tokens a chunk: mean {np.mean(tokens):.0f}, median {np.median(tokens):.0f}, ", end="")
    print(f"most {max(tokens)}")


def document(text: str, title: str) -> Document:
    return Document("bench", version_of(b""), "text/markdown", title, text, blocks(text))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    of_speed = commands.add_parser("speed")
    of_speed.add_argument("--seconds", type=float, default=20)
    of_speed.add_argument("--threads", type=int, default=1)
    of_memory = commands.add_parser("memory")
    of_memory.add_argument("--precision", choices=get_args(Precision), default="int8")
    of_quality = commands.add_parser("quality")
    of_quality.add_argument("folder", type=Path)
    of_quality.add_argument("--passages", choices=("whole", "chunks"), default="whole")
    of_quality.add_argument("--vectors", type=Path, default=MODELS / "vectors")
    of_chunks = commands.add_parser("chunks")
    of_chunks.add_argument("files", type=Path, nargs="+")
    given = parser.parse_args()
    if given.command == "speed":
        speed(given.seconds, given.threads)
    elif given.command == "memory":
        memory(given.precision)
    elif given.command == "quality":
        quality(given.folder, given.passages, given.vectors)
    else:
        chunks(given.files)


if __name__ == "__main__":
    main()
