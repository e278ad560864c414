"""Words alone: how well judged questions are answered, and what finding words costs.

    python scripts/bench/words.py FOLDER...

Each FOLDER holds `corpus.jsonl`, `queries.jsonl` and `qrels.tsv` in the BEIR layout. A text is one
row of a word index that is filled and asked as the service does it, title twice. The costs are of
the process's CPU; a question's are of those that were asked.
"""

import argparse
import json
import tempfile
import time
from pathlib import Path
from statistics import mean

from rag.evaluation.metrics import ndcg, recall
from rag.storage.lexical.rows import Entry
from rag.storage.lexical.words import WordIndex

AT_ONCE = 1_000  # rows handed to the index together


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folders", type=Path, nargs="+")
    print(f"{'set':14s} {'ndcg@10':>8s} {'recall@10':>10s} {'questions':>10s} {'us/row':>7s}"
          f" {'us/question':>12s}  languages")  # fmt: skip
    for folder in parser.parse_args().folders:
        with tempfile.TemporaryDirectory() as scratch:
            measure(folder, WordIndex(Path(scratch) / "words", "bench"))


def measure(folder: Path, index: WordIndex) -> None:
    texts = {row["_id"]: text_of(row) for row in rows(folder / "corpus.jsonl")}
    ids = list(texts)
    began = time.process_time()
    for first in range(0, len(ids), AT_ONCE):
        some = enumerate(ids[first : first + AT_ONCE], first + 1)
        index.change([Entry(n, id, texts[id]) for n, id in some], [], first + AT_ONCE)
        index.absorb()
    filled = time.process_time()
    judged = qrels(folder / "qrels.tsv")
    questions = {row["_id"]: row["text"] for row in rows(folder / "queries.jsonl")}
    found = {
        id: [ids[chunk - 1] for chunk, _ in index.search(questions[id], 10).ranking]
        for id in judged
    }
    asked = time.process_time()
    name = "/".join(folder.parts[-2:])
    languages = sorted(index.languages().items(), key=lambda each: -each[1])
    print(f"{name:14s} {mean(ndcg(found[q], judged[q]) for q in judged):8.4f}"
          f" {mean(recall(found[q], judged[q]) for q in judged):10.4f} {len(judged):10d}"
          f" {1e6 * (filled - began) / len(ids):7.0f} {1e6 * (asked - filled) / len(judged):12.0f}"
          f"  {', '.join(f'{code} {n}' for code, n in languages)}")  # fmt: skip
    index.close()


def text_of(row: dict[str, str]) -> str:
    title = row.get("title") or ""
    return "\n".join((title, title, row["text"]) if title else (row["text"],))


def rows(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def qrels(path: Path) -> dict[str, dict[str, float]]:
    judged: dict[str, dict[str, float]] = {}
    for line in path.read_text().splitlines()[1:]:
        question, document, gain = line.split("\t")
        if float(gain) > 0:
            judged.setdefault(question, {})[document] = float(gain)
    return judged


if __name__ == "__main__":
    main()
