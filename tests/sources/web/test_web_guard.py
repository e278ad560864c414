"""Nothing but the public internet is fetched from, however it is asked for."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
import pytest

from rag.errors import AddressRefused, FetchFailed, InvalidSettings
from rag.sources.web.addresses import join, parse_address
from rag.sources.web.fetching import Fetcher
from rag.sources.web.rules import Rules, rules_of
from tests.sources.web.forbidden import forbidden_answers, forbidden_urls
from tests.sources.web.ordinary import ORDINARY
from tests.sources.web.visits import Visits

WATCHED = {"socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"}

watching: list[list[str]] = []


def _heard(event: str, arguments: tuple[object, ...]) -> None:
    if event in WATCHED:
        for events in watching:
            events.append(event)


sys.addaudithook(_heard)  # it stays for good, and hears nothing while nobody watches


@contextmanager
def network_events() -> Iterator[list[str]]:
    events: list[str] = []
    watching.append(events)
    yield events
    watching.remove(events)


FORBIDDEN = forbidden_urls()

pytestmark = pytest.mark.anyio


def test_there_are_enough_cases_to_mean_something() -> None:
    assert len(FORBIDDEN) >= 300
    assert len(forbidden_answers()) >= 100
    assert len(ORDINARY) >= 50


async def test_every_forbidden_address_is_refused_and_nobody_is_asked() -> None:
    visits = Visits()
    fetcher = visits.fetcher()
    passed = []
    for url in FORBIDDEN:
        try:
            await fetcher.fetch(url)
        except AddressRefused:
            continue
        passed.append(url)

    assert passed == []
    assert visits.names == []
    assert visits.requests == []


async def test_no_socket_is_opened_and_no_name_asked_for_a_forbidden_address() -> None:
    """With the real resolver and the real transport, as the interpreter itself sees it."""
    fetcher = Fetcher(Rules())
    with network_events() as events:
        for url in FORBIDDEN:
            with suppress(AddressRefused):
                await fetcher.fetch(url)
        seen = list(events)
        with pytest.raises(FetchFailed):  # nobody listens there; but it is tried
            await Fetcher(rules_of(["127.0.0.1"], (9,))).fetch("http://127.0.0.1:9/")
    await fetcher.close()

    assert seen == []
    assert events == ["socket.connect"]


async def test_every_forbidden_answer_of_a_name_server_is_refused() -> None:
    passed = []
    visits = Visits()
    for answers in forbidden_answers():
        try:
            await visits.fetcher(names={"example.org": answers}).fetch("http://example.org/")
        except AddressRefused:
            continue
        passed.append(answers)

    assert passed == []
    assert visits.requests == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_no_redirect_leads_to_a_forbidden_address(status: int) -> None:
    passed = []
    for url in FORBIDDEN:
        if not url.startswith(("http://", "https://")) or not url.isprintable():
            continue  # relative to the page it stands on, or no header
        visits = Visits()
        location = {"Location": url.encode()}

        def site(request: httpx.Request, location: dict[str, bytes] = location) -> httpx.Response:
            is_first = request.extensions["sni_hostname"] == "start.org"
            return httpx.Response(status, headers=location) if is_first else httpx.Response(200)

        try:
            await visits.fetcher(site).fetch("http://start.org/")
        except AddressRefused:
            assert visits.connected_to == ["93.184.216.34"]
            continue
        passed.append(url)

    assert passed == []


@pytest.mark.parametrize("url", ORDINARY)
async def test_an_ordinary_address_is_fetched_under_its_normal_form(url: str) -> None:
    visits = Visits()
    fetched = await visits.fetcher().fetch(url)
    [request] = visits.requests

    assert fetched is not None
    assert str(fetched.address) == ORDINARY[url]
    assert str(parse_address(str(fetched.address))) == str(fetched.address)
    assert request.extensions["target"].decode() == fetched.address.target


async def test_the_checked_answer_is_connected_to_in_the_hosts_name() -> None:
    """So that a name server that changes its mind changes nothing."""
    visits = Visits()
    answers = iter([["93.184.216.34"], ["127.0.0.1"]])
    fetcher = visits.fetcher(names=lambda host: next(answers))
    await fetcher.fetch("https://example.org/")

    [request] = visits.requests
    assert request.url.host == "93.184.216.34"
    assert request.headers["host"] == "example.org"
    assert request.extensions["sni_hostname"] == "example.org"
    with pytest.raises(AddressRefused):
        await fetcher.fetch("https://example.org/")
    assert visits.names == ["example.org", "example.org"]
    assert len(visits.requests) == 1


async def test_a_redirect_to_the_same_name_is_looked_up_and_checked_again() -> None:
    visits = Visits()
    answers = iter([["93.184.216.34"], ["169.254.169.254"]])
    fetcher = visits.fetcher(
        lambda request: httpx.Response(302, headers={"Location": "/latest/meta-data/"}),
        names=lambda host: next(answers),
    )

    with pytest.raises(AddressRefused):
        await fetcher.fetch("http://example.org/")
    assert visits.connected_to == ["93.184.216.34"]


async def test_a_mapped_answer_is_connected_to_as_what_it_is() -> None:
    visits = Visits()
    await visits.fetcher(names={"example.org": ["::ffff:93.184.216.34"]}).fetch(
        "http://example.org"
    )

    assert visits.connected_to == ["93.184.216.34"]


@pytest.mark.parametrize(
    ("allowed", "url", "answers", "passes"),
    [
        ("10.1.0.0/16", "http://10.1.2.3/", (), True),
        ("10.1.0.0/16", "http://10.2.2.3/", (), False),
        ("10.1.0.0/16", "http://[::ffff:10.1.2.3]/", (), True),  # the same address
        ("10.1.0.0/16", "http://[64:ff9b::10.1.2.3]/", (), False),  # not the same
        ("10.1.0.0/16", "http://wiki.example.org/", ("10.1.2.3",), True),
        ("10.1.0.0/16", "http://wiki.example.org/", ("10.1.2.3", "10.2.0.1"), False),
        ("10.1.0.0/16", "http://wiki.corp/", ("10.1.2.3",), False),  # has to be named
        ("127.0.0.1", "http://127.0.0.1/", (), True),
        ("127.0.0.1", "http://127.0.0.2/", (), False),
        ("fd00::/8", "http://[fd12::1]/", (), True),
        ("wiki.corp", "http://wiki.corp/", ("10.1.2.3",), True),
        ("wiki.corp", "http://WIKI.corp./", ("10.1.2.3", "127.0.0.1"), True),
        ("wiki.corp", "http://a.wiki.corp/", ("10.1.2.3",), False),
        ("*.corp", "http://a.wiki.corp/", ("10.1.2.3",), True),
        ("*.corp", "http://corp/", ("10.1.2.3",), False),
        ("*.corp", "http://evilcorp/", ("10.1.2.3",), False),
        ("*.corp", "http://a.corp.example.org/", ("10.1.2.3",), False),
        ("wiki", "http://wiki/", ("192.168.1.2",), True),
        ("localhost", "http://localhost/", ("::1", "127.0.0.1"), True),
        ("wiki.corp", "http://wiki.corp/", ("224.0.0.1",), False),  # nobody's address
        ("0.0.0.0/0", "http://255.255.255.255/", (), False),
        ("0.0.0.0/0", "http://10.0.0.1:22/", (), False),  # ports are another matter
        ("::/0", "http://10.0.0.1/", (), False),
    ],
)
async def test_the_operator_may_allow_a_host_or_a_network(
    allowed: str, url: str, answers: tuple[str, ...], passes: bool
) -> None:
    visits = Visits()
    fetcher = visits.fetcher(names=lambda host: answers, rules=rules_of([allowed]))

    if passes:
        assert await fetcher.fetch(url) is not None
    else:
        with pytest.raises(AddressRefused):
            await fetcher.fetch(url)
        assert visits.requests == []


async def test_a_public_page_redirects_nobody_into_an_allowed_network() -> None:
    """The operator allows its callers to name these hosts, not strangers."""
    names = {"wiki.corp": ["10.1.2.3"], "files.corp": ["10.1.2.4"]}
    leads = {
        "start.org": "http://wiki.corp/",
        "wiki.corp": "http://files.corp/",
        "back.org": "http://10.1.2.3/",
    }

    def site(request: httpx.Request) -> httpx.Response:
        to = leads.get(request.extensions["sni_hostname"])
        return httpx.Response(302, headers={"Location": to}) if to else httpx.Response(200)

    for start in ("start.org", "back.org"):
        visits = Visits()
        fetcher = visits.fetcher(site, names, rules_of(["*.corp", "10.0.0.0/8"]))
        with pytest.raises(AddressRefused, match="a public page redirects there"):
            await fetcher.fetch(f"http://{start}/")
        assert visits.connected_to == ["93.184.216.34"]
        assert await fetcher.fetch("http://wiki.corp/") is not None
        assert visits.connected_to[1:] == ["10.1.2.3", "10.1.2.4"]


async def test_other_ports_are_a_setting() -> None:
    visits = Visits()
    rules = rules_of([], (443, 9000))
    await visits.fetcher(rules=rules).fetch("http://example.org:9000/")

    assert visits.requests[0].url.port == 9000
    with pytest.raises(AddressRefused, match="RAG_FETCH_PORTS"):
        await visits.fetcher(rules=rules).fetch("http://example.org/")


@pytest.mark.parametrize("allowed", ["10.0.0.1/8", "10.0.0", "http://x.org", "a b", "*", "a/b", ""])
def test_what_cannot_be_allowed_is_refused_at_the_start(allowed: str) -> None:
    with pytest.raises(InvalidSettings, match="RAG_FETCH_ALLOW"):
        rules_of([allowed])


def test_a_refusal_says_what_the_operator_can_do_and_not_what_the_name_leads_to() -> None:
    address = parse_address("http://wiki.example.org/secret?token=1")
    with pytest.raises(AddressRefused) as refused:
        Rules().admit(address.host, [parse_address("http://10.11.12.13").ip])  # type: ignore[list-item]

    assert "RAG_FETCH_ALLOW=wiki.example.org" in str(refused.value)
    assert "10.11.12.13" not in str(refused.value)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(
    ("reference", "leads_to"),
    [
        ("b", "https://example.org/docs/b"),
        ("/b", "https://example.org/b"),
        ("?q=2", "https://example.org/docs/a?q=2"),
        ("../b", "https://example.org/b"),
        ("//other.org/b", "https://other.org/b"),
        ("http://other.org", "http://other.org/"),
        ("#part", "https://example.org/docs/a"),
        ("", "https://example.org/docs/a"),
        ("a b", "https://example.org/docs/a%20b"),
    ],
)
def test_a_reference_leads_on_from_its_page(reference: str, leads_to: str) -> None:
    assert str(join(parse_address("https://example.org/docs/a"), reference)) == leads_to


@pytest.mark.parametrize(
    "reference", ["mailto:a@b.c", "http://[::1", "\\\\x\\y", "a\nb", "ftp://x"]
)
def test_a_reference_that_is_no_web_address_leads_nowhere(reference: str) -> None:
    with pytest.raises(AddressRefused):
        join(parse_address("https://example.org/docs/a"), reference)
