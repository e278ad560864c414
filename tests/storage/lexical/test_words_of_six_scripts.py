"""Each question finds its paragraph among all of them, in six scripts at once."""

import json
from pathlib import Path
from statistics import mean

import pytest

from rag.evaluation.metrics import ndcg
from rag.storage.lexical.rows import Entry
from rag.storage.lexical.words import WordIndex

DATA = Path(__file__).parents[2] / "ranking" / "analysis" / "data"
ROWS = {
    path.stem: [json.loads(line) for line in path.read_text().splitlines()]
    for path in sorted(DATA.glob("*.jsonl"))
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> WordIndex:
    index = WordIndex(tmp_path_factory.mktemp("six") / "words", "library/1")
    texts = [row["text"] for rows in ROWS.values() for row in rows]
    index.change([Entry(n, f"doc_{n}", text) for n, text in enumerate(texts, 1)], [], len(texts))
    index.absorb()
    return index


@pytest.mark.parametrize("language", ROWS)
def test_questions_find_their_paragraphs(index: WordIndex, language: str) -> None:
    first = 1 + 20 * list(ROWS).index(language)
    gains = [
        ndcg([str(chunk) for chunk, _ in index.search(row["question"], 10).ranking], {str(n): 1.0})
        for n, row in enumerate(ROWS[language], first)
    ]

    assert mean(gains) >= 0.9


def test_their_languages_are_told(index: WordIndex) -> None:
    assert index.languages() == dict.fromkeys(ROWS, 20)
