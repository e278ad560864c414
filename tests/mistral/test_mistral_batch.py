"""Batch jobs: what goes in, what comes out, and in between."""

import itertools
import uuid

import msgspec
import pytest
from fake_mistral.app import FakeMistral
from fake_mistral.faults import Cut, Reply

from rag.errors import MalformedReply, ProviderError, ProviderRefused
from rag.mistral.batch import (
    cancel_job,
    create_job,
    is_over,
    job,
    job_with_outputs,
    lines_of,
    newest_jobs,
    outcomes,
    wait_before_look,
)
from rag.mistral.client import MistralClient
from rag.mistral.files import file_content, upload
from rag.mistral.wire.batch import BatchJob, BatchRequest, CreateJob
from rag.mistral.wire.decoding import decode
from rag.mistral.wire.embeddings import EmbeddingReply, EmbeddingRequest

pytestmark = pytest.mark.anyio

MODEL = "mistral-embed"


def request(custom_id: str, text: str) -> BatchRequest:
    body = EmbeddingRequest(MODEL, (text,), encoding_format="float")
    return BatchRequest(custom_id, body)


REQUESTS = tuple(request(f"r{number}", f"text {number}") for number in range(20))


def order(*requests: BatchRequest, mark: str = "m") -> CreateJob:
    return CreateJob("/v1/embeddings", MODEL, requests=requests, metadata={"rag": mark})


async def ended(client: MistralClient, job_id: str) -> BatchJob:
    while not is_over(found := await job(client, job_id)):
        pass
    return found


async def test_results_are_found_by_the_id_of_their_request(
    client: MistralClient, fake: FakeMistral
) -> None:
    made = await create_job(client, order(*REQUESTS))
    await ended(client, made.id)

    done = await job_with_outputs(client, made.id, largest=10_000_000)

    found = outcomes(bytes(line) for line in done.outputs or ())
    assert [each.custom_id for each in REQUESTS] == sorted(found, key=lambda name: int(name[1:]))
    assert all(each.is_success for each in found.values())
    assert len(decode(found["r7"].body, EmbeddingReply).data[0].embedding) == 1024
    assert fake.bill.charges[0].in_batch


async def test_requests_in_a_file_are_answered_in_a_file(client: MistralClient) -> None:
    sent = lines_of(REQUESTS)
    card = await upload(client, sent, "in.jsonl", purpose="batch", media_type="application/jsonl")
    made = await create_job(client, CreateJob("/v1/embeddings", MODEL, input_files=(card.id,)))
    done = await ended(client, made.id)

    assert done.output_file is not None
    content = await file_content(client, done.output_file, largest=10_000_000)

    assert outcomes(content.splitlines()).keys() == {each.custom_id for each in REQUESTS}


async def test_a_job_that_succeeds_may_hold_requests_that_failed(
    client: MistralClient, fake: FakeMistral
) -> None:
    fake.batch_refusals["r3"] = (500, {"message": "no"})
    made = await create_job(client, order(*REQUESTS))
    done = await ended(client, made.id)

    assert (done.status, done.succeeded_requests, done.failed_requests) == ("SUCCESS", 19, 1)
    assert done.output_file is not None
    assert done.error_file is not None
    successes = await file_content(client, done.output_file, largest=10_000_000)
    failures = await file_content(client, done.error_file, largest=10_000_000)

    assert "r3" not in outcomes(successes.splitlines())
    assert outcomes(failures.splitlines())["r3"].status == 500


async def test_half_the_price_is_billed_in_a_batch(
    client: MistralClient, fake: FakeMistral
) -> None:
    made = await create_job(client, order(REQUESTS[0]))
    await ended(client, made.id)

    [charge] = fake.bill.charges
    tokens = charge.units.prompt
    assert float(charge.usd) == pytest.approx(tokens * 0.10 / 1e6 / 2)


async def test_a_cancelled_job_ends_and_keeps_what_was_done(
    client: MistralClient, fake: FakeMistral
) -> None:
    made = await create_job(client, order(*REQUESTS))
    while (await job(client, made.id)).status != "RUNNING":
        pass

    asked = await cancel_job(client, made.id)
    done = await ended(client, made.id)

    assert asked.status == "CANCELLATION_REQUESTED"
    assert (done.status, done.completed_requests) == ("CANCELLED", 10)
    assert len(fake.bill.charges) == 10


async def test_a_creation_is_never_sent_twice_and_can_be_looked_for(
    http_client: MistralClient, fake: FakeMistral
) -> None:
    mark = str(uuid.uuid4())
    fake.faults = [Cut(after=10)]  # the job exists; the reply does not arrive

    with pytest.raises(ProviderError):
        await create_job(http_client, order(*REQUESTS, mark=mark))
    [found] = [
        each
        for each in await newest_jobs(http_client, MODEL)
        if (each.metadata or {}).get("rag") == mark
    ]

    assert list(fake.jobs) == [found.id]


async def test_a_job_that_is_not_there_is_refused(client: MistralClient) -> None:
    with pytest.raises(ProviderRefused, match="404"):
        await job(client, "nothing")


@pytest.mark.parametrize("status", ["SUCCESS", "FAILED", "TIMEOUT_EXCEEDED", "CANCELLED", "NEW"])
def test_every_status_but_three_is_an_end(status: str) -> None:
    assert is_over(BatchJob("j", status))
    assert not any(
        is_over(BatchJob("j", each)) for each in ("QUEUED", "RUNNING", "CANCELLATION_REQUESTED")
    )


async def test_a_job_without_the_fields_that_samples_lack_is_read(
    client: MistralClient, fake: FakeMistral
) -> None:
    fake.faults = [Reply(200, {"id": "j", "status": "QUEUED", "more": 1})]

    assert (await job(client, "j")).status == "QUEUED"


@pytest.mark.parametrize(
    "line",
    [
        b'{"custom_id": "a", "response": ',  # cut short
        b'{"custom_id": null, "response": {"status_code": 200, "body": {}}}',
        b'{"response": {"status_code": 200, "body": {}}}',
        b"[]",
    ],
)
def test_a_result_that_belongs_to_nothing_is_noticed(line: bytes) -> None:
    with pytest.raises(MalformedReply):
        outcomes([line])


def test_a_result_that_is_there_twice_is_noticed() -> None:
    line = b'{"custom_id": "a", "response": {"status_code": 200, "body": {}}}'

    with pytest.raises(MalformedReply):
        outcomes([line, line])


def test_a_failure_in_a_shape_nobody_documented_is_one_all_the_same() -> None:
    found = outcomes([b'{"custom_id": "a", "error": "went wrong", "more": {}}', b"", b"  "])

    assert not found["a"].is_success
    assert found["a"].body == b'"went wrong"'


def test_lines_in_are_one_json_object_each() -> None:
    lines = lines_of([request("a", "line\nbreak"), request("b", "")]).splitlines()

    assert [msgspec.json.decode(line)["custom_id"] for line in lines] == ["a", "b"]


def test_a_job_is_looked_at_ever_more_rarely_and_once_a_minute_at_least() -> None:
    waits = [wait_before_look(n) for n in range(2_000)]

    assert waits[0] == 10
    assert all(one <= other <= 60 for one, other in itertools.pairwise(waits))
    assert waits[-1] == 60
