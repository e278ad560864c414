"""Which IP addresses belong to the public internet.

A positive list: global unicast, less what IANA's registries of special-purpose addresses set
apart. The standard library's `is_global` is not enough: in Python 3.11 it calls NAT64 and 6to4
forms of 127.0.0.1 global, and `::127.0.0.1`, and some multicast.
"""

import ipaddress

from rag.sources.web.addresses import Ip

GLOBAL_4 = ("0.0.0.0/1", "128.0.0.0/2", "192.0.0.0/3")
GLOBAL_6 = ("2000::/3",)
"""What IANA gives out as unicast, or did before it set parts of it apart."""

SPECIAL_4 = (
    "0.0.0.0/8",  # "this network"
    "10.0.0.0/8",  # private
    "100.64.0.0/10",  # behind a carrier's NAT; Alibaba's metadata service
    "127.0.0.0/8",  # this machine
    "168.63.129.16/32",  # Azure's own services, at an address that looks public
    "169.254.0.0/16",  # link-local; the metadata service of most clouds
    "172.16.0.0/12",  # private
    "192.0.0.0/24",  # protocol assignments; Oracle's metadata service
    "192.0.2.0/24",  # documentation
    "192.31.196.0/24",  # AS112
    "192.52.193.0/24",  # AMT
    "192.88.99.0/24",  # 6to4 relays, deprecated
    "192.168.0.0/16",  # private
    "192.175.48.0/24",  # AS112
    "198.18.0.0/15",  # benchmarks
    "198.51.100.0/24",  # documentation
    "203.0.113.0/24",  # documentation
)
SPECIAL_6 = (
    "2001::/23",  # protocol assignments: Teredo, benchmarks, ORCHID, AMT, AS112 ...
    "2001:db8::/32",  # documentation
    "2002::/16",  # 6to4, deprecated, with an IPv4 address inside
    "2620:4f:8000::/48",  # AS112
    "3ffe::/16",  # the 6bone, given back
    "3fff::/20",  # documentation
)

NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
"""How a network without IPv4 reaches it: the last 32 bits are the address meant."""

ISATAP = (bytes.fromhex("00005efe"), bytes.fromhex("02005efe"))
"""Bytes 8 to 12 of an IPv6 address with an IPv4 address inside."""

_GLOBAL = tuple(map(ipaddress.ip_network, (*GLOBAL_4, *GLOBAL_6)))
_SPECIAL = tuple(map(ipaddress.ip_network, (*SPECIAL_4, *SPECIAL_6)))


def unwrapped(ip: Ip) -> Ip:
    """The IPv4 address of one mapped into IPv6: to a socket, both are the same."""
    return getattr(ip, "ipv4_mapped", None) or ip


def is_public(ip: Ip) -> bool:
    """Whether it is global unicast, and so is what may be embedded in it."""
    ip = unwrapped(ip)
    if ip in NAT64:
        return is_public(ipaddress.IPv4Address(ip.packed[-4:]))
    if ip.version == 6 and ip.packed[8:12] in ISATAP:
        return False
    return any(ip in network for network in _GLOBAL) and not any(ip in n for n in _SPECIAL)


def is_unicast(ip: Ip) -> bool:
    """Whether one machine can have it at all: the most that an operator can allow."""
    ip = unwrapped(ip)
    is_reserved_4 = ip.version == 4 and ip.packed[0] >= 240
    return not (ip.is_multicast or ip.is_unspecified or is_reserved_4)
