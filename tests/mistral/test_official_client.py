"""The provider's own client takes the fake for the provider.

It is no dependency of this project. To run these tests, install it beside the others in an
environment of your own: `pip install mistralai==2.10.1` (never 2.4.6, which was malware).
"""

import base64
import json
from collections.abc import Iterator
from io import BytesIO
from typing import Any

import httpx
import pytest
from fake_mistral.app import KEY, FakeMistral
from fake_mistral.faults import Reply
from fake_mistral.plan import FREE, FaultPlan
from fake_mistral.streams import StreamStyle
from PIL import Image

official = pytest.importorskip(
    "mistralai.client",
    reason="the official client is not installed: pip install mistralai==2.10.1 (never 2.4.6)",
)
pydantic = pytest.importorskip("pydantic", reason="comes with the official client")

SMALL = "mistral-small-2603"
PLAIN = "mistral-large-2512"
QUESTION = [{"role": "user", "content": "What is the best kettle for a small garden?"}]
TOOL = {
    "type": "function",
    "function": {
        "name": "lookup",
        "description": "Looks something up.",
        "parameters": {"type": "object", "properties": {"name": {"type": "string"}}},
    },
}


@pytest.fixture
def mistral(url: str) -> Iterator[Any]:
    with official.Mistral(api_key=KEY, server_url=url) as client:
        yield client


def data_url(kind: str = "PNG") -> str:
    file = BytesIO()
    Image.new("RGB", (300, 200)).save(file, kind)
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"


# --- OCR -----------------------------------------------------------------------------------------


def test_it_reads_documents(mistral: Any, fake: FakeMistral) -> None:
    image = {"type": "image_url", "image_url": data_url()}
    reply = mistral.ocr.process(
        model="mistral-ocr-4-0",
        document=image,
        confidence_scores_granularity="block",
        table_format="html",
        extract_header=True,
    )

    [page] = reply.pages
    assert page.markdown.startswith("An image of")
    assert page.dimensions.width == 300
    assert page.blocks[0].content == page.markdown
    assert 0 < page.blocks[0].confidence_scores.average_content_confidence_score <= 1
    assert reply.usage_info.pages_processed == fake.pages_billed == 1


def test_it_reads_uploaded_files_and_annotates_them(mistral: Any) -> None:
    text = {
        "file_name": "a.txt",
        "content": b"Cash was 5.\nDebt was 7.",
        "content_type": "text/plain",
    }
    file = mistral.files.upload(file=text, purpose="ocr")
    schema = {"type": "object", "properties": {"total": {"type": "integer"}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "total", "schema": schema}}

    for document in (
        {"type": "file", "file_id": file.id},
        {"type": "document_url", "document_url": mistral.files.get_signed_url(file_id=file.id).url},
    ):
        reply = mistral.ocr.process(
            model="mistral-ocr-latest", document=document, document_annotation_format=wanted
        )

        assert "Debt was 7." in reply.pages[0].markdown
        assert json.loads(reply.document_annotation) == {"total": 1}


# --- embeddings ----------------------------------------------------------------------------------


def test_it_embeds(mistral: Any) -> None:
    reply = mistral.embeddings.create(model="mistral-embed", inputs=["a kettle", "the kettles"])

    one, other = (item.embedding for item in reply.data)
    assert len(one) == 1024
    assert sum(x * y for x, y in zip(one, other, strict=True)) > 0.3
    assert reply.usage.prompt_tokens == reply.usage.total_tokens


@pytest.mark.parametrize(
    ("dtype", "width", "low", "high"),
    [("int8", 256, -128, 127), ("uint8", 256, 0, 255), ("binary", 32, -128, 127)],
)
def test_it_embeds_in_other_types(
    mistral: Any, dtype: str, width: int, low: int, high: int
) -> None:
    reply = mistral.embeddings.create(
        model="codestral-embed", inputs="def f():", output_dtype=dtype, output_dimension=256
    )

    [item] = reply.data
    assert len(item.embedding) == width
    assert all(low <= x <= high for x in item.embedding)


# --- chat ----------------------------------------------------------------------------------------


def test_it_chats(mistral: Any, fake: FakeMistral) -> None:
    reply = mistral.chat.complete(model=PLAIN, messages=QUESTION, temperature=0, max_tokens=100)

    assert "kettle" in reply.choices[0].message.content
    assert reply.choices[0].finish_reason == "stop"
    assert reply.usage.total_tokens == fake.tokens_billed


def test_it_parses_structured_output(mistral: Any) -> None:
    shape = pydantic.create_model("Kettle", name=(str, ...), liters=(int, ...))

    reply = mistral.chat.parse(shape, model=PLAIN, messages=QUESTION)

    assert reply.choices[0].message.parsed.liters == 1


def test_it_calls_tools_and_hears_their_results(mistral: Any) -> None:
    first = mistral.chat.complete(model=PLAIN, messages=QUESTION, tools=[TOOL], tool_choice="any")
    [call] = first.choices[0].message.tool_calls
    result = {"role": "tool", "tool_call_id": call.id, "name": "lookup", "content": "Two."}
    messages = [*QUESTION, first.choices[0].message, result]

    second = mistral.chat.complete(model=PLAIN, messages=messages, tools=[TOOL])

    assert first.choices[0].finish_reason == "tool_calls"
    assert json.loads(call.function.arguments).keys() == {"name"}
    assert "Two." in second.choices[0].message.content


def test_it_hears_the_model_think(mistral: Any) -> None:
    reply = mistral.chat.complete(model=SMALL, messages=QUESTION, reasoning_effort="high")

    thinking, text = reply.choices[0].message.content
    assert thinking.type == "thinking"
    assert "kettle" in text.text


STYLES = [
    StreamStyle(),
    StreamStyle(newline="\r\n", seed=1),
    StreamStyle(newline="\r", seed=2),
    StreamStyle(comments=True, many_lines=True, seed=3),
    StreamStyle(newline="\r\n", comments=True, many_lines=True, seed=4),
]


@pytest.mark.parametrize("style", STYLES)
def test_it_hears_a_stream_whatever_its_boundaries(
    mistral: Any, fake: FakeMistral, style: StreamStyle
) -> None:
    fake.stream_style = style
    fake.script.append(said := "Ein Kessel für den Garten, 水壶 und 🫖. " * 5)
    with mistral.chat.stream(model=PLAIN, messages=QUESTION) as events:
        chunks = [event.data for event in events]

    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == said
    assert chunks[-1].choices[0].finish_reason == "stop"
    assert chunks[-1].usage.total_tokens == fake.tokens_billed


def test_it_hears_a_stream_of_thoughts_and_of_tool_calls(mistral: Any) -> None:
    with mistral.chat.stream(model=SMALL, messages=QUESTION, reasoning_effort="high") as events:
        thoughts = [event.data.choices[0].delta.content for event in events]
    with mistral.chat.stream(model=SMALL, messages=QUESTION, tools=[TOOL]) as events:
        calls = [call for event in events for call in event.data.choices[0].delta.tool_calls or []]

    assert isinstance(thoughts[1], list)
    assert isinstance(thoughts[-1], str)
    assert [call.function.name for call in calls] == ["lookup"]


def test_it_fills_gaps_in_code(mistral: Any) -> None:
    reply = mistral.fim.complete(model="codestral-2508", prompt="def f(x):\n    ", suffix="\n")
    with mistral.fim.stream(model="codestral-2508", prompt="def f(x):\n    ") as events:
        pieces = [event.data.choices[0].delta.content for event in events]

    assert reply.choices[0].message.content == "".join(pieces) == "return x\n"


# --- files, batch, models ------------------------------------------------------------------------


def test_it_keeps_files(mistral: Any) -> None:
    content = b'{"body": {}}\n'
    sent = {"file_name": "in.jsonl", "content": content}
    file = mistral.files.upload(file=sent, purpose="batch", expiry=5)

    listed = mistral.files.list(purpose="batch")
    found = mistral.files.retrieve(file_id=file.id)
    downloaded = mistral.files.download(file_id=file.id).read()
    address = mistral.files.get_signed_url(file_id=file.id, expiry=1).url
    deleted = mistral.files.delete(file_id=file.id)

    assert [each.id for each in listed.data] == [file.id]
    assert found.size_bytes == len(content)
    assert downloaded == content
    assert deleted.deleted
    assert httpx.get(address).status_code == 404


@pytest.mark.parametrize("is_inline", [True, False])
def test_it_runs_batch_jobs(mistral: Any, fake: FakeMistral, is_inline: bool) -> None:
    requests = [{"custom_id": str(n), "body": {"input": [f"text {n}"]}} for n in range(5)]
    if is_inline:
        source: dict[str, Any] = {"requests": requests}
    else:
        lines = "\n".join(map(json.dumps, requests)).encode()
        file = mistral.files.upload(
            file={"file_name": "in.jsonl", "content": lines}, purpose="batch"
        )
        source = {"input_files": [file.id]}
    job = mistral.batch.jobs.create(
        endpoint="/v1/embeddings", model="mistral-embed", metadata={"a": "b"}, **source
    )
    seen = [job.status]
    while job.status in ("QUEUED", "RUNNING"):
        job = mistral.batch.jobs.get(job_id=job.id, inline=True)
        seen.append(job.status)
    results = mistral.files.download(file_id=job.output_file).read().splitlines()

    assert list(dict.fromkeys(seen)) == ["QUEUED", "RUNNING", "SUCCESS"]
    assert {json.loads(line)["custom_id"] for line in results} == {"0", "1", "2", "3", "4"}
    assert len(job.outputs) == job.succeeded_requests == 5
    assert [each.id for each in mistral.batch.jobs.list(model="mistral-embed").data] == [job.id]
    assert all(charge.in_batch for charge in fake.bill.charges)


def test_it_cancels_batch_jobs(mistral: Any) -> None:
    requests = [{"custom_id": "a", "body": {"input": "a"}}]
    job = mistral.batch.jobs.create(
        endpoint="/v1/embeddings", model="mistral-embed", requests=requests
    )

    job = mistral.batch.jobs.cancel(job_id=job.id)
    seen = [job.status, *(mistral.batch.jobs.get(job_id=job.id).status for _ in range(2))]

    assert seen == ["CANCELLATION_REQUESTED", "CANCELLATION_REQUESTED", "CANCELLED"]


def test_it_lists_models(mistral: Any) -> None:
    [card] = [each for each in mistral.models.list().data if each.id == "mistral-ocr-4-0"]

    assert card.capabilities.ocr
    assert mistral.models.retrieve(model_id=SMALL).capabilities.reasoning


# --- refusals ------------------------------------------------------------------------------------


def test_it_understands_refusals(mistral: Any, fake: FakeMistral, url: str) -> None:
    with pytest.raises(official.errors.SDKError) as unknown:
        mistral.chat.complete(model="m", messages=QUESTION)
    with pytest.raises(official.errors.HTTPValidationError) as invalid:
        mistral.ocr.process(model=None, document={"type": "image_url", "image_url": "http://a"})
    with (
        pytest.raises(official.errors.SDKError) as unauthorized,
        official.Mistral(api_key="another", server_url=url) as stranger,
    ):
        stranger.models.list()

    assert unknown.value.status_code == 404
    assert invalid.value.data.detail[0].msg.startswith("URL must start with https")
    assert unauthorized.value.status_code == 401


def test_it_waits_as_long_as_it_is_told(mistral: Any, fake: FakeMistral) -> None:
    """With its retries on, which they are not by themselves."""
    fake.faults = [Reply(429, {"message": "no"}, {"retry-after": "0.05"}), Reply(503), None]
    quick = official.utils.BackoffStrategy(10, 20, 1.0, 5_000)
    retries = official.utils.RetryConfig("backoff", quick, True)

    mistral.embeddings.create(model="mistral-embed", inputs=["a"], retries=retries)

    assert [each.status for each in fake.received] == [429, 503, 200]


def test_a_plan_of_faults_reaches_it(mistral: Any, fake: FakeMistral) -> None:
    fake.plan = FaultPlan(7, 0.5, [kind for kind in FREE if kind != "storm"])
    done = 0
    for number in range(40):
        try:
            mistral.embeddings.create(model="mistral-embed", inputs=[f"text {number}"])
            done += 1
        except (official.errors.MistralError, httpx.TransportError):
            continue

    assert 5 < done < 35
    assert len(fake.bill.charges) == done
