"""When the embedded answerer answers: the weights of `rag.grounding.answerability`, fitted.

    rag eval FOLDER --keep LIBRARY         # for each set
    python scripts/fit_answerer.py FOLDER=LIBRARY ...

Where a set has nothing unanswerable, every other question is asked without its document. Each set
is halved by its questions' ids. For all sets together, and for each alone, the weights of one half
are printed, and on the other half the shares refused and answered: of a set that was not fitted
on, the other half too. Nothing is drawn by chance.
"""

import argparse
import asyncio
import hashlib
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from rag.cli.evaluate.folders import found_files, library_name, read_folder, write_files
from rag.domain import Collection
from rag.evaluation.answers import hidden
from rag.evaluation.sets import Question
from rag.grounding.answerability import Signs
from rag.grounding.extract import signs
from rag.grounding.pieces import shortlist
from rag.local.extractive import nearness
from rag.ranking.filters import Eq, Ne
from rag.retrieval.queries import Query
from rag.settings import load_settings
from rag.wiring import Services

NAMES = ("nearest", "beyond", "found", "lead", "said", "unheard")
RIDGE = 0.003
"""Of the squared weights of signs brought to one spread, for each question: keeps signs that say
nearly the same from canceling each other out."""
STEPS = 30  # of Newton's method; a logistic of six signs has settled long before

Numbers: TypeAlias = npt.NDArray[np.float64]


class Judged(Struct, frozen=True):
    """A set, as its signs: (n, signs), whether each has an answer, and in which half it is."""

    name: str
    signs: Numbers
    answerable: Numbers
    half: Numbers


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sets", nargs="+", metavar="FOLDER=LIBRARY")
    given = parser.parse_args()
    judged = [asyncio.run(look(*map(Path, each.split("=", 1)))) for each in given.sets]
    groups = [judged, *([each] for each in judged)] if len(judged) > 1 else [judged]
    for fitted in groups:
        report(fitted, judged)


async def look(folder: Path, library: Path) -> Judged:
    ground = read_folder(folder)
    questions: Sequence[Question] = ground.judged.questions
    if all(each.answerable for each in questions):
        questions = hidden(questions)
    answerable = {each.id for each in ground.judged.questions if each.answerable}
    services = Services(load_settings({"RAG_DATA_DIR": str(library)}))
    try:
        with tempfile.TemporaryDirectory() as scratch:
            ids = {} if ground.paths else write_files(ground.judged.passages, Path(scratch))
            files = found_files(ground.paths or (Path(scratch),))
            collection = services.library.collections.find(library_name(files))
        keys = {id: key for key, id in ids.items()}
        rows = []
        for question in questions:
            key = keys.get(question.document or "", question.document or "")
            lacks = question.id in answerable and not question.answerable
            kept = Ne("key", key) if lacks else Eq("key", key) if not ids else None
            found = await signs_for(Query(question.text, filter=kept), collection, services)
            rows.append((found, question.answerable, half_of(question.id)))
    finally:
        services.library.close()
    seen = [row for row in rows if row[0] is not None]
    columns = [[float(getattr(found, name)) for name in NAMES] for found, _, _ in seen]
    told, half = np.array([[*map(float, row[1:])] for row in seen]).T
    return Judged(ground.name, np.array(columns), told, half)


async def signs_for(query: Query, collection: Collection, services: Services) -> Signs | None:
    """None where nothing was found that could be quoted."""
    assert collection.embedding_model is not None
    result = await services.search(query, collection)
    pieces = shortlist(query.text, services.library.chunks.evidence(result.data))
    if not pieces:
        return None
    embedder = services.embedders[collection.embedding_model]
    return signs(query.text, pieces, await nearness(query.text, pieces, embedder=embedder))


def half_of(id: str) -> int:
    return hashlib.sha256(id.encode()).digest()[0] % 2


def report(fitted: Sequence[Judged], judged: Sequence[Judged]) -> None:
    print(f"fitted on {' and '.join(each.name for each in fitted)}")
    odds = {each.name: np.zeros(len(each.half)) for each in judged}
    for half in (0, 1):
        weights, even = fit(fitted, half)
        shown = ", ".join(f"{n} {w:.1f}" for n, w in zip(NAMES, weights, strict=True))
        print(f"  half {half}: even {even:.1f}, {shown}")
        for each in judged:
            rest = each.half != half
            odds[each.name][rest] = each.signs[rest] @ weights + even
    for each in judged:
        answers, is_answerable = odds[each.name] >= 0, each.answerable > 0
        refused, answered = 1 - answers[~is_answerable].mean(), answers[is_answerable].mean()
        print(f"  {each.name}: refused {refused:.3f}, answered {answered:.3f}")


def fit(sets: Sequence[Judged], half: int) -> tuple[Numbers, float]:
    """Logistic regression by Newton's method; each set, and each answer in it, has one vote."""
    parts = [each.half == half for each in sets]
    signs = np.concatenate([each.signs[part] for each, part in zip(sets, parts, strict=True)])
    told = np.concatenate([each.answerable[part] for each, part in zip(sets, parts, strict=True)])
    votes = np.concatenate(
        [_votes(each.answerable[p]) for each, p in zip(sets, parts, strict=True)]
    )
    mean, spread = signs.mean(axis=0), signs.std(axis=0) + 1e-9
    columns = np.c_[(signs - mean) / spread, np.ones(len(signs))]
    ridge = RIDGE * votes.sum() * np.diag([*[1.0] * len(NAMES), 0.0])
    weights = np.zeros(len(NAMES) + 1)
    for _ in range(STEPS):
        chance = 1 / (1 + np.exp(-columns @ weights))
        slope = columns.T @ (votes * (told - chance)) - ridge @ weights
        bend = (columns * (votes * chance * (1 - chance))[:, None]).T @ columns + ridge
        weights += np.linalg.solve(bend, slope)
    scaled = weights[:-1] / spread
    return scaled, float(weights[-1] - mean @ scaled)


def _votes(told: Numbers) -> Numbers:
    share = float(told.mean())
    each = np.where(told > 0, 0.5 / share, 0.5 / (1 - share))
    return np.asarray(each / len(told), np.float64)


if __name__ == "__main__":
    main()
