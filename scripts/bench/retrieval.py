"""How well a set of judged questions is answered, through the real ingest and search path.

    python scripts/bench/retrieval.py FOLDER [--library DIR]

FOLDER holds `corpus.jsonl`, `queries.jsonl` and `qrels.tsv` in the BEIR layout. Each document
becomes a file of its own and goes through reading, cutting, embedding and publishing; each question
goes through search in all three modes. Hits are collapsed to their documents before scoring.
A library given by name is kept, and used again the next time.
"""

import argparse
import asyncio
import json
import tempfile
from collections import defaultdict
from pathlib import Path
from statistics import mean

from rag.cli.bulk import ingest_files
from rag.cli.door import Door, open_door
from rag.cli.progress import progress_of
from rag.cli.show import summary
from rag.evaluation.metrics import distinct, mrr, ndcg, recall
from rag.settings import load_settings
from rag.sources.folder import find

DEPTH = 100  # hits asked for: documents cut in several chunks must still give ten documents
COLLECTION = "measured"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--library", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        library = given.library or Path(scratch) / "library"
        files = write_files(given.folder / "corpus.jsonl", Path(scratch) / "files")
        asyncio.run(measure(given.folder, files, library))


def write_files(corpus: Path, folder: Path) -> Path:
    folder.mkdir()
    for line in corpus.read_text().splitlines():
        entry = json.loads(line)
        heading = f"# {entry['title']}\n\n" if entry.get("title") else ""
        (folder / f"{entry['_id']}.md").write_text(f"{heading}{entry['text']}\n")
    return folder


async def measure(folder: Path, files: Path, library: Path) -> None:
    settings = load_settings({"RAG_DATA_DIR": str(library)})
    async with open_door(settings) as door:
        found = list(find([str(files)]))
        with progress_of(len(found)) as progress:
            done, outcomes = await ingest_files(
                found, COLLECTION, door, told=progress.told, paused=progress.paused
            )
        summary(done, outcomes)
        await settled(door)
        judged = qrels(folder / "qrels.tsv")
        questions = {
            entry["_id"]: entry["text"]
            for entry in map(json.loads, (folder / "queries.jsonl").read_text().splitlines())
            if entry["_id"] in judged
        }
        collection = await door.call("GET", f"/v1/collections/{COLLECTION}")
        print(f"{len(questions)} questions, {collection['chunks']} chunks,"
              f" dense weight {collection['dense_weight']:.3f}")  # fmt: skip
        print(f"{'mode':8s} {'ndcg@10':>8s} {'recall@10':>10s} {'recall@100':>11s} {'mrr@10':>8s}")
        for mode in ("hybrid", "dense", "words"):
            runs = {id_: await ranking(text, mode, door) for id_, text in questions.items()}
            figures = (
                mean(ndcg(runs[q], judged[q], k=10) for q in questions),
                mean(recall(runs[q], judged[q], k=10) for q in questions),
                mean(recall(runs[q], judged[q], k=100) for q in questions),
                mean(mrr(runs[q], judged[q], k=10) for q in questions),
            )
            print("{:8s} {:8.4f} {:10.4f} {:11.4f} {:8.4f}".format(mode, *figures))


async def settled(door: Door) -> None:
    """Waits until the self-check has set the collection's weight, which follows the last item."""
    previous = None
    while (now := (await door.call("GET", f"/v1/collections/{COLLECTION}"))) != previous:
        previous = now
        await asyncio.sleep(15)


async def ranking(text: str, mode: str, door: Door) -> list[str]:
    body = {"query": text, "k": DEPTH, "mode": mode}
    result = await door.call("POST", f"/v1/collections/{COLLECTION}/search", json=body)
    return distinct(hit["key"].removesuffix(".md") for hit in result["data"])


def qrels(path: Path) -> dict[str, dict[str, float]]:
    judged: dict[str, dict[str, float]] = defaultdict(dict)
    for line in path.read_text().splitlines()[1:]:
        question, document, score = line.split("\t")
        if float(score) > 0:
            judged[question][document] = float(score)
    return judged


if __name__ == "__main__":
    main()
