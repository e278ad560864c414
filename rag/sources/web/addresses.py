"""The address of a page, understood once: what is sent is made from the parts found here, never
from the text that was given, so that no second parser can read it otherwise.

Strict where a host is named. What browsers repair (`http:/host`, `http://2130706433`, a backslash)
is refused, because that is how a private address is made to look like another.
"""

import ipaddress
import re
from typing import TypeAlias
from urllib.parse import urljoin

import idna
from msgspec import Struct

from rag.errors import AddressRefused

Ip: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

PORTS = {"http": 80, "https": 443}

LONGEST = 8_000  # characters; servers and proxies take about as many
LONGEST_NAME = 253  # of a host, RFC 1035

_PARTS = re.compile(r"(?i:(https?))://([^/?#]*)([^?#]*)(\?[^#]*)?(?:#.*)?", re.DOTALL)
_AUTHORITY = re.compile(r"(\[[^\[\]]*\]|[^:\[\]]*)(?::([0-9]{1,5}))?")
_SCHEME = re.compile(r" *[A-Za-z][A-Za-z0-9+.-]*:")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_IPV6 = re.compile(r"[0-9A-Fa-f:.]+")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
"""What a resolver might take for an IPv4 address, or the end of one."""

_UNRESERVED = r"A-Za-z0-9._~\-"
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})")
_NOT_IN_PATH = re.compile(rf"[^{_UNRESERVED}!$&'()*+,;=:@/%]|%(?![0-9A-Fa-f]{{2}})")
_NOT_IN_QUERY = re.compile(rf"[^{_UNRESERVED}!$&'()*+,;=:@/%?]|%(?![0-9A-Fa-f]{{2}})")


class WebAddress(Struct, frozen=True):
    """Where a page is, in its one normal form."""

    scheme: str
    host: str
    """A name in ASCII and lower case, or an IP address as it is written in full."""
    port: int
    target: str
    """Path and query, as they are sent."""

    @property
    def ip(self) -> Ip | None:
        """Of a host that is given as an IP address."""
        try:
            return ipaddress.ip_address(self.host)
        except ValueError:
            return None

    @property
    def authority(self) -> str:
        """Host, and port where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def origin(self) -> str:
        return f"{self.scheme}://{self.authority}"

    def __str__(self) -> str:
        return self.origin + self.target


def parse_address(url: str) -> WebAddress:
    """
    Raises:
        AddressRefused: it is not an address of http or https in its plain form.
    """
    if len(url) > LONGEST:
        raise AddressRefused(f"an address has at most {LONGEST:,} characters")
    url = url.strip(" ")
    if _CONTROL.search(url) or "\\" in url:
        raise AddressRefused("an address may not hold control characters or backslashes")
    parts = _PARTS.fullmatch(url)
    if parts is None:
        raise AddressRefused("an address begins with http:// or https:// and names a host")
    scheme, authority, path, query = parts[1].lower(), parts[2], parts[3], parts[4]
    host, port = _host_and_port(authority)
    target = (_without_dots(_escaped(path, _NOT_IN_PATH)) or "/") + _escaped(
        query or "", _NOT_IN_QUERY
    )
    return WebAddress(scheme, host, PORTS[scheme] if port is None else port, target)


def join(base: WebAddress, reference: str) -> WebAddress:
    """Where a link or a redirect on that page leads.

    Raises:
        AddressRefused: nowhere that could be fetched.
    """
    if _CONTROL.search(reference) or "\\" in reference:
        raise AddressRefused("an address may not hold control characters or backslashes")
    if _SCHEME.match(reference):
        return parse_address(reference)
    try:
        return parse_address(urljoin(str(base), reference))
    except ValueError as error:
        raise AddressRefused("a link leads to no address") from error


def _host_and_port(authority: str) -> tuple[str, int | None]:
    if "@" in authority:
        raise AddressRefused("an address may not hold a user name or password")
    parts = _AUTHORITY.fullmatch(authority)
    if parts is None or not parts[1]:
        raise AddressRefused("an address names a host, and perhaps a port from 1 to 65535")
    port = None if parts[2] is None else int(parts[2])
    if port is not None and not 1 <= port <= 65_535:
        raise AddressRefused("a port is a number from 1 to 65535")
    if parts[1].startswith("["):
        return _ipv6(parts[1][1:-1]), port
    return _name_or_ipv4(parts[1]), port


def _ipv6(text: str) -> str:
    try:
        if _IPV6.fullmatch(text):  # no zones (`fe80::1%eth0`)
            return str(ipaddress.IPv6Address(text))
    except ValueError:
        pass
    raise AddressRefused("what stands in brackets is not an IPv6 address")


def _name_or_ipv4(text: str) -> str:
    name = (text.lower() if text.isascii() else _in_ascii(text)).removesuffix(".")
    labels = name.split(".")
    if len(name) > LONGEST_NAME or not all(map(_LABEL.fullmatch, labels)):
        raise AddressRefused("a host's name is letters, digits, hyphens and dots")
    if not _NUMBER.fullmatch(labels[-1]):
        return name
    try:
        if text.isascii():
            return str(ipaddress.IPv4Address(name))
    except ValueError:
        pass
    raise AddressRefused("an IPv4 address is four decimal numbers from 0 to 255, as in 192.0.2.1")


def _in_ascii(text: str) -> str:
    try:
        return idna.encode(text, uts46=True).decode()
    except (idna.IDNAError, UnicodeError) as error:
        raise AddressRefused("this is no valid name of a host") from error


def _escaped(text: str, outside: re.Pattern[str]) -> str:
    """Percent-encoded where it must be, and only there (RFC 3986, 6.2.2)."""
    try:
        encoded = outside.sub(lambda m: "".join(f"%{b:02X}" for b in m[0].encode()), text)
    except UnicodeEncodeError as error:
        raise AddressRefused("an address may not hold halves of characters") from error
    return _ESCAPE.sub(_plain_where_possible, encoded)


def _plain_where_possible(escape: re.Match[str]) -> str:
    character = chr(int(escape[1], 16))
    return character if re.fullmatch(f"[{_UNRESERVED}]", character) else escape[0].upper()


def _without_dots(path: str) -> str:
    """`/a/./b/../c` is `/a/c` (RFC 3986, 5.2.4)."""
    kept: list[str] = []
    segments = path.split("/")[1:]
    for segment in segments:
        if segment == "..":
            del kept[-1:]
        elif segment != ".":
            kept.append(segment)
    if segments and segments[-1] in (".", ".."):
        kept.append("")
    return "/" + "/".join(kept) if segments else ""
