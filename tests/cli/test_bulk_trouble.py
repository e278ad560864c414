"""A server that goes away while files are handed in: one sentence, and nothing left hanging."""

import asyncio
import gc
from pathlib import Path

import httpx
import pytest

from rag.cli import bulk, parcels
from rag.cli.bulk import ingest_files
from rag.cli.door import Door
from rag.errors import RagError
from rag.sources.found import Found

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

    with pytest.raises(RagError, match="does not answer: gone") as raised:
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
