"""Who may call: browsers on pages of this service, and programs that know its name.

A port on the loopback interface is open to every web page that the user visits. A page of
another site is told apart by its `Origin`, and one whose name was made to point at this machine
(DNS rebinding) by its `Host`.
"""

import ipaddress
import re
from collections.abc import Iterable

from litestar.types import HTTPScope, Send

from rag.api.problems import Refused, send_problem
from rag.api.tracing import HttpApp, HttpReceive

AUTHORITY = re.compile(r"(?P<name>\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?")
"""`name`, `name:port` or `[IPv6]:port`, lower case; no user, no path, no list."""

DEFAULT_PORTS = {"http": "80", "https": "443"}
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class Gate:
    """Turns away requests under foreign names and from pages of other sites."""

    def __init__(self, app: HttpApp, hosts: Iterable[str]) -> None:
        """
        Args:
            hosts: names besides the loopback ones under which the service may be called.
        """
        self._app = app
        self._hosts = frozenset(host.lower().rstrip(".") for host in hosts)

    async def __call__(self, scope: HTTPScope, receive: HttpReceive, send: Send) -> None:
        try:
            check(scope["method"], scope["headers"], self._hosts)
        except Refused as refused:
            await send_problem(refused, scope, send)
        else:
            await self._app(scope, receive, send)


def check(method: str, headers: Iterable[tuple[bytes, bytes]], hosts: frozenset[str]) -> None:
    """
    Raises:
        Refused: 400 without one well-formed Host, 421 for a Host that is not ours, 403 for a
            page of another site.
    """
    host = _host(_values(headers, b"host"))
    if not _is_ours(host, hosts):
        raise Refused(
            421,
            "foreign_host",
            f"this service is not called {_name(host)!r}; call it by a loopback name, or allow"
            " the name in RAG_ALLOWED_HOSTS",
        )
    origins = _values(headers, b"origin")
    if any(not _same_site(origin, host) for origin in origins):
        raise Refused(403, "foreign_origin", "pages of other sites may not call this service")
    sites = _values(headers, b"sec-fetch-site")
    if method not in SAFE_METHODS and "cross-site" in sites:
        raise Refused(403, "foreign_origin", "pages of other sites may not call this service")


def _values(headers: Iterable[tuple[bytes, bytes]], name: bytes) -> list[str]:
    return [value.decode("latin-1").strip().lower() for key, value in headers if key == name]


def _host(values: list[str]) -> str:
    if len(values) != 1 or not AUTHORITY.fullmatch(values[0]):
        raise Refused(400, "bad_host", "a request needs one Host header: a name and a port")
    return values[0]


def _name(host: str) -> str:
    matched = AUTHORITY.fullmatch(host)
    return matched["name"].strip("[]").rstrip(".") if matched else ""


def _is_ours(host: str, hosts: frozenset[str]) -> bool:
    name = _name(host)
    if name == "localhost" or name in hosts:
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _same_site(origin: str, host: str) -> bool:
    """Whether a page of `origin` was served under `host`; the scheme may differ, since a proxy
    before us may speak TLS."""
    scheme, _, authority = origin.partition("://")
    if scheme not in DEFAULT_PORTS:
        return False
    default = ":" + DEFAULT_PORTS[scheme]
    return authority.removesuffix(default) == host.removesuffix(default)
