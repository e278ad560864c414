"""The fake provider keeps the promises of the real one, and its own."""

import base64
import socket
import sys
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from subprocess import PIPE, Popen
from typing import Any

import httpx
import numpy as np
import pytest
from fake_mistral.app import KEY, FakeMistral
from fake_mistral.faults import Cut, Reset
from fake_mistral.streams import StreamStyle
from papers import pdf
from PIL import Image

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).parents[2]
HANDBOOK = ROOT / "rag" / "samples" / "handbook.pdf"
OCR = "mistral-ocr-4-0"
CHAT = "mistral-large-2512"
LONG = "The same instructions for every question. " * 30


@pytest.fixture
async def caller(fake: FakeMistral) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(fake.app)  # type: ignore[arg-type]
    headers = {"authorization": f"Bearer {KEY}"}
    async with httpx.AsyncClient(transport=transport, base_url="http://fake", headers=headers) as c:
        yield c


async def read(caller: httpx.AsyncClient, content: bytes, **more: Any) -> dict[str, Any]:
    url = f"data:application/pdf;base64,{base64.b64encode(content).decode()}"
    document = {"type": "document_url", "document_url": url}
    reply = await caller.post("/v1/ocr", json={"model": OCR, "document": document, **more})
    assert reply.status_code == 200, reply.text
    told: dict[str, Any] = reply.json()
    return told


async def ask(caller: httpx.AsyncClient, question: str, **more: Any) -> dict[str, Any]:
    messages = [{"role": "user", "content": question}]
    body = {"model": CHAT, "messages": messages, **more}
    reply = await caller.post("/v1/chat/completions", json=body)
    assert reply.status_code == 200, reply.text
    told: dict[str, Any] = reply.json()
    return told


async def embedded(caller: httpx.AsyncClient, *texts: str, **more: Any) -> Any:
    body = {"model": "codestral-embed", "input": texts, **more}
    reply = await caller.post("/v1/embeddings", json=body)
    assert reply.status_code == 200, reply.text
    return np.array([item["embedding"] for item in reply.json()["data"]])


# --- OCR -----------------------------------------------------------------------------------------


async def test_a_pdf_is_read_with_titles_tables_and_boxes_inside_the_page(
    caller: httpx.AsyncClient,
) -> None:
    reply = await read(caller, HANDBOOK.read_bytes(), table_format="html")

    first = reply["pages"][0]
    frame = first["dimensions"]
    assert first["markdown"].startswith("# Member Handbook")
    assert {block["type"] for block in first["blocks"]} == {"title", "text", "table"}
    assert first["tables"][0]["content"].startswith("<table><tr><td>Kind of tool</td>")
    assert "[tbl-0.html](tbl-0.html)" in first["markdown"]
    for block in first["blocks"]:
        assert 0 <= block["top_left_x"] < block["bottom_right_x"] <= frame["width"]
        assert 0 <= block["top_left_y"] < block["bottom_right_y"] <= frame["height"]


async def test_a_table_stays_in_the_text_unless_it_is_asked_out(
    caller: httpx.AsyncClient,
) -> None:
    reply = await read(caller, HANDBOOK.read_bytes())

    assert "| Hand tool | 0.50 euros | 10 euros |" in reply["pages"][0]["markdown"]
    assert reply["pages"][0]["tables"] == []


@pytest.mark.parametrize("pages", [[0, 2, 3], "0,2-3"])
@pytest.mark.parametrize(("renumbers", "indexes"), [(False, [0, 2, 3]), (True, [0, 1, 2])])
async def test_pages_of_a_subset_are_counted_either_way(
    caller: httpx.AsyncClient,
    fake: FakeMistral,
    pages: Any,
    renumbers: bool,
    indexes: list[int],
) -> None:
    fake.renumbers_pages = renumbers

    reply = await read(caller, pdf("zero", "one", "two", "three", "four"), pages=pages)

    assert [page["index"] for page in reply["pages"]] == indexes
    assert [page["markdown"] for page in reply["pages"]] == ["zero", "two", "three"]
    assert reply["usage_info"]["pages_processed"] == fake.pages_billed == 3


async def test_older_models_take_the_wish_for_blocks_and_send_none(
    caller: httpx.AsyncClient,
) -> None:
    reply = await read(caller, pdf("one"), model="mistral-ocr-2512", include_blocks=True)

    assert reply["pages"][0]["blocks"] == []


@pytest.mark.parametrize("granularity", ["page", "block", "word"])
async def test_confidence_is_told_as_finely_as_asked(
    caller: httpx.AsyncClient, granularity: str
) -> None:
    reply = await read(caller, pdf("Cash was 5."), confidence_scores_granularity=granularity)

    [page] = reply["pages"]
    words = page["confidence_scores"].get("word_confidence_scores", [])
    assert (page["blocks"][0]["confidence_scores"] is not None) == (granularity == "block")
    assert [word["text"] for word in words] == (
        ["Cash", "was", "5."] if granularity == "word" else []
    )
    for word in words:
        assert page["markdown"][word["start_index"] :].startswith(word["text"])


async def test_annotated_pages_cost_a_quarter_more(
    caller: httpx.AsyncClient, fake: FakeMistral
) -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    wanted = {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}

    await read(caller, pdf("one", "two"))
    await read(caller, pdf("one", "two"), bbox_annotation_format=wanted)

    assert [float(charge.usd) for charge in fake.bill.charges] == [2 * 0.004, 2 * 0.005]


async def test_each_frame_of_a_tiff_is_a_page(caller: httpx.AsyncClient) -> None:
    file = BytesIO()
    frames = [Image.new("L", (100, 80)) for _ in range(3)]
    frames[0].save(file, "TIFF", save_all=True, append_images=frames[1:])
    url = f"data:image/tiff;base64,{base64.b64encode(file.getvalue()).decode()}"
    document = {"type": "image_url", "image_url": url}

    reply = await caller.post("/v1/ocr", json={"model": OCR, "document": document})

    first_lines = [page["markdown"].splitlines()[0] for page in reply.json()["pages"]]
    assert first_lines == ["Frame 1.", "Frame 2.", "Frame 3."]


@pytest.mark.parametrize(
    ("content", "more", "status", "code"),
    [
        (b"%PDF-1.7 damaged", {}, 400, "3740"),
        (b"\xff\xfe\x00", {}, 400, "3740"),
        (pdf("one"), {"pages": [1]}, 400, None),
        (pdf("one"), {"document_annotation_prompt": "?"}, 400, None),
        (
            pdf("one"),
            {"confidence_scores_granularity": "block", "include_blocks": False},
            400,
            None,
        ),
    ],
)
async def test_what_cannot_be_read_is_refused_and_not_billed(
    caller: httpx.AsyncClient, fake: FakeMistral, content: bytes, more: Any, status: int, code: Any
) -> None:
    url = f"data:application/pdf;base64,{base64.b64encode(content).decode()}"
    body = {"model": OCR, "document": {"type": "document_url", "document_url": url}, **more}

    reply = await caller.post("/v1/ocr", json=body)

    assert (reply.status_code, reply.json()["code"]) == (status, code)
    assert fake.pages_billed == 0


async def test_too_many_pages_are_refused_unless_fewer_are_wanted(
    caller: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fake_mistral.ocr.MOST_PAGES", 2)
    url = f"data:application/pdf;base64,{base64.b64encode(pdf('one', 'two', 'three')).decode()}"
    body = {"model": OCR, "document": {"type": "document_url", "document_url": url}}

    refused = await caller.post("/v1/ocr", json=body)
    read_in_part = await caller.post("/v1/ocr", json={**body, "pages": "0-1"})

    assert (refused.status_code, refused.json()["code"]) == (400, "3730")
    assert len(read_in_part.json()["pages"]) == 2


async def test_a_refused_document_is_repeated_in_the_error(caller: httpx.AsyncClient) -> None:
    """As the provider does; who logs such an error logs the document."""
    document = {"type": "document_url", "document_url": "http://a/secret"}

    reply = await caller.post("/v1/ocr", json={"model": OCR, "document": document})

    assert reply.status_code == 422
    assert "http://a/secret" in reply.text


# --- embeddings ----------------------------------------------------------------------------------


async def test_texts_that_share_words_are_near(caller: httpx.AsyncClient) -> None:
    fees, late, engine = await embedded(
        caller,
        "Fees for late returns of tools",
        "What do I pay when a tool is returned too late?",
        "The engine of the ship was built in Glasgow",
    )

    assert fees @ late > 0.2 > fees @ engine


async def test_codings_can_be_turned_back(caller: httpx.AsyncClient) -> None:
    [row] = await embedded(caller, "def f(): pass", output_dimension=100)
    [small] = await embedded(caller, "def f(): pass", output_dimension=100, output_dtype="int8")
    [byte] = await embedded(caller, "def f(): pass", output_dimension=100, output_dtype="uint8")
    [bits] = await embedded(caller, "def f(): pass", output_dimension=100, output_dtype="ubinary")
    [off] = await embedded(caller, "def f(): pass", output_dimension=100, output_dtype="binary")

    assert np.abs(small / 127 - row).max() < 0.01
    assert np.abs(byte / 127.5 - 1 - row).max() < 0.01
    assert (np.unpackbits(bits.astype(np.uint8))[:100] == (row > 0)).all()
    assert len(bits) == 13
    assert (off == bits - 128).all()


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"input": ["a"] * 513}, "Too many inputs"),
        ({"input": ["a" * 24_000] * 3}, "Too many tokens"),
        ({"input": "a" * 30_000}, "Too many tokens"),
    ],
)
async def test_too_much_at_once_is_refused_by_3210(
    caller: httpx.AsyncClient, body: Any, told: str
) -> None:
    reply = await caller.post("/v1/embeddings", json={"model": "mistral-embed", **body})

    assert (reply.status_code, reply.json()["code"]) == (400, "3210")
    assert reply.json()["message"].startswith(told)


async def test_base64_is_answered_with_numbers_unless_told_to_honor_it(
    caller: httpx.AsyncClient, fake: FakeMistral
) -> None:
    body = {"model": "mistral-embed", "input": "a", "encoding_format": "base64"}
    numbers = (await caller.post("/v1/embeddings", json=body)).json()
    fake.honors_base64 = True
    text = (await caller.post("/v1/embeddings", json=body)).json()

    decoded = np.frombuffer(base64.b64decode(text["data"][0]["embedding"]), np.float32)
    assert decoded.tolist() == numbers["data"][0]["embedding"]


# --- chat ----------------------------------------------------------------------------------------


async def test_a_prefix_is_cached_in_blocks_of_64_under_one_key(
    caller: httpx.AsyncClient, fake: FakeMistral
) -> None:
    first = await ask(caller, f"{LONG}One?", prompt_cache_key="a")
    second = await ask(caller, f"{LONG}Another?", prompt_cache_key="a")
    other_key = await ask(caller, f"{LONG}One?", prompt_cache_key="b")
    no_key = await ask(caller, f"{LONG}One?")

    cached = [
        each["usage"]["prompt_tokens_details"]["cached_tokens"]
        for each in (first, second, other_key, no_key)
    ]
    assert cached == [0, 384, 0, 0]
    assert fake.bill.charges[1].usd < fake.bill.charges[0].usd


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("comments", [False, True])
@pytest.mark.parametrize("many_lines", [False, True])
async def test_a_stream_is_the_same_bytes_however_it_is_cut(
    newline: Any, comments: bool, many_lines: bool
) -> None:
    whole = StreamStyle(newline, comments, many_lines)
    chunks = [{"choices": [{"delta": {"content": "水壶 🫖"}}]}, {"choices": []}]
    sent = b"".join(whole.pieces(chunks))

    for seed in range(20):
        pieces = list(StreamStyle(newline, comments, many_lines, seed).pieces(chunks))
        assert b"".join(pieces) == sent
        assert len(pieces) > 5
    assert sent.count(b"[DONE]") == 1


async def test_a_tools_arguments_may_come_in_two_pieces(
    caller: httpx.AsyncClient, fake: FakeMistral
) -> None:
    fake.stream_style = StreamStyle(splits_arguments=True)
    schema = {"type": "object", "properties": {"name": {"type": "string"}}}
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
    body = {"model": CHAT, "messages": [{"role": "user", "content": "?"}], "tools": [tool]}

    reply = await caller.post("/v1/chat/completions", json={**body, "stream": True})

    assert reply.text.count('"tool_calls":[{') == 2
    assert reply.text.count('"name":"f"') == 1


@pytest.mark.parametrize(
    "roles",
    [["assistant", "user"], ["user", "system"], ["user", "assistant"], ["user", "tool", "user"]],
)
async def test_messages_out_of_order_are_refused(
    caller: httpx.AsyncClient, roles: list[str]
) -> None:
    messages = [{"role": role, "content": "a"} for role in roles]

    reply = await caller.post("/v1/chat/completions", json={"model": CHAT, "messages": messages})

    assert reply.json()["type"] == "invalid_request_message_order"


async def test_a_prompt_beyond_the_context_is_refused(caller: httpx.AsyncClient) -> None:
    messages = [{"role": "user", "content": "a" * 900_000}]

    reply = await caller.post("/v1/chat/completions", json={"model": CHAT, "messages": messages})

    assert (reply.status_code, reply.json()["code"]) == (400, "3051")


async def test_a_guardrail_stops_only_who_asked_for_one(
    caller: httpx.AsyncClient, fake: FakeMistral
) -> None:
    fake.blocked_words = {"secret"}
    guardrails = [{"moderation_llm_v2": {"action": "block"}}]
    body = {"model": CHAT, "messages": [{"role": "user", "content": "secret"}]}

    free = await caller.post("/v1/chat/completions", json=body)
    stopped = await caller.post("/v1/chat/completions", json={**body, "guardrails": guardrails})

    assert free.status_code == 200
    assert stopped.status_code == 403
    assert stopped.json()["error"]["status"] == 403


async def test_a_script_is_obeyed_before_the_models_own_mind(
    caller: httpx.AsyncClient, fake: FakeMistral
) -> None:
    fake.script.extend(["First.", "Second."])

    said = [(await ask(caller, "?"))["choices"][0]["message"]["content"] for _ in range(3)]

    assert said == ["First.", "Second.", "You said: ?"]


# --- models, keys, bill --------------------------------------------------------------------------


async def test_a_model_about_to_go_says_so_and_a_retired_one_is_gone(
    caller: httpx.AsyncClient, fake: FakeMistral
) -> None:
    body = {"model": "devstral-2512", "messages": [{"role": "user", "content": "a"}]}
    before = await caller.post("/v1/chat/completions", json=body)
    fake.retired.add("devstral-2512")
    after = await caller.post("/v1/chat/completions", json=body)

    assert before.headers["x-model-deprecation-timestamp"].startswith("2026-12-31")
    assert after.status_code == 404
    assert (await caller.get("/v1/models/devstral-2512")).status_code == 404


async def test_a_revoked_key_is_refused_everywhere(
    caller: httpx.AsyncClient, fake: FakeMistral
) -> None:
    fake.keys.clear()

    for path in ("/v1/models", "/v1/files", "/v1/batch/jobs"):
        assert (await caller.get(path)).status_code == 401
    assert (await caller.post("/v1/ocr", json={})).status_code == 401


async def test_the_bill_is_told_by_model(caller: httpx.AsyncClient, fake: FakeMistral) -> None:
    await read(caller, pdf("one", "two"))
    await embedded(caller, "a", "b")

    told = (await caller.get("/fake/bill")).json()

    by_model = {line["model"]: line for line in told["models"]}
    assert by_model[OCR]["pages"] == 2
    assert by_model["codestral-embed"]["prompt"] == 6
    assert float(told["usd"]) == pytest.approx(2 * 0.004 + 6 * 0.15e-6)
    assert (await caller.get("/fake/state")).json()["by_status"] == {"200": 2}


async def test_what_is_not_streamed_any_more_is_not_billed(fake: FakeMistral, url: str) -> None:
    fake.script.append("word " * 2_000)
    fake.stream_style = StreamStyle(pause=0.005)
    body = {"model": CHAT, "messages": [{"role": "user", "content": "a"}], "stream": True}
    headers = {"authorization": f"Bearer {KEY}"}

    async with httpx.AsyncClient(base_url=url, headers=headers) as caller:
        async with caller.stream("POST", "/v1/chat/completions", json=body) as reply:
            async for _ in reply.aiter_bytes():
                break
        while fake.in_flight:
            await caller.get("/fake/state")

    assert fake.bill.units.written < 1_000


# --- connections ---------------------------------------------------------------------------------


@pytest.mark.parametrize("is_real", [True, False])
@pytest.mark.parametrize(
    ("fault", "bills"),
    [(Reset("before"), 0), (Reset("during"), 1), (Cut(after=10), 1)],
    ids=["before", "during", "cut"],
)
async def test_a_lost_reply_is_lost_over_http_and_in_process_alike(
    fake: FakeMistral, url: str, caller: httpx.AsyncClient, is_real: bool, fault: Any, bills: int
) -> None:
    fake.faults = [fault]
    body = {"model": "mistral-embed", "input": "a"}

    async with httpx.AsyncClient(base_url=url, headers=caller.headers) as real:
        with pytest.raises(httpx.TransportError):
            await (real if is_real else caller).post("/v1/embeddings", json=body)

    assert len(fake.bill.charges) == bills


async def test_a_reset_after_the_last_byte_does_no_harm(
    fake: FakeMistral, url: str, caller: httpx.AsyncClient
) -> None:
    fake.faults = [Reset("after")]
    body = {"model": "mistral-embed", "input": "a"}

    for _ in range(2):  # each on a connection of its own: nobody knows when the reset arrives
        async with httpx.AsyncClient(base_url=url, headers=caller.headers) as real:
            assert (await real.post("/v1/embeddings", json=body)).status_code == 200


def test_it_runs_by_hand_from_the_root_of_the_repository() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    command = [sys.executable, "-m", "tests.fake_mistral", "--port", str(port)]
    with Popen([*command, "--requests-per-second", "1"], cwd=ROOT, stdout=PIPE) as process:
        try:
            assert process.stdout is not None
            assert KEY.encode() in process.stdout.readline()
            with httpx.Client(transport=httpx.HTTPTransport(retries=8)) as caller:
                told = caller.get(f"http://127.0.0.1:{port}/fake/bill").json()
        finally:
            process.terminate()

    assert told == {"requests": 0, "usd": "0", "models": []}
