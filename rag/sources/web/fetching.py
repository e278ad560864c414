"""The one door to the web: an address -> what is there.

Every hop of it is checked on its own: the address is parsed, its host looked up once, all answers
are checked, and the connection goes to a checked answer while TLS and the `Host` header name the
host. Nothing else comes along: no proxy of the environment, no cookies, no credentials.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager

import httpx
from msgspec import Struct

from rag import __version__
from rag.errors import DocumentTooLarge, FetchFailed
from rag.sources.web.addresses import Ip, WebAddress, join, parse_address
from rag.sources.web.decoding import ACCEPTED, decoded
from rag.sources.web.kinds import in_utf8, media_type_of
from rag.sources.web.networks import is_public
from rag.sources.web.resolving import Resolve, SystemResolver
from rag.sources.web.rules import Rules

USER_AGENT = f"rag/{__version__}"

PASSING = (408, 425, 429, 500, 502, 503, 504)
"""Statuses of what may be otherwise in a minute."""
REDIRECTS = (301, 302, 303, 307, 308)
MOST_REDIRECTS = 5
MOST_TRIED = 3  # addresses of one host
CONNECT = 5.0  # seconds for each of them

LONGEST_VALIDATOR = 200  # characters of an ETag worth keeping


class FetchLimits(Struct, frozen=True):
    bytes: int = 50 * 1024 * 1024
    """Of one page, decompressed; it is held in memory."""
    seconds: float = 30.0
    """For all of it: names, redirects, and the last byte."""


class Validators(Struct, frozen=True):
    """By which a site can tell that its page has not changed (RFC 9110, 13.1)."""

    etag: str | None = None
    last_modified: str | None = None


class Fetched(Struct, frozen=True):
    """What was at an address."""

    content: bytes
    """As sent, but a text that says nothing of its encoding is in UTF-8."""
    media_type: str | None
    """None where the site says nothing of use."""
    address: WebAddress
    """After redirects."""
    validators: Validators


class Fetcher:
    """Fetches what the rules allow, within limits."""

    def __init__(
        self,
        rules: Rules,
        limits: FetchLimits | None = None,
        *,
        resolve: Resolve | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        """
        Args:
            transport: what carries the requests; the network where None.
        """
        self._rules = rules
        self.limits = limits or FetchLimits()
        self._system = SystemResolver()
        self._resolve = resolve or self._system
        self._transport = transport

    async def close(self) -> None:
        self._system.close()
        if self._transport is not None:
            await self._transport.aclose()

    def check(self, url: str) -> None:
        """What is known of an address before a name is looked up.

        Raises:
            AddressRefused: it is no address, or is not fetched from.
        """
        address = parse_address(url)
        self._rules.check(address)
        if address.ip is not None:
            self._rules.admit(address.host, [address.ip])

    async def admitted(self, url: str) -> tuple[WebAddress, list[Ip]]:
        """An address, and the IP addresses by which it may be connected to: for who speaks another
        protocol than this.

        Raises:
            AddressRefused: it is not fetched from.
            FetchFailed: nobody knows its host.
        """
        address = parse_address(url)
        async with self._in_time(address.host):
            return address, await self._admitted(address, self._rules)

    def is_allowed_by_name(self, address: WebAddress) -> bool:
        """Whether the operator has allowed the host, beside the public internet."""
        return self._rules.allows_by_name(address)

    async def fetch(self, url: str | WebAddress, known: Validators | None = None) -> Fetched | None:
        """What is there; None where that is what the caller has, by what is `known` of it.

        Raises:
            AddressRefused: it, or where it redirects to, is not fetched from.
            DocumentTooLarge: it has more bytes than the limit.
            FetchFailed: it is not there, or not in time.
        """
        address = parse_address(url) if isinstance(url, str) else url
        async with self._in_time(address.host):
            return await self._fetch(address, known)

    async def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> int:
        """Sends these bytes to an address, by the same rules, and gives the status of the answer.
        Neither its body nor a redirect is looked at.

        Raises:
            AddressRefused: nothing is sent there.
            FetchFailed: it did not answer, or not in time.
        """
        address = parse_address(url)
        message = _Message("POST", headers, content)
        async with self._in_time(address.host):
            ips = await self._admitted(address, self._rules)
            async with self._opened(address, ips, message) as response:
                return response.status_code

    @asynccontextmanager
    async def _in_time(self, host: str) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self.limits.seconds):
                yield
        except TimeoutError as error:
            raise FetchFailed(
                f"{host} did not answer within {self.limits.seconds:g} s; try again, or the"
                " operator may set RAG_FETCH_SECONDS",
                is_passing=True,
            ) from error

    async def _fetch(self, address: WebAddress, known: Validators | None) -> Fetched | None:
        asking, rules = _asking(known), self._rules
        for _ in range(MOST_REDIRECTS + 1):
            ips = await self._admitted(address, rules)
            if all(map(is_public, ips)):
                rules = rules.of_redirects
            async with self._opened(address, ips, asking) as response:
                if response.status_code == httpx.codes.NOT_MODIFIED and known:
                    return None
                location = response.headers.get("location")
                if response.status_code not in REDIRECTS or location is None:
                    return await self._received(address, response)
            address = join(address, location)
        raise FetchFailed(f"{address.host} redirects more than {MOST_REDIRECTS} times")

    @asynccontextmanager
    async def _opened(
        self, address: WebAddress, ips: Sequence[Ip], message: "_Message"
    ) -> AsyncIterator[httpx.Response]:
        """The answer of the first of the host's addresses that can be connected to."""
        for n, ip in enumerate(ips, start=1):
            try:
                with _translated(address.host):
                    response = await self._carrier().handle_async_request(
                        _request(address, ip, message)
                    )
                break
            except Unreachable:
                if n == len(ips):
                    raise
        try:
            yield response
        finally:
            await response.aclose()

    async def _admitted(self, address: WebAddress, rules: Rules) -> list[Ip]:
        rules.check(address)
        answers = [address.ip] if address.ip else await self._resolve(address.host)
        if not answers:
            raise FetchFailed(f"{address.host} has no address")
        return rules.admit(address.host, answers)[:MOST_TRIED]

    def _carrier(self) -> httpx.AsyncBaseTransport:
        """Made when first needed, for certificates take a while to load. No connection is kept: a
        second host at the same address would get one whose certificate is the first one's."""
        if self._transport is None:
            limits = httpx.Limits(max_keepalive_connections=0)
            self._transport = httpx.AsyncHTTPTransport(trust_env=False, limits=limits)
        return self._transport

    async def _received(self, address: WebAddress, response: httpx.Response) -> Fetched:
        if response.status_code != httpx.codes.OK:
            raise _unavailable(address.host, response)
        headers = response.headers
        if int(headers.get("content-length", "0")) > self.limits.bytes:
            raise self._too_large(address.host)
        content = bytearray()
        with _translated(address.host):
            encoding = headers.get("content-encoding", "")
            async for part in decoded(response.aiter_raw(), encoding):
                content += part
                if len(content) > self.limits.bytes:
                    raise self._too_large(address.host)
        validators = Validators(_kept(headers, "etag"), _kept(headers, "last-modified"))
        declared = headers.get("content-type", "")
        whole = await asyncio.to_thread(in_utf8, declared, bytes(content))
        return Fetched(whole, media_type_of(declared, whole), address, validators)

    def _too_large(self, host: str) -> DocumentTooLarge:
        return DocumentTooLarge(
            f"what {host} sends is larger than {self.limits.bytes:,} bytes; fetch it yourself and"
            " hand in the file, or the operator may set RAG_FETCH_BYTES"
        )


class Unreachable(FetchFailed):
    """No connection was made; another address of the host may do."""


class _Message(Struct, frozen=True):
    """What is said to a host, wherever it is."""

    method: str
    headers: Mapping[str, str]
    content: bytes | None = None


def _asking(known: Validators | None) -> _Message:
    headers = {
        "Accept": "text/html, application/xhtml+xml, application/pdf, */*;q=0.8",
        "Accept-Encoding": ACCEPTED,
    }
    if known and known.etag:
        headers["If-None-Match"] = known.etag
    if known and known.last_modified:
        headers["If-Modified-Since"] = known.last_modified
    return _Message("GET", headers)


def _request(address: WebAddress, ip: Ip, message: _Message) -> httpx.Request:
    literal = f"[{ip}]" if ip.version == 6 else str(ip)
    own = {"Host": address.authority, "User-Agent": USER_AGENT, "Connection": "close"}
    return httpx.Request(
        message.method,
        f"{address.scheme}://{literal}:{address.port}",
        headers={**message.headers, **own},
        content=message.content,
        extensions={
            "target": address.target.encode(),
            "sni_hostname": address.host,
            "timeout": {"connect": CONNECT},
        },
    )


def _unavailable(host: str, response: httpx.Response) -> FetchFailed:
    status = response.status_code
    reason = {
        401: "the page is only for those who sign in",
        403: "it does not let us read the page",
        404: "there is no such page",
        410: "the page is gone",
        429: "it has been asked too often; try again later",
    }.get(status, "try again later" if status >= 500 else "it did not send the page")
    seconds = response.headers.get("retry-after", "")
    retry_after = float(seconds) if seconds.isdecimal() and len(seconds) < 7 else None
    return FetchFailed(
        f"{host} answers {status}: {reason}",
        status=status,
        retry_after=retry_after,
        is_passing=status in PASSING,
    )


def _kept(headers: httpx.Headers, name: str) -> str | None:
    """Of a header that will be sent back as it is."""
    value = headers.get(name, "")
    is_good = value.isascii() and value.isprintable() and len(value) <= LONGEST_VALIDATOR
    return value if value and is_good else None


@contextmanager
def _translated(host: str) -> Iterator[None]:
    """What can go wrong with a connection, in our words."""
    try:
        yield
    except (httpx.ConnectError, httpx.ConnectTimeout) as error:
        if _is_of_certificate(error):
            raise FetchFailed(f"the certificate of {host} is not valid for it") from error
        raise Unreachable(f"{host} cannot be reached", is_passing=True) from error
    except (httpx.TransportError, httpx.InvalidURL) as error:
        raise FetchFailed(f"{host} broke off, or does not speak HTTP", is_passing=True) from error


def _is_of_certificate(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False
