"""The server on a real socket: deadlines and limits that no well-behaved client notices."""

import asyncio
import json
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from time import monotonic

import pytest
from litestar import Litestar, Request, get, post
from litestar.datastructures import State

from rag.api.limits import Limits
from rag.api.problems import respond
from rag.api.receiving import Receiving
from rag.api.server import Server, listen, serve
from rag.api.tracing import Tracing
from rag.errors import InvalidSettings

LIMITS = Limits(
    head_seconds=0.4,
    idle_seconds=1,
    body_seconds=0.5,
    body_rate=1024 * 1024,
    stall_seconds=0.4,
    head_bytes=4096,
    connections=5,
)
PATIENCE = 10.0  # seconds; a test that waits longer has found a connection that is held


@post("/echo", status_code=200)
async def echo(request: Request[object, object, State]) -> dict[str, int]:
    return {"received": len(await request.body())}


@post("/deaf", status_code=200)
async def deaf() -> dict[str, str]:
    """Answers without reading the body."""
    return {"heard": "nothing"}


@get("/large")
async def large() -> bytes:
    return b"x" * 50_000_000


@get("/slow")
async def slow() -> dict[str, str]:
    await asyncio.sleep(1.5 * LIMITS.head_seconds)
    return {"took": "its time"}


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    """Of a running server with short deadlines."""
    app = Litestar(
        [echo, deaf, large, slow],
        exception_handlers={Exception: respond},
        logging_config=None,
        openapi_config=None,
    )
    app.asgi_handler = Tracing(Receiving(app.asgi_handler, LIMITS))
    ready = threading.Event()
    with listen("127.0.0.1", 0) as listening:
        server = Server(app, LIMITS, lambda _: ready.set())
        thread = threading.Thread(target=lambda: asyncio.run(server.serve([listening])))
        thread.start()
        assert ready.wait(PATIENCE)
        yield listening.getsockname()[1]
        server.should_exit = True
        thread.join(PATIENCE)
        assert not thread.is_alive()


class Client:
    """A socket, and how long the server kept it."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self._began = monotonic()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def send(self, data: bytes) -> None:
        self._socket.sendall(data)

    def drip(self, data: bytes, *, pause: float) -> None:
        """Byte by byte, until all is sent, or the server answers or hangs up."""
        for byte in data:
            try:
                self._socket.sendall(bytes([byte]))
            except OSError:
                return
            answered, _, _ = select.select([self._socket], [], [], pause)
            if answered:
                return

    def rest(self) -> bytes:
        """What comes until the server closes."""
        received = b""
        try:
            while data := self._socket.recv(65536):
                received += data
        except ConnectionResetError:
            pass
        return received

    def response(self) -> tuple[int, dict[str, object]]:
        """The next response: its status and its JSON."""
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self._socket.recv(1)
        [length] = [
            int(line.split(b":")[1])
            for line in head.lower().split(b"\r\n")
            if line.startswith(b"content-length")
        ]
        body = b""
        while len(body) < length:
            body += self._socket.recv(length - len(body))
        return int(head.split()[1]), json.loads(body)

    @property
    def seconds(self) -> float:
        return monotonic() - self._began


POST = b"POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n"
GET = b"GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n"


def status_and_code(response: bytes) -> tuple[int, object]:
    head, _, body = response.partition(b"\r\n\r\n")
    assert b"application/problem+json" in head.lower()
    return int(head.split()[1]), json.loads(body)["code"]


def assert_closed_after(seconds: float, client: Client) -> None:
    """Not before, and not long after: all that drips in these tests would take ten times as long,
    and a busy machine may be late."""
    assert seconds - 0.05 <= client.seconds < PATIENCE / 2


def test_a_request_that_comes_whole_is_answered(port: int) -> None:
    with Client(port) as client:
        client.send(POST % (b"/echo", 3) + b"abc")

        assert client.response() == (200, {"received": 3})


def test_a_connection_that_says_nothing_is_closed(port: int) -> None:
    with Client(port) as client:
        received = client.rest()

        assert received == b""
        assert_closed_after(LIMITS.head_seconds, client)


def test_a_head_that_drips_is_cut_off(port: int) -> None:
    with Client(port) as client:
        client.drip(b"GET /slow HTTP/1.1\r\nHost: localhost\r\n" + b"A: b\r\n" * 100, pause=0.05)
        received = client.rest()

        assert status_and_code(received) == (408, "request_timeout")
        assert_closed_after(LIMITS.head_seconds, client)


def test_blank_lines_keep_no_connection_open(port: int) -> None:
    with Client(port) as client:
        client.send(GET % b"/slow")
        client.response()
        client.drip(b"\r\n" * 100, pause=0.05)
        client.rest()

        assert_closed_after(LIMITS.head_seconds, client)


def test_a_second_head_has_its_deadline_too(port: int) -> None:
    with Client(port) as client:
        client.send(POST % (b"/echo", 3) + b"abc")
        client.response()
        client.drip(b"GET /slow HTTP/1.1\r\n" + b"A: b\r\n" * 100, pause=0.05)
        received = client.rest()

        assert status_and_code(received) == (408, "request_timeout")


def test_endless_headers_are_refused(port: int) -> None:
    with Client(port) as client:
        client.send(b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 1000)
        received = client.rest()

        assert status_and_code(received) == (431, "head_too_large")


def test_a_large_body_that_comes_with_its_head_is_no_large_head(port: int) -> None:
    body = b"x" * 4 * LIMITS.head_bytes
    with Client(port) as client:
        for _ in range(3):
            client.send(POST % (b"/echo", len(body)) + body)

            assert client.response() == (200, {"received": len(body)})


def test_a_body_that_drips_is_cut_off(port: int) -> None:
    with Client(port) as client:
        client.send(POST % (b"/echo", 1000))
        client.drip(b"x" * 1000, pause=0.05)
        status, problem = client.response()

        assert (status, problem["code"]) == (408, "request_timeout")
        assert_closed_after(LIMITS.body_seconds, client)


def test_a_body_has_time_in_proportion_to_its_size(port: int) -> None:
    """Two MiB at one MiB a second may take 2.5 s; here it takes 1."""
    mebibyte = 1024 * 1024
    with Client(port) as client:
        client.send(POST % (b"/echo", 2 * mebibyte) + b"x" * mebibyte)
        threading.Event().wait(2 * LIMITS.body_seconds)
        client.send(b"x" * mebibyte)

        assert client.response() == (200, {"received": 2 * mebibyte})


def test_a_body_that_nobody_reads_holds_no_connection(port: int) -> None:
    with Client(port) as client:
        client.send(POST % (b"/deaf", 1000))
        assert client.response() == (200, {"heard": "nothing"})
        client.drip(b"x" * 1000, pause=0.05)
        client.rest()

        assert_closed_after(LIMITS.idle_seconds, client)


def test_a_body_that_nobody_read_may_end_and_another_request_follow(port: int) -> None:
    with Client(port) as client:
        client.send(POST % (b"/deaf", 4))
        client.response()
        client.send(b"abcd" + POST % (b"/echo", 2) + b"ab")

        assert client.response() == (200, {"received": 2})


def test_a_slow_answer_is_not_the_clients_fault(port: int) -> None:
    """The deadline for heads stands still while we owe the answer."""
    with Client(port) as client:
        client.send(GET % b"/slow")

        assert client.response() == (200, {"took": "its time"})


def test_requests_in_a_row_are_answered_in_order(port: int) -> None:
    with Client(port) as client:
        client.send(GET % b"/slow" + POST % (b"/echo", 1) + b"a")

        assert client.response() == (200, {"took": "its time"})
        assert client.response() == (200, {"received": 1})


def test_an_idle_connection_is_closed(port: int) -> None:
    with Client(port) as client:
        client.send(POST % (b"/echo", 1) + b"a")
        client.response()
        received = client.rest()

        assert received == b""
        assert_closed_after(LIMITS.idle_seconds, client)


def test_a_client_that_does_not_read_its_answer_is_cut_off(port: int) -> None:
    with Client(port) as client:
        client.send(GET % b"/large")
        threading.Event().wait(3 * LIMITS.stall_seconds)
        received = client.rest()

        assert len(received) < 50_000_000


def test_what_is_not_http_is_told_so(port: int) -> None:
    with Client(port) as client:
        client.send(b"\x16\x03\x01\x02\x00 what is this\r\n\r\n")
        received = client.rest()

        assert status_and_code(received) == (400, "bad_request")


def test_a_length_that_is_said_twice_is_refused(port: int) -> None:
    """Two readings of one request are how requests are smuggled past a proxy."""
    with Client(port) as client:
        client.send(
            b"POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n"
            b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n"
        )
        received = client.rest()

        assert status_and_code(received) == (400, "bad_request")


def test_a_path_that_is_not_ascii_is_refused(port: int) -> None:
    with Client(port) as client:
        client.send(b"GET /\xff\xfe HTTP/1.1\r\nHost: localhost\r\n\r\n")
        received = client.rest()

        assert status_and_code(received) == (400, "bad_request")


def test_an_upgrade_is_not_followed(port: int) -> None:
    with Client(port) as client:
        client.send(
            b"GET /slow HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
            b"Upgrade: websocket\r\n\r\n"
        )

        assert client.response() == (200, {"took": "its time"})


def test_too_many_connections_are_told_to_come_back(port: int) -> None:
    clients = [Client(port) for _ in range(LIMITS.connections + 1)]
    received = clients[-1].rest()
    for client in clients:
        client.__exit__()

    assert status_and_code(received) == (503, "too_many_connections")


@pytest.mark.anyio
async def test_a_port_in_use_is_said_plainly() -> None:
    app = Litestar([], logging_config=None, openapi_config=None)
    with listen("127.0.0.1", 0) as listening:
        listening.listen()
        taken = listening.getsockname()[1]

        with pytest.raises(InvalidSettings, match=f"port {taken} on 127.0.0.1 is in use"):
            await serve(app, "127.0.0.1", taken, on_ready=print)


@pytest.mark.anyio
async def test_a_host_that_is_not_ours_is_said_plainly() -> None:
    app = Litestar([], logging_config=None, openapi_config=None)

    with pytest.raises(InvalidSettings, match="cannot listen on"):
        await serve(app, "192.0.2.1", 0, on_ready=print)


ENDING = """
import asyncio
from litestar import Litestar
from rag.api.server import serve

async def main():
    try:
        app = Litestar([], logging_config=None, openapi_config=None)
        await serve(app, "127.0.0.1", 0, on_ready=lambda address: print(address, flush=True))
    finally:
        await asyncio.sleep(0.1)
        print("closed what was opened", flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_serving_and_what_was_opened_before_is_closed(ending: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", ENDING], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        address = process.stdout.readline()
        process.send_signal(ending)
        rest = process.stdout.read()
        code = process.wait(PATIENCE)

    assert address.startswith(b"http://127.0.0.1:")
    assert rest == b"closed what was opened\n"
    assert code == 0
