"""A loopback port is open to every web page; only our own pages may use it."""

import pytest

from rag.api.gate import check
from rag.api.problems import Refused

HOSTS = frozenset({"rag.example"})


def status_of(method: str = "GET", **headers: str | list[str]) -> int:
    """0 where the request may pass, else the status it is refused with."""
    pairs = [
        (name.replace("_", "-").encode(), value.encode("latin-1"))
        for name, values in headers.items()
        for value in ([values] if isinstance(values, str) else values)
    ]
    try:
        check(method, pairs, HOSTS)
    except Refused as refused:
        return refused.status
    return 0


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8000",
        "127.0.0.1",
        "127.8.9.1:1",  # all of 127/8 is this machine
        "localhost:8000",
        "LOCALHOST",
        "localhost.:8000",  # the fully qualified form
        "[::1]:8000",
        "[::1]",
        "rag.example",  # configured
        "RAG.example.:443",
    ],
)
def test_our_own_names_pass(host: str) -> None:
    assert status_of(host=host) == 0


@pytest.mark.parametrize(
    "host",
    [
        "attacker.example",  # DNS rebinding: its name was made to point at us
        "localhost.attacker.example",
        "127.0.0.1.attacker.example",
        "ragxexample",  # a dot is a dot, not a wildcard
        "sub.rag.example",
        "192.168.1.2:8000",
        "[fe80::1]",
        "2130706433",  # 127.0.0.1 as one number: resolvers take it, we do not
        "0x7f.1",
        "0.0.0.0",
    ],
)
def test_foreign_names_are_misdirected(host: str) -> None:
    assert status_of(host=host) == 421


@pytest.mark.parametrize(
    "host",
    [
        "",
        "localhost:8000:1",
        "user@localhost",
        "localhost/evil",
        "localhost, attacker.example",
        "localhost:port",
        "[::1",
        "lo cal",
        "löcalhost",
        ["localhost", "attacker.example"],
    ],
)
def test_a_host_that_is_not_one_name_is_a_bad_request(host: str | list[str]) -> None:
    assert status_of(host=host) == 400


def test_a_request_without_host_is_a_bad_request() -> None:
    assert status_of() == 400


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize(
    "origin",
    [
        "http://attacker.example",
        "https://localhost.attacker.example",
        "http://localhost:3000",  # another port is another site
        "http://127.0.0.1:8000",  # the same machine under another name is another origin
        "null",  # sandboxed frames and files
        "file://",
        "chrome-extension://abcdef",
        "http://localhost:8000/path",
        "http://user@localhost:8000",
        "",
    ],
)
def test_pages_of_other_sites_are_refused_whatever_they_do(method: str, origin: str) -> None:
    assert status_of(method, host="localhost:8000", origin=origin) == 403


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("http://localhost:8000", "localhost:8000"),
        ("http://LocalHost:8000", "localhost:8000"),
        ("http://localhost", "localhost:80"),  # browsers leave out the default port
        ("http://[::1]:8000", "[::1]:8000"),
        ("https://rag.example", "rag.example"),  # behind a proxy that speaks TLS
    ],
)
def test_our_own_pages_pass(origin: str, host: str) -> None:
    assert status_of("POST", host=host, origin=origin) == 0


def test_one_foreign_origin_among_two_is_enough_to_refuse() -> None:
    origins = ["http://localhost", "http://attacker.example"]

    assert status_of("POST", host="localhost", origin=origins) == 403


def test_a_cross_site_fetch_may_look_but_not_act() -> None:
    assert status_of("GET", host="localhost", sec_fetch_site="cross-site") == 0
    assert status_of("POST", host="localhost", sec_fetch_site="cross-site") == 403
    assert status_of("POST", host="localhost", sec_fetch_site="same-origin") == 0


def test_forwarding_headers_name_nobody() -> None:
    refused = status_of(host="attacker.example", x_forwarded_host="localhost")
    passed = status_of(host="localhost", x_forwarded_host="attacker.example")

    assert (refused, passed) == (421, 0)
