"""Bodies with files: to disk as they come, and their spools are closed however that ends."""

import gc
import tracemalloc
from collections.abc import AsyncIterator, Iterable
from pathlib import Path
from typing import Any, cast

import pytest

from rag.api.forms import FIELD_BYTES, MAX_PARTS, Form, Spools, receive_body, receive_form
from rag.api.problems import Refused
from rag.storage.spooling import PIECE, Spool

pytestmark = pytest.mark.anyio

CHUNK = 64 * 1024


class Sent:
    """What the functions ask of a request."""

    content_type = ("multipart/form-data", {"boundary": "b"})

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = chunks

    async def stream(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk


def part(name: str, content: bytes, file: str | None = None) -> bytes:
    named = "" if file is None else f'; filename="{file}"\r\nContent-Type: text/markdown'
    head = f'--b\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'
    return head.encode() + content + b"\r\n"


async def formed(folder: Path, *parts: bytes, size: int = 7) -> tuple[Form, list[bytes]]:
    body = b"".join(parts) + b"--b--\r\n"
    sent = Sent(body[start : start + size] for start in range(0, len(body), size))
    with Spools(lambda: Spool(folder)) as spools:
        form = await receive_form(cast(Any, sent), spools)
        return form, [b"".join(file.content.parts()) for file in form.files]


@pytest.mark.parametrize("size", [1, 7, 100_000])
async def test_files_and_fields_come_as_they_were_sent(tmp_path: Path, size: int) -> None:
    form, contents = await formed(
        tmp_path,
        part("title", "Größe".encode()),
        part("files", b"first\r\n--not the end", "a/ö.md"),
        part("files", b"", "empty.md"),
        size=size,
    )

    assert form.fields == {"title": "Größe"}
    assert [(file.name, file.media_type) for file in form.files] == [
        ("a/ö.md", "text/markdown"),
        ("empty.md", "text/markdown"),
    ]
    assert contents == [b"first\r\n--not the end", b""]


@pytest.mark.parametrize(
    "parts",
    [
        [b"no form at all"],
        [part("about", b"x" * (FIELD_BYTES + 1))],
        [part("files", b"", f"{n}.md") for n in range(MAX_PARTS + 1)],
    ],
    ids=["nothing", "long-field", "parts"],
)
async def test_what_is_no_form_or_too_much_is_refused(tmp_path: Path, parts: list[bytes]) -> None:
    with pytest.raises(Refused, match="not valid multipart"):
        await formed(tmp_path, *parts, size=CHUNK)


async def test_a_form_that_breaks_off_leaves_no_spool_open(tmp_path: Path) -> None:
    made: list[Spool] = []

    def make() -> Spool:
        made.append(Spool(tmp_path))
        return made[-1]

    def broken() -> Iterable[bytes]:
        yield part("files", b"x" * PIECE * 2, "a.md")
        raise ConnectionError("the client left")

    with pytest.raises(ConnectionError), Spools(make) as spools:
        await receive_form(cast(Any, Sent(broken())), spools)

    assert [spool._file.closed for spool in made] == [True]


async def test_a_large_upload_is_never_whole_in_memory(tmp_path: Path) -> None:
    chunk = b"x" * CHUNK
    with Spools(lambda: Spool(tmp_path)) as spools:
        gc.collect()
        tracemalloc.start()
        spool = await receive_body(cast(Any, Sent(chunk for _ in range(400))), spools)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

        assert spool.size == 400 * CHUNK
        assert peak < spool.size / 4
