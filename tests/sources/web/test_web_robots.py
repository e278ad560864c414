"""What a robots.txt asks of us, by RFC 9309."""

import time

import pytest

from rag.sources.web.robots import LONGEST_DELAY, parse_robots


@pytest.mark.parametrize(
    ("text", "target", "allowed"),
    [
        ("", "/a", True),
        ("User-agent: *\nDisallow: /", "/a", False),
        ("User-agent: *\nDisallow: /", "/robots.txt", True),
        ("User-agent: *\nDisallow:", "/a", True),
        ("User-agent: other\nDisallow: /", "/a", True),
        ("User-agent: RAG/2.0 (here)\nDisallow: /a", "/a", False),
        ("User-agent: ragged\nDisallow: /a", "/a", True),
        ("User-agent: *\nDisallow: /\n\nUser-agent: rag\nDisallow: /b", "/a", True),  # ours wins
        ("User-agent: rag\nDisallow: /a\n\nUser-agent: rag\nDisallow: /b", "/b", False),  # as one
        ("User-agent: x\nUser-agent: rag\nDisallow: /a", "/a", False),
        ("User-agent: rag\nCrawl-delay: 1\nUser-agent: x\nDisallow: /a", "/a", True),
        ("Disallow: /a\nUser-agent: *", "/a", True),  # of nobody's group
        ("user-AGENT : *\n dIsAllow : /a # all of it", "/ab", False),
        ("User-agent: *\nNonsense\nDisallow: /a", "/a", False),
        ("\ufeffUser-agent: *\r\nDisallow: /a\r\n", "/a", False),
        ("User-agent: *\nDisallow: /a\nAllow: /a/b", "/a/b/c", True),  # the longest
        ("User-agent: *\nAllow: /a\nDisallow: /a/b", "/a/b/c", False),
        ("User-agent: *\nAllow: /a\nDisallow: /a", "/a", True),  # of equal ones, the kinder
        ("User-agent: *\nDisallow: /*.pdf", "/a/b.pdf?c", False),
        ("User-agent: *\nDisallow: /*.pdf$", "/a/b.pdf?c", True),
        ("User-agent: *\nDisallow: /*.pdf$", "/a/b.pdf", False),
        ("User-agent: *\nDisallow: /a$", "/ab", True),
        ("User-agent: *\nDisallow: /a$", "/a", False),
        ("User-agent: *\nDisallow: /a*b*c", "/a-b-c-d", False),
        ("User-agent: *\nDisallow: /a*b*c", "/a-c-b", True),
        ("User-agent: *\nDisallow: /ab*b$", "/ab", True),  # one b is not two
        ("User-agent: *\nDisallow: *", "/a", False),
        ("User-agent: *\nDisallow: /*?", "/a?b", False),
        ("User-agent: *\nDisallow: /über", "/%C3%BCber", False),
        ("User-agent: *\nDisallow: /%7Euser", "/~user", False),
        ("User-agent: *\nDisallow: /a%2fb", "/a%2Fb", False),
    ],
)
def test_a_page_may_be_visited_or_not(text: str, target: str, allowed: bool) -> None:
    assert parse_robots(text.encode()).allow(target) is allowed


def test_a_delay_is_kept_within_reason() -> None:
    assert parse_robots(b"User-agent: *\nCrawl-delay: 2.5").delay == 2.5
    assert parse_robots(b"User-agent: *\nCrawl-delay: 86400").delay == LONGEST_DELAY
    assert parse_robots(b"User-agent: *\nCrawl-delay: nan").delay == 0


def test_no_pattern_takes_long() -> None:
    hostile = b"User-agent: *\n" + (b"Disallow: /" + b"*a" * 400 + b"b\n") * 20
    robots = parse_robots(hostile)
    began = time.process_time()

    assert robots.allow("/" + "a" * 8_000)
    assert time.process_time() - began < 2


def test_rubbish_asks_nothing() -> None:
    assert parse_robots(bytes(range(256)) * 4_000).allow("/a")
