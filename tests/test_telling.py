"""Whoever asked is told that a job has ended: signed, again until he has heard it, not for ever."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from rag.domain import Source
from rag.errors import AddressRefused, FetchFailed, InvalidSettings
from rag.settings import Settings, load_settings
from rag.signing import secret_of, signed
from rag.storage import webhooks
from rag.storage.library import Library
from rag.storage.timestamps import written
from rag.telling import WAITS, Teller

pytestmark = pytest.mark.anyio

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
URL = "https://example.org/hook"


class Receiver:
    """Answers with these, in turn; the last one stays."""

    def __init__(self, *answers: int | Exception) -> None:
        self.answers = list(answers)
        self.heard: list[tuple[str, bytes, Mapping[str, str]]] = []

    async def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> int:
        self.heard.append((url, content, headers))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def library(tmp_path: Path, database_url: str | None) -> Iterator[Library]:
    with Library.open(tmp_path / "library", database_url=database_url) as opened:
        opened.collections.create("notes", embedding_model=None, dimension=None, chunk_tokens=200)
        yield opened


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch):
    """Lets time pass for messages."""
    passed = 0.0

    def now() -> str:
        return written(datetime.now(UTC) + timedelta(seconds=passed))

    def wait(seconds: float) -> None:
        nonlocal passed
        passed += seconds

    monkeypatch.setattr(webhooks, "now", now)
    return wait


def give(library: Library, key: str = "a"):
    notes = library.collections.find("notes")
    return library.jobs.create(notes, [Source(key, key.encode())])


def teller(library: Library, receiver: Receiver) -> Teller:
    return Teller(library, receiver.post, secret_of(SECRET), clock=lambda: 1_614_265_330.0)


def test_a_signature_is_that_of_the_standard() -> None:
    """The example that its libraries are tested with."""
    headers = signed(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1_614_265_330,
        b'{"test": 2432232314}',
        secret_of(SECRET),
    )

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    assert headers["webhook-timestamp"] == "1614265330"


async def test_a_receiver_is_told_once_and_only_when_the_job_has_ended(library: Library) -> None:
    receiver = Receiver(204)
    job = give(library)
    assert library.jobs.set_webhook(job.id, URL).webhook.state == "waiting"
    assert not await teller(library, receiver).tell_next()

    library.jobs.cancel(job.id)
    assert await teller(library, receiver).tell_next()
    assert not await teller(library, receiver).tell_next()

    [(url, content, _)] = receiver.heard
    told = msgspec.json.decode(content)
    assert (url, told["type"], told["data"]["id"]) == (URL, "job.cancelled", job.id)
    assert library.jobs.find(job.id).webhook.state == "delivered"


async def test_what_was_not_heard_is_sent_again_under_the_same_id(library: Library, later) -> None:
    receiver = Receiver(500, FetchFailed("example.org did not answer"), 200)
    job = give(library)
    library.jobs.cancel(job.id)
    library.jobs.set_webhook(job.id, URL)  # it has ended: told at once
    tell = teller(library, receiver)
    assert await tell.tell_next()
    assert not await tell.tell_next()
    waits = library.jobs.find(job.id).webhook
    assert (waits.state, waits.attempts) == ("due", 1)
    assert "status 500" in waits.said

    for wait in WAITS[:2]:
        later(wait + 1)
        assert await tell.tell_next()

    assert library.jobs.find(job.id).webhook.state == "delivered"
    assert len({headers["webhook-id"] for _, _, headers in receiver.heard}) == 1


async def test_nobody_is_told_for_ever(library: Library, later) -> None:
    receiver = Receiver(503)
    job = give(library)
    library.jobs.set_webhook(job.id, URL)
    library.jobs.cancel(job.id)
    while await teller(library, receiver).tell_next():
        later(max(WAITS) + 1)

    assert len(receiver.heard) == len(WAITS) + 1
    given_up = library.jobs.find(job.id).webhook
    assert (given_up.state, given_up.next_at) == ("given_up", None)


@pytest.mark.parametrize("answer", [410, AddressRefused("it is not public")])
async def test_where_nothing_may_be_sent_nothing_is_sent_again(
    library: Library, answer: int | Exception
) -> None:
    job = give(library)
    library.jobs.set_webhook(job.id, URL)
    library.jobs.cancel(job.id)
    await teller(library, Receiver(answer)).tell_next()

    assert library.jobs.find(job.id).webhook.state == "given_up"


async def test_a_teller_that_dies_over_a_message_leaves_it_to_another(
    library: Library, later
) -> None:
    job = give(library)
    library.jobs.set_webhook(job.id, URL)
    library.jobs.cancel(job.id)
    assert library.jobs.take_message(lease=60) is not None
    assert library.jobs.take_message(lease=60) is None
    later(61)
    receiver = Receiver(200)
    await teller(library, receiver).tell_next()

    assert len(receiver.heard) == 1


async def test_a_job_that_goes_on_is_told_when_it_has_ended_again(library: Library) -> None:
    receiver = Receiver(200)
    job = give(library)
    library.jobs.set_webhook(job.id, URL)
    library.jobs.cancel(job.id)
    library.jobs.retry(job.id, ["a"])
    assert not await teller(library, receiver).tell_next()
    library.jobs.cancel(job.id)
    await teller(library, receiver).tell_next()
    library.jobs.retry(job.id, ["a"])
    library.jobs.cancel(job.id)
    await teller(library, receiver).tell_next()

    assert len({headers["webhook-id"] for _, _, headers in receiver.heard}) == 2


def test_a_job_is_told_to_the_address_of_the_settings(tmp_path: Path) -> None:
    with Library.open(tmp_path / "library", webhook=URL) as library:
        library.collections.create("notes", embedding_model=None, dimension=None, chunk_tokens=200)
        job = give(library)
        library.jobs.cancel(job.id)

        message = library.jobs.take_message(lease=60)
    assert message is not None
    assert (message.job, message.url) == (job.id, URL)


@pytest.mark.parametrize(
    "secret", ["", "whsec_", "whsec_c2hvcnQ=", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_?"]
)
def test_a_secret_that_is_none_is_refused(secret: str) -> None:
    with pytest.raises(InvalidSettings, match="RAG_WEBHOOK_SECRET"):
        secret_of(secret)


def test_settings_that_could_sign_nothing_are_refused() -> None:
    with pytest.raises(InvalidSettings, match="RAG_WEBHOOK_SECRET"):
        load_settings({"RAG_WEBHOOK_URL": URL})
    with pytest.raises(InvalidSettings, match="RAG_WEBHOOK_URL"):
        load_settings({"RAG_WEBHOOK_URL": "file:///etc/passwd", "RAG_WEBHOOK_SECRET": SECRET})
    assert SECRET not in repr(Settings(webhook_secret=SECRET))
