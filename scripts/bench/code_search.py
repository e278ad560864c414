#!/usr/bin/env python3
"""How well code is found: labelled questions over public repositories.

    python scripts/bench/code_search.py EVAL REPOSITORIES [--data-dir DIR] [--only semble|commits]

EVAL holds `semble-bench-dev` and `commit-loc-dev`; REPOSITORIES holds the git repositories that
they name, as `owner+name/repo`. What was indexed stays in the data folder, so a second run only
asks. All questions are asked in one configuration: files, best first.
"""

import argparse
import json
import math
import statistics
import time
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from rag.codebase.indexing import index
from rag.codebase.searching import CodeQuery, CodeResult, search_code
from rag.errors import NotFound
from rag.storage.library import Library

K = 10
MORE = 40  # files asked for where a figure needs more than ten


class Clock:
    """Wall time of each question, in milliseconds."""

    def __init__(self) -> None:
        self.times: list[float] = []

    def ask(self, library: Library, name: str, query: CodeQuery) -> CodeResult:
        started = time.perf_counter()
        result = search_code(query, [library.code.find(name)], library=library)
        self.times.append(1000 * (time.perf_counter() - started))
        return result

    def told(self) -> str:
        times = sorted(self.times)
        return f"p50 {times[len(times) // 2]:.1f} ms, p95 {times[int(len(times) * 0.95)]:.1f} ms"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("eval", type=Path)
    parser.add_argument("repositories", type=Path)
    parser.add_argument("--data-dir", type=Path, default=Path("data-code-bench"))
    parser.add_argument("--every", type=int, default=1, help="only each n-th commit")
    parser.add_argument("--only", choices=["semble", "commits"])
    given = parser.parse_args()
    with Library.open(given.data_dir.resolve()) as library:
        if given.only != "commits":
            semble(library, given.eval / "semble-bench-dev", given.repositories)
        if given.only != "semble":
            commits(library, given.eval / "commit-loc-dev", given.repositories, given.every)


# --- files that answer a question ---------------------------------------------------------------


def semble(library: Library, folder: Path, repositories: Path) -> None:
    scores: dict[str, list[float]] = defaultdict(list)
    clock = Clock()
    for corpus in json.loads((folder / "corpora.json").read_text()):
        if not corpus["targets_present"]:
            print(f"{corpus['name']}: its targets are not in the revision that is stored, left out")
            continue
        prepare(
            library, repositories, corpus["fetch"].removeprefix("github:"), corpus["use_revision"]
        )
        questions = json.loads((folder / "annotations" / f"{corpus['name']}.json").read_text())
        own = [
            (asked["category"], ndcg(found(library, clock, corpus, asked["query"]), asked))
            for asked in questions
        ]
        for category, score in own:
            scores[category].append(score)
            scores["all"].append(score)
        print(f"{corpus['name']:18} {statistics.mean(score for _, score in own):.3f}")
    for category, all in sorted(scores.items()):
        print(f"semble {category:14} NDCG@10 {statistics.mean(all):.4f} over {len(all)}")
    print("semble", clock.told())


def found(library: Library, clock: Clock, corpus: dict[str, Any], text: str) -> list[Any]:
    root = corpus["benchmark_root"]
    query = CodeQuery(text, K, corpus["use_revision"], paths=(f"{root}/",) if root else ())
    name = name_of(corpus["fetch"].removeprefix("github:"))
    return list(clock.ask(library, name, query).hits)


def ndcg(hits: Sequence[Any], asked: dict[str, Any]) -> float:
    """Binary gain; a target counts where the first hit that matches it stands."""
    targets = [t if isinstance(t, dict) else {"path": t} for t in asked["relevant"]]
    targets += [t if isinstance(t, dict) else {"path": t} for t in asked["secondary"]]
    ranks = [rank for target in targets if (rank := rank_of(hits, target)) is not None]
    gain = sum(1 / math.log2(rank + 1) for rank in ranks)
    return gain / sum(1 / math.log2(rank + 1) for rank in range(1, min(K, len(targets)) + 1))


def rank_of(hits: Sequence[Any], target: dict[str, Any]) -> int | None:
    wanted = target["path"]
    for rank, hit in enumerate(hits, start=1):
        is_it = (
            hit.path == wanted or hit.path.endswith(f"/{wanted}") or wanted.endswith(f"/{hit.path}")
        )
        if is_it and overlaps(hit, target):
            return rank
    return None


def overlaps(hit: Any, target: dict[str, Any]) -> bool:
    if "start_line" not in target:
        return True
    spans = [(hit.start_line, hit.end_line), *((s.start_line, s.end_line) for s in hit.more)]
    return any(start <= target["end_line"] and target["start_line"] <= end for start, end in spans)


# --- files that a commit changed ----------------------------------------------------------------


def commits(library: Library, folder: Path, repositories: Path, every: int) -> None:
    clock = Clock()
    ranks: list[tuple[bool, int | None, float]] = []
    for case in list(cases(folder))[::every]:
        prepare(library, repositories, case["repo"], case["base_commit"])
        query = CodeQuery(case["query"], MORE, case["base_commit"])
        hits = clock.ask(library, name_of(case["repo"]), query).hits
        paths = [hit.path for hit in hits]
        places = [paths.index(gold) if gold in paths else None for gold in case["gold_files"]]
        last = None if None in places else max(place + 1 for place in places if place is not None)
        ranks.append((case["name_leak"], last, line_recall(hits[:K], case)))
    for name, chosen in (
        ("all", ranks),
        ("without name leaks", [each for each in ranks if not each[0]]),
    ):
        shares = [
            sum(1 for _, last, _ in chosen if last and last <= k) / len(chosen) for k in (1, 5, 10)
        ]
        told = " ".join(f"@{k} {share:.3f}" for k, share in zip((1, 5, 10), shares, strict=True))
        lines = statistics.mean(lines for _, _, lines in chosen)
        print(f"commits {name}: Acc {told}; changed spans in ten hits {lines:.3f}; n {len(chosen)}")
    print("commits", clock.told())


def line_recall(hits: Sequence[Any], case: dict[str, Any]) -> float:
    spans = case["gold_spans"]
    touched = [any(hit.path == s["path"] and overlaps(hit, s) for hit in hits) for s in spans]
    return sum(touched) / len(touched) if touched else 1.0


def cases(folder: Path) -> Iterator[dict[str, Any]]:
    for line in (folder / "cases.jsonl").read_text().splitlines():
        yield json.loads(line)


def prepare(library: Library, repositories: Path, repository: str, revision: str) -> None:
    """Indexes it unless it is."""
    name = name_of(repository)
    try:
        library.code.snapshot(library.code.find(name), revision)
    except NotFound:
        index(repositories / name / "repo", revision, name=name, library=library)


def name_of(repository: str) -> str:
    return repository.replace("/", "+")


if __name__ == "__main__":
    main()
