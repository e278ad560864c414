"""Files at the provider."""

import httpx
import pytest
from fake_mistral.app import FakeMistral
from fake_mistral.faults import Changed, Reply

from rag.errors import MalformedReply, ProviderRefused
from rag.mistral.client import MistralClient
from rag.mistral.files import delete_file, file_card, file_content, signed_url, upload

pytestmark = pytest.mark.anyio

CONTENT = b'{"custom_id": "a"}\n' * 1_000


async def uploaded(client: MistralClient, hours: int | None = None) -> str:
    card = await upload(
        client, CONTENT, "in.jsonl", purpose="batch", media_type="application/jsonl", hours=hours
    )
    return card.id


async def test_a_file_comes_back_as_it_was_sent(client: MistralClient) -> None:
    file_id = await uploaded(client)

    assert await file_content(client, file_id, largest=len(CONTENT)) == CONTENT
    assert (await file_card(client, file_id)).filename == "in.jsonl"


async def test_a_signed_address_needs_no_key(http_client: MistralClient) -> None:
    address = await signed_url(http_client, await uploaded(http_client), hours=1)

    async with httpx.AsyncClient() as anybody:
        assert (await anybody.get(address)).content == CONTENT


@pytest.mark.parametrize("hours", [0, 169])
async def test_a_signed_address_is_good_for_a_week_at_most(
    client: MistralClient, hours: int
) -> None:
    with pytest.raises(ProviderRefused):
        await signed_url(client, await uploaded(client), hours=hours)


async def test_a_deleted_file_is_gone(client: MistralClient) -> None:
    file_id = await uploaded(client)

    await delete_file(client, file_id)

    with pytest.raises(ProviderRefused, match="404"):
        await file_content(client, file_id, largest=len(CONTENT))


async def test_a_file_goes_when_its_hours_are_over(
    client: MistralClient, fake: FakeMistral
) -> None:
    file_id = await uploaded(client, hours=2)
    [file] = fake.files.listed()

    file.expires_at -= 2 * 3600

    with pytest.raises(ProviderRefused, match="404"):
        await file_card(client, file_id)


async def test_a_file_cut_short_is_fetched_again(client: MistralClient, fake: FakeMistral) -> None:
    file_id = await uploaded(client)
    fake.faults = [None, Changed(lambda body: body[:-1])]  # the card, then the content

    assert await file_content(client, file_id, largest=len(CONTENT)) == CONTENT


async def test_more_than_is_accepted_is_never_held(client: MistralClient) -> None:
    with pytest.raises(MalformedReply, match="more than 100 bytes"):
        await file_content(client, await uploaded(client), largest=100)


async def test_an_upload_that_was_kept_in_part_is_noticed(
    client: MistralClient, fake: FakeMistral
) -> None:
    fake.faults = [Reply(200, {"id": "f", "bytes": 7})] * 2

    with pytest.raises(MalformedReply, match="kept 7 bytes of 19,000"):
        await uploaded(client)


async def test_a_file_that_its_purpose_does_not_take_is_refused(client: MistralClient) -> None:
    with pytest.raises(ProviderRefused):
        await upload(client, b"PK", "a.zip", purpose="ocr", media_type="application/zip")


async def test_an_id_cannot_lead_to_another_place(client: MistralClient, fake: FakeMistral) -> None:
    with pytest.raises(ProviderRefused):
        await delete_file(client, "../models/x?y=")

    assert "/v1/models/x" not in {each.path for each in fake.received}
