"""One exchange over HTTP: what leaves, what comes back, and within which limits."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from io import BytesIO

import httpx
from msgspec import Struct

from rag import __version__
from rag.errors import InvalidSettings, MalformedReply, ProviderUnavailable
from rag.mistral.calls import Call, Upload
from rag.mistral.failures import MayPass, failure_of
from rag.mistral.refusals import LARGEST_BODY
from rag.mistral.wire.decoding import PROVIDER
from rag.mistral.wire.encoding import Body

BASE_URL = "https://api.mistral.ai"

_CONNECT = 10.0
"""Seconds to open a connection. All else is under limits of our own: the connection library's
begin anew with every byte, so a reply that drips would never end, and they cannot tell a model
that thinks from a connection that is dead."""

IDLE = 30.0
"""Seconds between two pieces of a reply that has begun."""

_MOST_CONNECTIONS = 100
"""The pace decides how many are used; this is only so that they never wait for one."""


_AT_ONCE = 256 * 1024
"""Bytes of a request that are sent as one: above, sending would keep other calls waiting."""

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")


class Reply(Struct, frozen=True):
    """With status 200, and all of it."""

    headers: Mapping[str, str]
    pieces: tuple[bytes, ...]

    def __repr__(self) -> str:
        return f"Reply({self.length:,} bytes)"

    @property
    def length(self) -> int:
        """Bytes."""
        return sum(map(len, self.pieces))

    def body(self) -> bytes:
        """A walk over all bytes."""
        return b"".join(self.pieces)


class Incoming(Struct, frozen=True):
    """A reply with status 200 that is still arriving."""

    headers: Mapping[str, str]
    pieces: AsyncIterator[bytes]
    """Decompressed."""


class Connection:
    """To one host, with one key; pooled."""

    def __init__(
        self,
        api_key: str | None,
        *,
        base_url: str = BASE_URL,
        headers: Mapping[str, str] | None = None,
        idle: float = IDLE,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """
        Args:
            api_key: sent as a bearer token; None for a host that wants none, or wants it in a
                header of another name.
            headers: sent besides our own, and instead of them where they have the same name.
            idle: seconds, as `IDLE` says.
            transport: what carries the requests; the network where None.

        Raises:
            InvalidSettings: the key, the base URL or a header cannot be one.
        """
        key = {} if api_key is None else {"authorization": f"Bearer {_checked_key(api_key)}"}
        own = {"accept": "application/json", "user-agent": f"rag/{__version__}"}
        self._idle = idle
        self._http = httpx.AsyncClient(
            base_url=_checked_url(base_url),
            headers=key | own | _checked_headers(headers or {}),
            timeout=httpx.Timeout(None, connect=_CONNECT),
            limits=httpx.Limits(max_connections=_MOST_CONNECTIONS),
            transport=transport,
        )

    @property
    def host(self) -> str:
        return self._http.base_url.host

    async def close(self) -> None:
        await self._http.aclose()

    async def exchange(self, call: Call) -> Reply:
        """
        Raises:
            MayPass: another attempt may go better.
            Refused: none will.
        """
        async with self.open(call) as incoming:
            return Reply(incoming.headers, tuple([piece async for piece in incoming.pieces]))

    @asynccontextmanager
    async def open(self, call: Call) -> AsyncIterator[Incoming]:
        """The same, while it arrives; the pieces raise what `exchange` raises."""
        ends = _now() + call.deadline
        with _translated(call, self._idle):
            async with asyncio.timeout_at(ends):
                response = await self._http.send(self._request(call), stream=True)
        try:
            if response.status_code != httpx.codes.OK:
                body = await _beginning(response, min(ends, _now() + self._idle))
                raise failure_of(call.model, response.status_code, response.headers, body)
            yield Incoming(response.headers, _pieces(call, response, ends, self._idle))
        finally:
            await response.aclose()

    def _request(self, call: Call) -> httpx.Request:
        if isinstance(call.request, Upload):
            content = BytesIO(call.request.content)  # sent in pieces, not copied
            file = (call.request.filename, content, call.request.media_type)
            return self._http.build_request(
                call.method(), call.path, data=dict(call.request.fields), files={"file": file}
            )
        body = call.json()
        if body is None:
            return self._http.build_request(call.method(), call.path)
        headers = {"content-type": "application/json", "content-length": str(body.length)}
        sent = body.whole() if body.length <= _AT_ONCE else _each(body)
        return self._http.build_request(call.method(), call.path, content=sent, headers=headers)


async def _each(body: Body) -> AsyncIterator[bytes]:
    for piece in body.pieces():
        yield piece


async def _pieces(
    call: Call, response: httpx.Response, ends: float, idle: float
) -> AsyncIterator[bytes]:
    received = 0
    arriving = response.aiter_bytes()
    while True:
        with _translated(call, idle):
            async with asyncio.timeout_at(min(ends, _now() + idle)):
                piece = await anext(arriving, None)
        if piece is None:
            return
        received += len(piece)
        if received > call.largest_reply:
            limit = f"{call.largest_reply:,} bytes"
            raise MalformedReply(PROVIDER, f"sent more than {limit}, and was cut off")
        yield piece


async def _beginning(response: httpx.Response, ends: float) -> bytes:
    """Of an error's body: as much as arrives. The status says what matters."""
    received = bytearray()
    arriving = response.aiter_bytes()
    with suppress(TimeoutError, httpx.TransportError, httpx.DecodingError):
        async with asyncio.timeout_at(ends):
            async for piece in arriving:
                received += piece
                if len(received) > LARGEST_BODY:
                    break
    return bytes(received)


@contextmanager
def _translated(call: Call, idle: float) -> Iterator[None]:
    """What can go wrong with a connection, in our words."""
    try:
        yield
    except TimeoutError as error:
        late = f"did not answer within {call.deadline:g} s, or fell silent for {idle:g} s"
        raise MayPass(ProviderUnavailable(PROVIDER, late), is_dear=True) from error
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        gone = ProviderUnavailable(PROVIDER, "cannot be reached")
        raise MayPass(gone, is_free=True) from error
    except (httpx.TransportError, httpx.DecodingError) as error:
        broken = ProviderUnavailable(PROVIDER, "broke off the connection")
        raise MayPass(broken) from error


def _now() -> float:
    return asyncio.get_running_loop().time()


def _checked_key(api_key: str) -> str:
    """Refused here, because the connection library would repeat it in its own error."""
    key = api_key.strip()
    if not key or not key.isascii() or not key.isprintable() or " " in key:
        raise InvalidSettings("an API key of a provider is empty, or holds characters no key has")
    return key


def _checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """In lower case. Their values may be keys, and are not repeated either."""
    for name, value in headers.items():
        if not _HEADER_NAME.fullmatch(name):
            raise InvalidSettings("an extra header for a provider has no valid name")
        if not value.isascii() or not value.isprintable():
            raise InvalidSettings(f"the extra header {name!r} holds characters no header may have")
    return {name.lower(): value.strip() for name, value in headers.items()}


def _checked_url(base_url: str) -> httpx.URL:
    try:
        url = httpx.URL(base_url)
    except httpx.InvalidURL as error:
        raise InvalidSettings("the base URL of a provider is not a URL") from error
    if url.scheme not in ("http", "https") or not url.host:
        raise InvalidSettings("the base URL of a provider must start with https:// and name a host")
    return url
