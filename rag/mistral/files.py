"""Files at the provider. Keeping them costs nothing; they go by themselves after thirty days."""

from urllib.parse import quote

from rag.errors import MalformedReply
from rag.mistral.calls import Call, Upload
from rag.mistral.client import MistralClient
from rag.mistral.patience import BULK
from rag.mistral.wire.decoding import PROVIDER, Reply, decode
from rag.mistral.wire.files import DeletedFile, FileCard, Purpose, SignedUrl

LARGEST_FILE = 512 * 1024 * 1024
"""Bytes, by the contract. A document for OCR may have less."""

_QUICK = 30.0
"""Seconds for a call that carries no file."""

_SLOW = 900.0
"""Seconds for one that does: 512 MB at 5 Mbit/s."""

_LARGEST_CARD = 64 * 1024
"""Bytes."""

_WHAT = "files"
"""What the operator reads where other calls name a model."""


async def upload(
    client: MistralClient,
    content: bytes,
    filename: str,
    *,
    purpose: Purpose,
    media_type: str,
    hours: int | None = None,
) -> FileCard:
    """The file is stored whole when this returns. A reply that is lost leaves a file that nobody
    knows of; give `hours`, and it goes soon.

    Args:
        hours: until the provider deletes it; thirty days where None.

    Raises:
        Refused: it is too large, or of a kind that the purpose does not take.
        ProviderError: the provider failed for good, after retries.
    """
    fields = {"purpose": purpose} | ({"expiry": str(hours)} if hours else {})
    sent = Upload(filename, content, media_type, fields)

    def read(body: bytes) -> FileCard:
        card = decode(body, FileCard)
        if card.bytes not in (None, len(content)):
            raise MalformedReply(PROVIDER, f"kept {card.bytes:,} bytes of {len(content):,}")
        return card

    call = Call("/v1/files", _WHAT, sent, _SLOW, _LARGEST_CARD)
    return await client.ask(call, read, patience=BULK)


async def signed_url(client: MistralClient, file_id: str, *, hours: int = 24) -> str:
    """Where the file can be fetched without the key, which must not be sent there: it is another
    host.

    Args:
        hours: that the address is good for, 1 to 168.
    """
    call = _call(f"/v1/files/{quote(file_id, safe='')}/url?expiry={hours}")
    return (await _ask(client, call, SignedUrl)).url


async def file_card(client: MistralClient, file_id: str) -> FileCard:
    return await _ask(client, _call(f"/v1/files/{quote(file_id, safe='')}"), FileCard)


async def file_content(client: MistralClient, file_id: str, *, largest: int) -> bytes:
    """All of a file. It has no checksum that is documented, so its length is compared with what
    the provider says of it.

    Args:
        largest: bytes that are accepted.

    Raises:
        MalformedReply: there is more than that, or something is missing.
    """
    expected = (await file_card(client, file_id)).bytes

    def read(body: bytes) -> bytes:
        if expected not in (None, len(body)):
            raise MalformedReply(PROVIDER, f"sent {len(body):,} bytes of {expected:,}")
        return body

    path = f"/v1/files/{quote(file_id, safe='')}/content"
    return await client.ask(Call(path, _WHAT, None, _SLOW, largest), read, patience=BULK)


async def delete_file(client: MistralClient, file_id: str) -> None:
    path = f"/v1/files/{quote(file_id, safe='')}"
    call = Call(path, _WHAT, None, _QUICK, _LARGEST_CARD, "DELETE")
    await _ask(client, call, DeletedFile)


def _call(path: str) -> Call:
    return Call(path, _WHAT, None, _QUICK, _LARGEST_CARD)


async def _ask(client: MistralClient, call: Call, shape: type[Reply]) -> Reply:
    return await client.ask(call, lambda body: decode(body, shape), patience=BULK)
