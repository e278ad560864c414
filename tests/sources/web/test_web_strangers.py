"""Whatever strangers write, we stay within our own words."""

import ipaddress
import re
from contextlib import suppress

from hypothesis import example, given
from hypothesis import strategies as st

from rag.errors import AddressRefused, FetchFailed
from rag.sources.web.addresses import WebAddress, join, parse_address
from rag.sources.web.kinds import in_utf8, media_type_of
from rag.sources.web.links import is_index, is_sitemap, links, listed
from rag.sources.web.networks import is_public, is_unicast, unwrapped
from rag.sources.web.robots import parse_robots

HERE = parse_address("https://example.org/docs/")
PIECES = (
    *(
        "http",
        "https",
        "://",
        ":",
        "/",
        "//",
        "\\",
        "@",
        "#",
        "?",
        "[",
        "]",
        "%",
        "%00",
        "%2e",
        ".",
    ),
    *(
        "..",
        "127.0.0.1",
        "0x7f",
        "2130706433",
        "::1",
        "::ffff:",
        "localhost",
        "example.org",
        "xn--",
    ),
    *(
        "8080",
        "٣",
        "①",
        "。",
        "ß",
        "İ",
        "\u200d",
        "\u00ad",
        "\ud800",
        "\t",
        "\x00",
        " ",
        "-",
        "_",
        "a",
    ),
)
urls = st.lists(st.sampled_from(PIECES), max_size=12).map("".join) | st.text(max_size=40)


def check(address: WebAddress) -> None:
    assert address.scheme in ("http", "https")
    assert 1 <= address.port <= 65_535
    assert re.fullmatch(r"[a-z0-9_.-]+|[0-9a-f:.]+", address.host)
    assert re.fullmatch(r"/[!$%&'()*+,./0-9:;=?@A-Z_a-z~-]*", address.target)
    assert address.ip is not None or not re.fullmatch(r"(.*\.)?[0-9]+", address.host)
    assert parse_address(str(address)) == address


@given(urls, st.sampled_from(["", "http://", "https://example.org/", "http://example.org:"]))
@example("例え.jp:8080/ü?ü", "http://")
def test_an_address_is_refused_or_has_one_normal_form(url: str, start: str) -> None:
    try:
        address = parse_address(start + url)
    except AddressRefused:
        return

    check(address)


@given(urls)
def test_a_reference_is_refused_or_leads_to_an_address(reference: str) -> None:
    try:
        check(join(HERE, reference))
    except AddressRefused:
        return


@given(st.integers(0, 2**128 - 1) | st.integers(0, 2**32 - 1))
def test_what_is_public_is_unicast_and_what_it_wraps_is_too(number: int) -> None:
    for ip in (ipaddress.IPv6Address(number), ipaddress.IPv4Address(number % 2**32)):
        if is_public(ip):
            assert is_unicast(ip)
            assert unwrapped(ip).is_global


@given(st.binary(max_size=400), st.text(max_size=60))
def test_no_bytes_and_no_header_make_an_error_of_ours(content: bytes, declared: str) -> None:
    for body in (
        content,
        b"<a href='" + content,
        b"<loc>" + content + b"</loc>",
        b"\x1f\x8b" + content,
    ):
        links(body, HERE)
        listed(body)
        is_index(body)
        is_sitemap(body)
    parse_robots(b"User-agent: *\nDisallow: " + content).allow("/a")
    in_utf8("text/html; charset=" + declared, content)
    with suppress(FetchFailed):
        media_type_of(declared, content)
