"""Which hosts, networks and ports may be fetched from."""

import ipaddress
import re
from collections.abc import Iterable, Sequence
from typing import TypeAlias

from msgspec import Struct

from rag.errors import AddressRefused, InvalidSettings
from rag.sources.web.addresses import Ip, WebAddress
from rag.sources.web.networks import is_public, is_unicast, unwrapped

Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network

PORTS = (80, 443, 8080, 8443)
"""Of websites; a fetch that may choose any port can speak to a mail server or a database."""

SETTING = "RAG_FETCH_ALLOW"
PORTS_SETTING = "RAG_FETCH_PORTS"

LOCAL_NAMES = frozenset(
    {"alt", "arpa", "corp", "home", "internal", "invalid", "lan", "local", "localhost", "onion"}
    | {"private", "test"}
)
"""Last labels of names that no public server has (RFC 6761 and 8375, and common use), and that
are not even asked for."""

_NAME = re.compile(r"(?:\*\.)?[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")


class Rules(Struct, frozen=True):
    """The public internet, and what the operator allows besides."""

    names: frozenset[str] = frozenset()
    """Hosts, wherever they are; `*.example.org` is all below that."""
    networks: tuple[Network, ...] = ()
    ports: tuple[int, ...] = PORTS
    is_of_redirects: bool = False
    """Whether it is the public internet that leads there, not a caller."""

    @property
    def of_redirects(self) -> "Rules":
        """What holds once a page of the public internet has led on: strangers lead nowhere that
        only our callers may go."""
        return Rules(ports=self.ports, is_of_redirects=True)

    def check(self, address: WebAddress) -> None:
        """What is known before a name is looked up.

        Raises:
            AddressRefused: of a port or a name that is not fetched from.
        """
        if address.port not in self.ports:
            ports = ", ".join(map(str, self.ports))
            raise AddressRefused(
                f"port {address.port} is not fetched from, only {ports}; the operator may set"
                f" {PORTS_SETTING}"
            )
        *parents, last = address.host.split(".")
        is_local = not parents or last in LOCAL_NAMES
        if address.ip is None and is_local and not self._is_named(address.host):
            raise self._refused(address.host)

    def admit(self, host: str, answers: Sequence[Ip]) -> list[Ip]:
        """The addresses to connect to. One that is not public refuses all: a name with both kinds
        is an attack or a mistake, and which one is connected to must not be left to luck.

        Raises:
            AddressRefused: one of the host's addresses is not fetched from.
        """
        is_named = self._is_named(host)
        for ip in answers:
            is_allowed = is_unicast(ip) and (is_named or self._is_allowed(unwrapped(ip)))
            if not is_allowed and not is_public(ip):
                raise self._refused(host)
        return list(dict.fromkeys(map(unwrapped, answers)))

    def allows_by_name(self, address: WebAddress) -> bool:
        """Whether it is one of those that the operator allows besides."""
        return self._is_named(address.host) or (
            address.ip is not None and self._is_allowed(unwrapped(address.ip))
        )

    def _refused(self, host: str) -> AddressRefused:
        hint = (
            "a public page redirects there: hand in that address itself, if it is allowed"
            if self.is_of_redirects
            else f"if it should be fetched from, the operator may allow it: {SETTING}={host}"
        )
        return AddressRefused(f"{host} is not on the public internet; {hint}")

    def _is_named(self, host: str) -> bool:
        parts = host.split(".")
        parents = {"*." + ".".join(parts[n:]) for n in range(1, len(parts))}
        return host in self.names or not self.names.isdisjoint(parents)

    def _is_allowed(self, ip: Ip) -> bool:
        return any(ip in network for network in self.networks)


def rules_of(allowed: Iterable[str], ports: Sequence[int] = PORTS) -> Rules:
    """
    Args:
        allowed: names of hosts, IP addresses, and networks as in `10.1.0.0/16`.

    Raises:
        InvalidSettings: one of them is none of these.
    """
    names: set[str] = set()
    networks: list[Network] = []
    for each in map(str.lower, allowed):
        try:
            networks.append(ipaddress.ip_network(each))
        except ValueError as error:
            if not _NAME.fullmatch(each) or each.rpartition(".")[2].isdigit():
                raise InvalidSettings(
                    f"{SETTING} holds {each!r}, which is neither the name of a host (wiki.corp, or"
                    " *.corp for all below it) nor an address or network (10.1.0.0/16)"
                ) from error
            names.add(each)
    return Rules(frozenset(names), tuple(networks), tuple(ports))
