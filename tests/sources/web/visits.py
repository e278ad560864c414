"""A web that is not there: name servers and sites as functions, and what they were asked."""

import ipaddress
from collections.abc import AsyncIterator, Callable, Mapping, Sequence

import httpx

from rag.sources.web.addresses import Ip
from rag.sources.web.fetching import Fetcher, FetchLimits
from rag.sources.web.rules import Rules

SOMEWHERE = ("93.184.216.34",)

Site = Callable[[httpx.Request], httpx.Response]


class Visits:
    """Whom a fetcher asked."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.requests: list[httpx.Request] = []

    def fetcher(
        self,
        site: Site = lambda request: httpx.Response(200, text="hello"),
        names: Mapping[str, Sequence[str]] | Callable[[str], Sequence[str]] | None = None,
        rules: Rules | None = None,
        limits: FetchLimits | None = None,
    ) -> Fetcher:
        """One that asks these name servers and visits this site, wherever it goes."""

        async def resolve(host: str) -> Sequence[Ip]:
            self.names.append(host)
            answers = names(host) if callable(names) else (names or {}).get(host, SOMEWHERE)
            return [ipaddress.ip_address(answer) for answer in answers]

        def visit(request: httpx.Request) -> httpx.Response:
            self.requests.append(request)
            return _arriving(site(request))

        return Fetcher(
            rules or Rules(), limits, resolve=resolve, transport=httpx.MockTransport(visit)
        )

    @property
    def connected_to(self) -> list[str]:
        return [request.url.host for request in self.requests]


class Arriving(httpx.AsyncByteStream):
    """A body that has not been received yet."""

    def __init__(self, content: bytes) -> None:
        self._content = content

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content


def _arriving(response: httpx.Response) -> httpx.Response:
    return httpx.Response(
        response.status_code, headers=response.headers, stream=Arriving(response.content)
    )
