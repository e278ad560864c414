#!/usr/bin/env python3
"""A hundred times "where is X defined", over five languages: is the first hit the definition?

    python scripts/bench/code_definitions.py REPOSITORIES [--data-dir DIR] [--show]

REPOSITORIES holds bare git repositories as `owner+name/repo`. Names are drawn by a seed from lines
that define something, found by a pattern for each language, so that what our own parser does not
see counts against it. Of a name that is defined in several places, each of them is right.
"""

import argparse
import random
import re
import statistics
import time
from collections import defaultdict
from pathlib import Path

from msgspec import Struct

from rag.codebase.indexing import index
from rag.codebase.searching import CodeQuery, search_code
from rag.evaluation.intervals import interval
from rag.ranking.code.order import is_test
from rag.sources.git.repository import Place
from rag.storage.library import Library
from rag.syntax.worth import is_vendored

SEED = 20
PER_LANGUAGE = 20
MOST_PLACES = 3  # in which a name may be defined
SHORTEST = 4  # letters of a name

REPOSITORIES = {
    "python": ("encode/httpx", "pallets/click"),
    "go": ("gin-gonic/gin", "spf13/cobra"),
    "rust": ("serde-rs/serde", "tokio-rs/axum"),
    "javascript": ("axios/axios", "expressjs/express"),
    "java": ("google/gson", "apache/commons-lang"),
}
ENDINGS = {
    "python": (".py",),
    "go": (".go",),
    "rust": (".rs",),
    "javascript": (".js", ".mjs", ".cjs"),
    "java": (".java",),
}
DEFINES = {
    "python": r"^[ \t]*(?:async[ ]def|def|class)[ ](\w+)",
    "go": r"^(?:func[ ](?:\([^)]*\)[ ])?|type[ ])(\w+)",
    "rust": r"^[ \t]*(?:pub(?:\([^)]*\))?[ ])?(?:async[ ]|unsafe[ ]|const[ ])*"
    r"(?:fn|struct|enum|trait|type)[ ](\w+)",
    "javascript": r"^[ \t]*(?:export[ ])?(?:default[ ])?(?:async[ ])?(?:function\*?|class)[ ](\w+)",
    "java": r"^[ \t]*(?:public|protected|private|static|final|abstract|sealed|[ ])*"
    r"(?:class|interface|enum|record)[ ](\w+)",
}
QUESTIONS = (
    "where is {} defined",
    "where is {} implemented?",
    "definition of {}",
    "where is the {} {kind} defined",
    "{}",
)
KINDS = {"def": "function", "fn": "function", "func": "function", "function": "function"}


class Case(Struct, frozen=True):
    language: str
    repository: str
    question: str
    places: tuple[tuple[str, int], ...]
    """Path and line of each definition."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("repositories", type=Path)
    parser.add_argument("--data-dir", type=Path, default=Path("data-code-bench"))
    parser.add_argument("--show", action="store_true", help="the misses")
    given = parser.parse_args()
    scores: dict[str, list[float]] = defaultdict(list)
    times: list[float] = []
    with Library.open(given.data_dir.resolve()) as library:
        for language, repositories in REPOSITORIES.items():
            for repository in repositories:
                folder = given.repositories / repository.replace("/", "+") / "repo"
                name = f"definitions of {repository}"
                index(folder, "HEAD", name=name, library=library)
                for case in cases(language, repository, folder, PER_LANGUAGE // len(repositories)):
                    began = time.perf_counter()
                    found = search_code(
                        CodeQuery(case.question, ref="HEAD"),
                        [library.code.find(name)],
                        library=library,
                    ).hits
                    times.append(1000 * (time.perf_counter() - began))
                    is_first = bool(found) and any(
                        found[0].path == path and found[0].start_line <= line <= found[0].end_line
                        for path, line in case.places
                    )
                    for group in (language, "all"):
                        scores[group].append(float(is_first))
                    if given.show and not is_first:
                        first = f"{found[0].path}:{found[0].start_line}" if found else "nothing"
                        print(f"  {repository}: {case.question!r}: {first}, not {case.places[0]}")
    for group, hits in scores.items():
        low, high = interval(hits)
        told = f"{statistics.mean(hits):.3f} ({low:.2f} to {high:.2f})"
        print(f"{group:12} hit@1 {told} over {len(hits)}")
    print(f"a question, p50: {statistics.median(times):.1f} ms")


def cases(language: str, repository: str, folder: Path, count: int) -> list[Case]:
    """The same for the same commit, on any machine."""
    places, kinds = definitions(language, folder)
    names = sorted(name for name, where in places.items() if len(where) <= MOST_PLACES)
    draw = random.Random(f"{SEED}/{repository}")
    return [
        Case(
            language,
            repository,
            draw.choice(QUESTIONS).format(name, kind=kinds[name]),
            tuple(places[name]),
        )
        for name in draw.sample(names, count)
    ]


def definitions(
    language: str, folder: Path
) -> tuple[dict[str, list[tuple[str, int]]], dict[str, str]]:
    """Where each name is defined, outside of tests, and what it is."""
    pattern = re.compile(DEFINES[language])
    place = Place(folder)
    files = [
        file
        for file in place.tree("HEAD").files
        if file.path.endswith(ENDINGS[language])
        and not is_test(file.path)
        and not is_vendored(file.path)
    ]
    places: dict[str, list[tuple[str, int]]] = defaultdict(list)
    kinds: dict[str, str] = {}
    for file, content in place.contents(files):
        lines = (content or b"").decode(errors="replace").split("\n")
        for number, line in enumerate(lines, start=1):
            match = pattern.match(line)
            if match and len(match[1].strip("_")) >= SHORTEST:
                places[match[1]].append((file.path, number))
                kinds[match[1]] = KINDS.get(line.split(match[1])[0].split()[-1], "class")
    return places, kinds


if __name__ == "__main__":
    main()
