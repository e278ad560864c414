"""What comes through the door: pages, from sites that behave and from those that do not."""

import asyncio
import gzip
import time
import tracemalloc
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import TypeAlias

import httpx
import pytest

from rag.errors import AddressRefused, DocumentTooLarge, FetchFailed
from rag.sources.web.fetching import Fetched, Fetcher, FetchLimits, Validators
from rag.sources.web.rules import Rules, rules_of
from tests.sources.web.visits import Visits

pytestmark = pytest.mark.anyio

MIB = 1024 * 1024

Site: TypeAlias = Callable[[bytes, asyncio.StreamWriter], Awaitable[None]]


@asynccontextmanager
async def serving(site: Site) -> AsyncIterator[tuple[Rules, str]]:
    """Rules that allow this one site, and its address, while it is there."""

    visits: dict[asyncio.Task[None] | None, asyncio.StreamWriter] = {}

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        visits[asyncio.current_task()] = writer
        with suppress(ConnectionError, asyncio.CancelledError):
            await site(await reader.readuntil(b"\r\n\r\n"), writer)
            await writer.drain()
        writer.close()

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield rules_of(["127.0.0.1"], (port,)), f"http://127.0.0.1:{port}/"
    finally:
        server.close()
        await turns()  # a connection that was accepted just now becomes a visit
        for visit, writer in visits.items():
            writer.transport.abort()
            if visit is not None:
                visit.cancel()
        await asyncio.gather(*filter(None, visits), return_exceptions=True)
        await turns()  # and every transport closes its socket


async def turns(number: int = 10) -> None:
    """Of the event loop, so that what is ready is done."""
    for _ in range(number):
        await asyncio.sleep(0)


def page(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    lines = [f"HTTP/1.1 {status}", *headers, "Connection: close", "", ""]
    return "\r\n".join(lines).encode() + body


def saying(*parts: bytes) -> Site:
    async def site(request: bytes, writer: asyncio.StreamWriter) -> None:
        for part in parts:
            writer.write(part)
            await writer.drain()

    return site


def dripping(begin: bytes, drop: bytes, seconds: float = 0.02) -> Site:
    """Without end, as slowly as that."""

    async def site(request: bytes, writer: asyncio.StreamWriter) -> None:
        writer.write(begin)
        while True:
            writer.write(drop)
            await writer.drain()
            await asyncio.sleep(seconds)

    return site


async def fetched(site: Site, limits: FetchLimits | None = None) -> Fetched:
    async with serving(site) as (rules, url):
        fetcher = Fetcher(rules, limits)
        try:
            result = await fetcher.fetch(url)
        finally:
            await fetcher.close()
    assert result is not None
    return result


async def test_a_page_comes_with_its_media_type_and_validators() -> None:
    body = "<html><title>Über uns</title></html>".encode()
    headers = ("Content-Type: text/HTML; charset=utf-8", 'ETag: W/"7"', "Last-Modified: then")
    got = await fetched(saying(page(body, *headers, f"Content-Length: {len(body)}")))

    assert got.content == body
    assert got.media_type == "text/html"
    assert got.validators == Validators('W/"7"', "then")


async def test_a_request_brings_nothing_along(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    requests: list[bytes] = []

    async def site(request: bytes, writer: asyncio.StreamWriter) -> None:
        requests.append(request)
        location = "Location: /second" if len(requests) == 1 else "X: y"
        status = "302 Found" if len(requests) == 1 else "200 OK"
        writer.write(page(b"", location, "Set-Cookie: a=b", status=status))

    await fetched(site)
    first, second = (request.decode().lower() for request in requests)

    assert first.startswith("get / http/1.1\r\nhost: 127.0.0.1:")
    assert second.startswith("get /second http/1.1\r\n")
    assert first.count("host:") == 1
    for name in ("cookie", "authorization", "referer", "proxy"):
        assert f"{name}:" not in first + second


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", "deflate", "raw", "identity", ""])
async def test_a_compressed_page_is_decompressed(encoding: str) -> None:
    text = b"All work and no play. " * 40_000
    raw = zlib.compressobj(wbits=-15)
    body = {
        "gzip": gzip.compress(text),
        "x-gzip": gzip.compress(text[:7]) + gzip.compress(text[7:]) + b"\0" * 20,
        "deflate": zlib.compress(text),
        "raw": raw.compress(text) + raw.flush(),
    }.get(encoding, text)
    said = "deflate" if encoding == "raw" else encoding
    got = await fetched(saying(page(body, f"Content-Encoding: {said}")))

    assert got.content == text


@pytest.mark.parametrize(
    ("body", "encoding"),
    [
        (b"not gzip at all", "gzip"),
        (b"not deflate at all", "deflate"),
        (gzip.compress(b"x" * 100_000)[:-20], "gzip"),
        (gzip.compress(b"x" * 1_000) + b"rubbish", "gzip"),
        (b"\x1b\x00", "br"),
        (b"(\xb5/\xfd", "zstd"),
        (gzip.compress(gzip.compress(b"x")), "gzip, gzip"),
    ],
    ids=["no gzip", "no deflate", "cut short", "rubbish behind", "brotli", "zstd", "twice"],
)
async def test_a_page_that_is_not_encoded_as_it_says_or_as_asked_is_refused(
    body: bytes, encoding: str
) -> None:
    with pytest.raises(FetchFailed):
        await fetched(saying(page(body, f"Content-Encoding: {encoding}")))


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_bomb_goes_off_within_the_limit(encoding: str) -> None:
    """64 MB of nothing in one piece of 64 kB."""
    packer = zlib.compressobj(9, wbits=31 if encoding == "gzip" else 15)
    bomb = b"".join(packer.compress(bytes(MIB)) for _ in range(64)) + packer.flush()
    tracemalloc.start()
    began = time.process_time()
    try:
        with pytest.raises(DocumentTooLarge, match="RAG_FETCH_BYTES"):
            await fetched(
                saying(page(bomb, f"Content-Encoding: {encoding}")), FetchLimits(bytes=4 * MIB)
            )
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 16 * MIB
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    "site",
    [
        saying(page(b"x" * 3_000)),
        saying(page(b"", "Content-Length: 2001")),
        saying(
            page(b"", "Transfer-Encoding: chunked"), b"7d0\r\n" + b"x" * 2_000 + b"\r\n", b"1\r\nx"
        ),
        dripping(page(b""), b"x" * 1_000, 0),
    ],
    ids=["whole", "declared", "chunked", "endless"],
)
async def test_a_page_beyond_the_limit_is_refused(site: Site) -> None:
    with pytest.raises(DocumentTooLarge):
        await fetched(site, FetchLimits(bytes=2_000))


@pytest.mark.parametrize(
    "site",
    [
        dripping(b"", b""),
        dripping(b"HTTP/1.1 200 OK\r\n", b"X-Header: y\r\n"),
        dripping(b"", b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"),
        dripping(page(b""), b"x"),
        dripping(page(b"", "Transfer-Encoding: chunked"), b"1\r\nx\r\n"),
        dripping(
            page(gzip.compress(b"x")[:10], "Content-Encoding: gzip"), b"\x02\x00\x00\x00\xff\xff"
        ),
        dripping(page(gzip.compress(b""), "Content-Encoding: gzip"), gzip.compress(b"")),
    ],
    ids=["silent", "headers", "hints", "body", "chunks", "empty-blocks", "empty-members"],
)
async def test_a_page_that_never_ends_is_given_up_in_time(site: Site) -> None:
    began = time.monotonic()
    with pytest.raises(FetchFailed, match=r"within 0\.4 s"):
        await fetched(site, FetchLimits(seconds=0.4))

    assert time.monotonic() - began < 5  # on a busy machine


async def test_the_time_holds_for_all_redirects_together() -> None:
    async def site(request: bytes, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(0.15)
        writer.write(page(b"", "Location: /again", status="302 Found"))

    with pytest.raises(FetchFailed, match=r"within 0\.4 s"):
        await fetched(site, FetchLimits(seconds=0.4))


BROKEN = {
    "nothing": saying(b""),
    "ssh": saying(b"SSH-2.0-OpenSSH_9.2\r\n"),
    "redis": saying(b"+OK redis\r\n"),
    "long-header": saying(b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 200_000),
    "many-headers": saying(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 40_000),
    "bad-header": saying(b"HTTP/1.1 200 OK\r\nBad Header: y\r\n\r\n"),
    "two-lengths": saying(
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello"
    ),
    "negative": saying(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nhello"),
    "bad-chunk": saying(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello"),
    "short": saying(page(b"hello", "Content-Length: 500")),
    "unended": saying(page(b"5\r\nhello\r\n", "Transfer-Encoding: chunked")),
}


@pytest.mark.parametrize("site", BROKEN.values(), ids=BROKEN)
async def test_what_is_no_whole_page_is_refused(site: Site) -> None:
    with pytest.raises(FetchFailed):
        await fetched(site)


@pytest.mark.parametrize(
    ("status", "says"),
    [
        *((404, "no such page"), (410, "gone"), (401, "sign in"), (403, "read"), (500, "later")),
        *((status, "did not send") for status in (204, 206, 304, 418)),
    ],
)
async def test_a_site_without_the_page_says_so(status: int, says: str) -> None:
    visits = Visits()
    with pytest.raises(FetchFailed, match=rf"example\.org answers {status}: .*{says}") as failed:
        await visits.fetcher(lambda _: httpx.Response(status)).fetch("http://example.org/secret")

    assert failed.value.status == status
    assert "secret" not in str(failed.value)


async def test_a_site_may_say_when_to_come_back() -> None:
    busy = httpx.Response(429, headers={"Retry-After": "120"})
    with pytest.raises(FetchFailed) as failed:
        await Visits().fetcher(lambda _: busy).fetch("http://example.org/")

    assert failed.value.retry_after == 120


async def test_redirects_are_followed_a_few_times_and_the_end_is_known() -> None:
    def site(request: httpx.Request) -> httpx.Response:
        n = int(request.extensions["target"].removeprefix(b"/"))
        return httpx.Response(302, headers={"Location": f"{n - 1}"}) if n else httpx.Response(200)

    visits = Visits()
    got = await visits.fetcher(site).fetch("http://example.org/5")

    assert got is not None
    assert str(got.address) == "http://example.org/0"
    with pytest.raises(FetchFailed, match="more than 5"):
        await visits.fetcher(site).fetch("http://example.org/6")


async def test_the_body_of_a_redirect_is_not_read() -> None:
    requests: list[bytes] = []

    async def site(request: bytes, writer: asyncio.StreamWriter) -> None:
        requests.append(request)
        if len(requests) > 1:
            writer.write(page(b"there"))
            return
        writer.write(page(b"", "Location: /b", "Content-Encoding: gzip", status="301 Moved"))
        for _ in range(400):
            writer.write(b"x" * 65_536)
            await writer.drain()

    got = await fetched(site, FetchLimits(bytes=1_000))

    assert got.content == b"there"


async def test_a_page_that_has_not_changed_is_not_sent_again() -> None:
    def site(request: httpx.Request) -> httpx.Response:
        is_known = request.headers.get("if-none-match") == '"1"'
        return httpx.Response(304 if is_known else 200, text="hello")

    fetcher = Visits().fetcher(site)

    assert await fetcher.fetch("http://example.org/", Validators('"1"', None)) is None
    assert await fetcher.fetch("http://example.org/", Validators('"2"', "then")) is not None


async def test_the_next_address_of_a_host_is_tried_where_one_is_dead() -> None:
    def site(request: httpx.Request) -> httpx.Response:
        if request.url.host != "2001:4860:4860::8888":
            raise httpx.ConnectError("no route")
        return httpx.Response(200)

    visits = Visits()
    answers = ["93.184.216.34", "2001:4860:4860::8888"]
    assert (
        await visits.fetcher(site, {"example.org": answers}).fetch("http://example.org") is not None
    )
    assert visits.connected_to == answers
    with pytest.raises(FetchFailed, match="cannot be reached"):
        await visits.fetcher(site).fetch("http://example.org/")


async def test_a_host_without_addresses_is_told() -> None:
    with pytest.raises(FetchFailed, match="no address"):
        await Visits().fetcher(names={"example.org": []}).fetch("http://example.org/")


@pytest.mark.parametrize(
    ("declared", "content", "media_type"),
    [
        ("text/html; charset=utf-8", b"<p>a", "text/html"),
        ("", b"<p>a", None),
        ("application/octet-stream", b"%PDF-1.7", None),
        ("Application/PDF", b"junk\n%PDF-1.7", "application/pdf"),
        ("image/svg+xml", b"<svg/>", "image/svg+xml"),
    ],
)
async def test_a_declared_type_is_kept_where_it_says_something(
    declared: str, content: bytes, media_type: str | None
) -> None:
    answer = httpx.Response(200, headers={"Content-Type": declared}, content=content)
    got = await Visits().fetcher(lambda _: answer).fetch("http://example.org/")

    assert got is not None
    assert got.media_type == media_type


@pytest.mark.parametrize(
    ("declared", "content", "kept"),
    [
        ("text/html; charset=windows-1251", "Привет".encode("cp1251"), "Привет".encode()),
        ("text/plain;charset='Shift_JIS'", "日本".encode("sjis"), "日本".encode()),
        ("text/plain; charset=ISO-8859-1", b"\x93caf\xe9\x94", "“café”".encode()),
        ("text/plain; charset=iso-8859-1", "café".encode(), "café".encode()),  # it is UTF-8
        ("text/plain; charset=utf-8", b"caf\xe9", b"caf\xe9"),
        ("text/plain; charset=gbk", b"\xff\xff", b"\xff\xff"),  # it is not
        ("text/plain; charset=punycode", b"\xff", b"\xff"),
        ("text/plain; charset=unicode_escape", b"\\x41\xff", b"\\x41\xff"),
        ("text/xml; charset=windows-1251", b"<a>\xcf", b"<a>\xcf"),
        ("application/pdf; charset=windows-1251", b"%PDF-\xcf", b"%PDF-\xcf"),
    ],
)
async def test_a_text_whose_encoding_its_site_alone_knows_is_kept_as_utf8(
    declared: str, content: bytes, kept: bytes
) -> None:
    answer = httpx.Response(200, headers={"Content-Type": declared}, content=content)
    got = await Visits().fetcher(lambda _: answer).fetch("http://example.org/")

    assert got is not None
    assert got.content == kept


@pytest.mark.parametrize(
    ("declared", "content"),
    [
        ("application/pdf", b"<!DOCTYPE html><title>Sign in</title>"),
        ("image/png", b"\n<!-- a -->\n<html>"),
        ("application/vnd.openxmlformats-officedocument.wordprocessingml.document", b"<HTML>"),
        ("application/pdf", b"Sorry."),
    ],
)
async def test_a_page_in_place_of_a_file_is_refused(declared: str, content: bytes) -> None:
    answer = httpx.Response(200, headers={"Content-Type": declared}, content=content)
    with pytest.raises(FetchFailed, match="the site declares"):
        await Visits().fetcher(lambda _: answer).fetch("http://example.org/report.pdf")


async def test_a_message_is_sent_by_the_same_rules() -> None:
    requests: list[bytes] = []

    async def hook(request: bytes, writer: asyncio.StreamWriter) -> None:
        requests.append(request)
        writer.write(page(b"x" * 100_000, "Location: http://10.0.0.1/", status="307 Elsewhere"))

    async with serving(hook) as (rules, url):
        fetcher = Fetcher(rules)
        status = await fetcher.post(url + "hook?a=1", b'{"a": 1}', {"webhook-id": "msg_1"})
        with pytest.raises(AddressRefused):
            await fetcher.post("http://10.0.0.1/", b"", {})
        await fetcher.close()
    [request] = requests

    assert status == 307
    assert request.startswith(b"POST /hook?a=1 HTTP/1.1\r\n")
    assert b"webhook-id: msg_1\r\n" in request
    assert b"Content-Length: 8\r\n" in request


async def test_tls_names_the_host_and_not_the_address() -> None:
    hellos: list[bytes] = []

    async def meet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hellos.append(await reader.read(4_096))
        writer.close()

    server = await asyncio.start_server(meet, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    visits = Visits()
    plain = visits.fetcher(names={"wiki.example.org": ["127.0.0.1"]})
    fetcher = Fetcher(rules_of(["127.0.0.1"], (port,)), resolve=plain._resolve)
    with pytest.raises(FetchFailed):
        await fetcher.fetch(f"https://wiki.example.org:{port}/")
    await fetcher.close()
    server.close()

    assert b"wiki.example.org" in hellos[0]
