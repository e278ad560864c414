"""The fake provider, in process and over real HTTP."""

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
from fake_mistral.app import KEY, FakeMistral
from fake_mistral.clock import Clock
from fake_mistral.serving import served

from rag.mistral.client import MistralClient


@pytest.fixture
def fake() -> Iterator[FakeMistral]:
    fake = FakeMistral()
    yield fake
    assert fake.mistakes == []


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def client(fake: FakeMistral, clock: Clock) -> AsyncIterator[MistralClient]:
    transport = httpx.ASGITransport(fake.app)  # type: ignore[arg-type]  # two names of ASGI's types
    client = MistralClient(KEY, transport=transport, clock=clock, chance=lambda: 0.5)
    yield client
    await client.close()


@pytest.fixture
def url(fake: FakeMistral, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Of the fake provider over real HTTP, past any proxy."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with served(fake) as base_url:
        yield base_url


@pytest.fixture
async def http_client(url: str, clock: Clock) -> AsyncIterator[MistralClient]:
    client = MistralClient(KEY, base_url=url, clock=clock, chance=lambda: 0.5)
    yield client
    await client.close()
