"""Which models a key may use."""

import httpx
import pytest
from fake_mistral.app import FakeMistral

from rag.errors import ProviderRefused
from rag.mistral.client import MistralClient
from rag.mistral.models import is_available, models
from rag.mistral.wire import ModelCard

pytestmark = pytest.mark.anyio


async def test_every_pinned_model_is_looked_up_in_one_call(
    client: MistralClient, fake: FakeMistral
) -> None:
    cards = await models(client)

    assert is_available("mistral-embed", cards)
    assert not is_available("mistral-tiny", cards)
    assert len(fake.received) == 1


def test_an_alias_is_a_name_of_its_model() -> None:
    card = ModelCard("mistral-large-2512", aliases=("mistral-large-latest",))

    assert is_available("mistral-large-latest", (card,))


async def test_a_wrong_key_is_noticed(fake: FakeMistral) -> None:
    client = MistralClient("another-key", transport=httpx.ASGITransport(fake.app))  # type: ignore[arg-type]

    with pytest.raises(ProviderRefused, match="refuses the key"):
        await models(client)

    await client.close()
