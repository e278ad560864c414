"""What leaves, what comes back, and within which limits."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from msgspec import Struct
from virtual_time import run

from rag.errors import MalformedReply, ProviderRefused, ProviderUnavailable
from rag.mistral.calls import Call, Upload, Verb
from rag.mistral.client import MistralClient
from rag.mistral.patience import BULK, INTERACTIVE


class Question(Struct):
    input: str


class Recorder(httpx.AsyncBaseTransport):
    """Answers with what it is given, and keeps what it was asked."""

    def __init__(self, *answers: httpx.Response) -> None:
        self.answers = list(answers)
        self.asked: list[httpx.Request] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        await request.aread()
        self.asked.append(request)
        return self.answers.pop(0) if self.answers else httpx.Response(200, content=b"done")


class Pieces(httpx.AsyncByteStream):
    def __init__(self, *pauses: float) -> None:
        self.pauses = pauses

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for pause in self.pauses:
            await asyncio.sleep(pause)
            yield b"piece"


def asked(call: Call, **options: dict[str, str] | str) -> httpx.Request:
    recorder = Recorder()

    async def main() -> None:
        client = MistralClient("key", transport=recorder, **options)  # type: ignore[arg-type]
        await client.ask(call, len, patience=BULK)
        await client.close()

    run(main())
    [request] = recorder.asked
    return request


@pytest.mark.parametrize(
    ("request_", "verb", "method"),
    [
        (Question("a"), None, "POST"),
        (None, None, "GET"),
        (None, "DELETE", "DELETE"),
        (None, "POST", "POST"),  # as a batch is cancelled
    ],
)
def test_how_a_call_is_sent_follows_from_what_it_holds(
    request_: Question | None, verb: Verb | None, method: str
) -> None:
    sent = asked(Call("/v1/x?page=0", "m", request_, 1.0, 100, verb))

    assert sent.method == method
    assert sent.url.path == "/v1/x"
    assert sent.url.query == b"page=0"
    assert sent.content == (b'{"input":"a"}' if request_ else b"")


def test_a_file_is_sent_as_a_form() -> None:
    upload = Upload("a.jsonl", b"{}\n", "application/jsonl", {"purpose": "batch"})

    sent = asked(Call("/v1/files", "files", upload, 1.0, 100))

    assert sent.headers["content-type"].startswith("multipart/form-data; boundary=")
    assert b'name="purpose"\r\n\r\nbatch\r\n' in sent.content
    assert b'name="file"; filename="a.jsonl"' in sent.content
    assert b"Content-Type: application/jsonl\r\n\r\n{}\n" in sent.content


def test_a_request_is_made_when_it_leaves_and_again_for_each_attempt() -> None:
    made: list[int] = []

    def make() -> Question:
        made.append(len(recorder.asked))
        return Question("a")

    recorder = Recorder(httpx.Response(503))

    async def main() -> None:
        client = MistralClient("key", transport=recorder)
        await client.ask(Call("/v1/x", "m", make, 1.0, 100), len, patience=BULK)

    run(main())

    assert made == [0, 1]


def test_a_host_behind_a_path_gets_its_own_headers_besides_ours() -> None:
    sent = asked(
        Call("/v1/embeddings", "m", None, 1.0, 100),
        base_url="https://example.com/gateway",
        headers={"Api-Key": "k", "Authorization": "Basic x"},
    )

    assert str(sent.url) == "https://example.com/gateway/v1/embeddings"
    assert sent.headers["api-key"] == "k"
    assert sent.headers["authorization"] == "Basic x"
    assert sent.headers["user-agent"].startswith("rag/")


# --- limits of a reply that is still arriving ----------------------------------------------------


async def read_all(recorder: Recorder, deadline: float, largest: int = 100) -> list[bytes]:
    client = MistralClient("key", transport=recorder)
    call = Call("/v1/x", "m", None, deadline, largest)
    async with client.stream(call, patience=INTERACTIVE) as stream:
        return [piece async for piece in stream.pieces]


def test_a_stream_is_read_piece_by_piece() -> None:
    recorder = Recorder(httpx.Response(200, stream=Pieces(0.0, 1.0, 1.0)))

    assert run(read_all(recorder, 10.0)) == [b"piece"] * 3


@pytest.mark.parametrize(
    ("pauses", "deadline", "lasts"),
    [
        ((1.0, 100.0), 600.0, 31.0),  # silence
        ((20.0,) * 10, 60.0, 60.0),  # never silent for long, and never done
    ],
)
def test_a_stream_ends_when_it_falls_silent_and_at_its_deadline(
    pauses: tuple[float, ...], deadline: float, lasts: float
) -> None:
    async def main() -> None:
        recorder = Recorder(httpx.Response(200, stream=Pieces(*pauses)))
        with pytest.raises(ProviderUnavailable):
            await read_all(recorder, deadline)

        assert asyncio.get_running_loop().time() == pytest.approx(lasts)
        assert len(recorder.asked) == 1  # what was seen cannot be taken back

    run(main())


def test_a_model_may_think_for_longer_than_a_reply_may_pause() -> None:
    class Thinking(Recorder):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await asyncio.sleep(100.0)
            return await super().handle_async_request(request)

    assert run(read_all(Thinking(), 120.0)) == [b"done"]


def test_a_stream_longer_than_allowed_is_cut_off() -> None:
    recorder = Recorder(httpx.Response(200, stream=Pieces(*[0.0] * 100)))

    with pytest.raises(MalformedReply, match="more than 20 bytes"):
        run(read_all(recorder, 10.0, largest=20))


def test_a_stream_is_asked_for_again_until_it_begins() -> None:
    recorder = Recorder(httpx.Response(503), httpx.Response(200, content=b"done"))

    assert run(read_all(recorder, 10.0)) == [b"done"]
    assert len(recorder.asked) == 2


def test_a_stream_that_is_refused_says_why() -> None:
    recorder = Recorder(httpx.Response(422, json={"detail": [{"loc": ["body"], "type": "x"}]}))

    with pytest.raises(ProviderRefused, match="at body: x"):
        run(read_all(recorder, 10.0))


def test_an_error_whose_body_breaks_off_is_the_error_its_status_says() -> None:
    class Broken(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b'{"mess'
            raise httpx.ReadError("reset")

    with pytest.raises(ProviderRefused, match="HTTP 404"):
        run(read_all(Recorder(httpx.Response(404, stream=Broken())), 10.0))
