"""How long the event loop stands still for one call with a large body, over real HTTP to a process
that swallows requests and sends what it was told to.

    python scripts/bench/stalls.py [--sent 50] [--received 100] [--times 3]

A stall is what this process, on whichever thread, computes between two turns of its event loop, so
that other processes of the machine do not count. The best of several times is shown. A millisecond
is the least that is seen, and five are what the interpreter lets another thread go on.
"""

import argparse
import asyncio
import subprocess
import sys
import time
from collections.abc import Awaitable, Callable

import msgspec
from msgspec import Struct

from rag.mistral.calls import Call
from rag.mistral.client import MistralClient
from rag.mistral.embedding.profiles import profile
from rag.mistral.embedding.vectors import read_embeddings
from rag.mistral.files import upload
from rag.mistral.ocr.kinds import kind_of
from rag.mistral.ocr.replies import sent_pages
from rag.mistral.ocr.requests import options, request
from rag.mistral.patience import BULK

MB = 1_000_000  # bytes
PAGE = 32_000  # bytes of a page, as a reply tells it: text, and the same in forty blocks
TICK = 0.001  # seconds between two looks at the clock


class Measured(Struct, frozen=True):
    stall: float
    """CPU seconds, the most between two turns."""
    seconds: float
    """CPU seconds in all."""


async def measured(work: Awaitable[object]) -> Measured:
    began = last = time.process_time()
    longest = 0.0
    task = asyncio.ensure_future(work)
    while not task.done():
        await asyncio.sleep(TICK)
        now = time.process_time()
        longest, last = max(longest, now - last), now
    task.result()
    return Measured(longest, time.process_time() - began)


# --- the other process ----------------------------------------------------------------------------


def reply_of(pages: int) -> bytes:
    corners = {"top_left_x": 1, "top_left_y": 12.5, "bottom_right_x": 900, "bottom_right_y": 999}
    text = 'He said "so" and left, déjà vu. ' * 10
    block = {"type": "text", "content": text, "table_id": None, **corners}
    blocks = [block] * (PAGE // 2 // len(text))
    page = {"markdown": text * len(blocks), "images": [], "tables": [], "blocks": blocks}
    told = [{"index": number, **page} for number in range(pages)]
    return msgspec.json.encode({"pages": told, "model": "m", "usage_info": {}})


def vectors_of(n: int, width: int) -> bytes:
    numbers = [(-1) ** k * (width + k / 7) ** -0.5 for k in range(width)]
    length = sum(number**2 for number in numbers) ** 0.5
    data = [
        {"object": "embedding", "index": i, "embedding": [x / length for x in rolled(numbers, i)]}
        for i in range(n)
    ]
    return msgspec.json.encode({"data": data, "usage": {"prompt_tokens": 1}})


def rolled(numbers: list[float], by: int) -> list[float]:
    return numbers[by:] + numbers[:by]


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """`/v1/ocr/7` is answered with seven pages, `/v1/embeddings/3072` with 64 vectors so wide."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    _, _, kind, *number = head.split()[1].split("/")
    left = int(head.partition("content-length: ")[2].split()[0])
    if kind == "files":
        body = b'{"id": "f"}'
    else:
        body = reply_of(int(number[0])) if kind == "ocr" else vectors_of(64, int(number[0]))
    while left:
        left -= len(await reader.read(min(left, 1 << 20)))
    writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: %d\r\n\r\n" % len(body))
    writer.write(body)
    await writer.drain()
    writer.close()


async def serve() -> None:
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


# --- this one -------------------------------------------------------------------------------------


async def ocr(client: MistralClient, content: bytes, received: int) -> None:
    asked = options("mistral-ocr-4-0", kind_of(content), describes=False)
    pages = max(1, received // PAGE)

    def make() -> Struct:
        return request(asked, content, kind_of(content), None)

    call = Call(f"/v1/ocr/{pages}", "m", make, 60.0, received * 2 + MB)
    found = await client.ask(
        call, lambda body: sent_pages(body, range(1, pages + 1), "m"), patience=BULK
    )
    assert len(found.pages) == pages
    while found.pages:  # freed one by one: all at once they take another 75 ms
        found.pages.popitem()
        await asyncio.sleep(0)


async def embedding(client: MistralClient, name: str) -> None:
    wanted = profile(name)
    texts = [f"text {number}" for number in range(64)]
    request = msgspec.defstruct("Texts", [("input", list[str])])(texts)
    call = Call(f"/v1/embeddings/{wanted.width}", "m", request, 60.0, 10 * MB)
    await client.ask(call, lambda body: read_embeddings(body, texts, wanted), patience=BULK)


async def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--sent", type=int, default=50, help="MB of a document")
    parser.add_argument("--received", type=int, default=100, help="MB of a reply")
    parser.add_argument("--times", type=int, default=3)
    asked = parser.parse_args()
    sent, received = asked.sent * MB, asked.received * MB
    with subprocess.Popen([sys.executable, __file__, "serve"], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        port = int(other.stdout.readline())
        client = MistralClient("key", base_url=f"http://127.0.0.1:{port}")
        small = b"%PDF-1.7\n" + bytes(1_000)
        file = b"%PDF-1.7\n" + bytes(range(256)) * (sent // 256)
        rows: dict[str, Callable[[], Awaitable[object]]] = {
            "nothing": lambda: asyncio.sleep(0.5),
            "a small call": lambda: ocr(client, small, 1_000),
            f"a document of {asked.sent} MB for OCR": lambda: ocr(client, file, 1_000),
            f"a reply of {asked.received} MB from OCR": lambda: ocr(client, small, received),
            f"an upload of {asked.sent} MB": lambda: upload(
                client, file, "f", purpose="batch", media_type="text/plain"
            ),
            "64 vectors of 1,024": lambda: embedding(client, "mistral-embed"),
            "64 vectors of 3,072": lambda: embedding(client, "codestral-embed@3072"),
        }
        print(f"{'':36} longest stall     in all")
        for name, work in rows.items():
            found = [await measured(work()) for _ in range(asked.times)]
            stall, seconds = min(m.stall for m in found), min(m.seconds for m in found)
            print(f"{name:36} {stall * 1000:10.1f} ms {seconds:7.2f} s", flush=True)
        await client.close()
        other.terminate()


if __name__ == "__main__":
    asyncio.run(serve() if sys.argv[1:] == ["serve"] else main())
