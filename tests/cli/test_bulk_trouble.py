"""A server that goes away while files are handed in: one sentence, and nothing left hanging."""

import asyncio
import gc
from pathlib import Path

import httpx
import pytest

from rag.cli import bulk, door, parcels
from rag.cli.bulk import ingest_files
from rag.cli.door import Door
from rag.errors import RagError
from rag.sources.found import Found

pytestmark = pytest.mark.anyio
EMPTY = {"data": [], "has_more": False, "next": None}


def files(folder: Path, count: int) -> list[Found]:
    for number in range(count):
        (folder / f"{number}.md").write_text(f"# {number}\n")
    return [Found(f"{number}.md", folder / f"{number}.md") for number in range(count)]


def test_a_server_that_dies_is_told_of_once_and_how_to_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parcels, "MOST_FILES", 1)

    async def handed_in() -> None:
        async with httpx.AsyncClient(
            transport=httpx.MockTransport(dying), base_url="http://rag"
        ) as http:
            await ingest_files(
                files(tmp_path, 3 * bulk.UNDER_WAY), "c", Door(http, "here"), told=lambda _: None
            )

    with pytest.raises(RagError, match=r"does not answer \(gone\)") as raised:
        asyncio.run(handed_in())
    assert "once it runs again, the same command goes on" in str(raised.value)
    gc.collect()  # a coroutine that nobody awaited would be told of now


async def dying(request: httpx.Request) -> httpx.Response:
    """Up to the first parcel."""
    await asyncio.sleep(0)
    if request.url.path.endswith("/refused"):
        wanted = 3 * bulk.UNDER_WAY
        return httpx.Response(200, json={"data": [None] * wanted})
    if request.method == "POST":
        await asyncio.sleep(0.05)
        raise httpx.ReadError("gone.")
    return httpx.Response(200, json=EMPTY)


async def test_a_server_that_comes_back_elsewhere_is_found_and_the_wait_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(door, "AWAY", 0.001)
    asked: list[str] = []
    heard: list[str | None] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(str(request.url))
        if request.url.port == 1 or len(asked) < 3:
            raise httpx.ReadTimeout("")
        return httpx.Response(200, json={"is": "back"})

    transport = httpx.MockTransport(answer)
    async with httpx.AsyncClient(transport=transport, base_url="http://rag:1") as http:
        patient = Door(http, "http://rag:1", lambda: "http://rag:2").patient(heard.append)

        assert await patient.call("GET", "/x") == {"is": "back"}
    assert asked == ["http://rag:1/x", "http://rag:2/x", "http://rag:2/x"]
    assert heard == ["the server does not answer; waiting for it", None]


async def test_patience_ends_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door, "AWAY", 0.001)
    monkeypatch.setattr(door, "PATIENCE", 0.01)

    def never(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("")

    async with httpx.AsyncClient(
        transport=httpx.MockTransport(never), base_url="http://rag"
    ) as http:
        with pytest.raises(RagError, match=r"http://rag does not answer \(ReadTimeout\)"):
            await Door(http, "http://rag").patient(lambda _: None).call("GET", "/x")
