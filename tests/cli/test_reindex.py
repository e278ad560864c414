"""`rag reindex` and `rag indexes`, as a person runs them."""

import json
from pathlib import Path

import pytest

from tests.cli.shells import Shell

DOCUMENTS = {
    "whale.md": "The whale lives in the sea.",
    "camel.md": "The camel lives in the desert.",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With two documents that are in its library."""
    folder = tmp_path_factory.mktemp("reindex")
    for name, text in DOCUMENTS.items():
        (folder / name).write_text(text)
    rag(folder, "ingest", "whale.md", "camel.md", "-q")
    return folder


def rag(folder: Path, *words: str, code: int = 0) -> str:
    done = Shell(folder).run(*words, library="data")
    assert done.code == code, done.err
    return done.out + done.err


def indexes(folder: Path) -> list[dict[str, object]]:
    listed: list[dict[str, object]] = json.loads(rag(folder, "indexes", "--json").splitlines()[0])
    return listed


def test_from_the_forecast_to_going_back(folder: Path) -> None:
    """One story, because every command takes a second to start."""
    (folder / "questions.jsonl").write_text(
        '{"text": "Who lives in the desert?", "relevant": {"camel.md": 1}}\n'
    )
    forecast = rag(folder, "reindex", "--chunk-tokens", "64", "--dry-run")
    assert "tokens to embed" in forecast
    assert "Nothing was kept or sent" in forecast

    compared = ("--compare", "questions.jsonl")
    built = rag(folder, "reindex", "--chunk-tokens", "64", "--switch", *compared, "-q")
    assert "recall@10" in built
    now, former = indexes(folder)
    assert (now["serves"], now["chunk_tokens"], former["serves"]) == (True, 64, False)
    assert "camel.md" in rag(folder, "search", "Who lives in the desert?")

    listed = rag(folder, "indexes", "--switch", str(former["id"]))
    assert "embedded for each" in " ".join(listed.split())
    assert [one["id"] for one in indexes(folder)] == [former["id"], now["id"]]
    rag(folder, "indexes", "--drop", str(now["id"]))
    assert [one["id"] for one in indexes(folder)] == [former["id"]]
    assert "is just that" in " ".join(rag(folder, "reindex", code=2).split())
