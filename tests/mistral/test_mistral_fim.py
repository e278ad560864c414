"""A gap in code is filled."""

import pytest
from fake_mistral.app import FakeMistral
from fake_mistral.faults import Changed

from rag.errors import MalformedReply, ProviderRefused
from rag.mistral.chat.fim import fill_in
from rag.mistral.client import MistralClient

pytestmark = pytest.mark.anyio

PROMPT = "def twice(number):\n    "


async def test_a_gap_is_filled(client: MistralClient, fake: FakeMistral) -> None:
    fake.script.append("return 2 * number")

    filled = await fill_in(client, PROMPT, "\n\nprint(twice(3))")

    assert filled.text == "return 2 * number"
    assert filled.units is not None
    assert filled.units.input + filled.units.output == fake.tokens_billed


async def test_what_is_not_set_is_not_sent(client: MistralClient, fake: FakeMistral) -> None:
    await fill_in(client, PROMPT)

    [sent] = fake.answered("/v1/fim/completions")
    assert sent.keys() == {"model", "prompt", "max_tokens", "temperature"}


async def test_the_text_ends_before_a_stop_word(client: MistralClient, fake: FakeMistral) -> None:
    fake.script.append("return 2 * number\n\ndef thrice(number):")

    filled = await fill_in(client, PROMPT, stop=["\n\ndef"])

    assert filled.text == "return 2 * number"


async def test_a_text_that_is_too_long_says_so(client: MistralClient, fake: FakeMistral) -> None:
    fake.script.append("return " + "number + " * 1_000)

    filled = await fill_in(client, PROMPT, max_tokens=10)

    assert filled.is_cut_off


async def test_an_unreadable_reply_is_asked_for_once_more(
    client: MistralClient, fake: FakeMistral
) -> None:
    fake.faults = [Changed(lambda body: body[:-1])] * 9

    with pytest.raises(MalformedReply):
        await fill_in(client, PROMPT)

    assert len(fake.received) == 2


async def test_a_model_that_does_not_fill_in_is_refused(client: MistralClient) -> None:
    with pytest.raises(ProviderRefused):
        await fill_in(client, PROMPT, model="mistral-large-2512")
