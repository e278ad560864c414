"""A server in a process of its own: started, killed, and watched."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext, suppress
from functools import partial
from pathlib import Path

import httpx
from msgspec import Struct

from rag.holding import CALM
from rag.storage.ownership import owner

START = 300.0  # seconds until a server that was killed answers again, on a busy machine
SAMPLE = 0.5  # seconds between two looks at memory
NOTICE = 2.0  # seconds in which children are gone once their server is, on a busy machine
STORM = 10
"""Kills, the last of which lets the server live until it is calm and has tried what several deaths
had in hand: where nothing lives so long, that waits for ever, and with it the rest of a run."""


class Memory(Struct, frozen=True):
    """Resident bytes at one moment."""

    server: int
    largest_child: int
    children: int


class Server:
    """`rag serve` on a free port."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = dict(environment)
        self._folder = Path(environment["RAG_DATA_DIR"])
        self._process: subprocess.Popen[bytes] | None = None
        self.is_up = threading.Event()
        self.kills = 0
        self.orphans = 0
        """Children that outlived a server that was killed."""

    def start(self) -> None:
        command = [sys.executable, "-m", "rag", "serve", "--port", "0"]
        self._process = subprocess.Popen(
            command, env=self._environment, stdout=subprocess.DEVNULL, start_new_session=True
        )
        deadline = time.monotonic() + START
        while not _answers(self._folder):
            assert self._process.poll() is None, "the server ended before it answered"
            assert time.monotonic() < deadline, f"the server did not answer in {START:.0f} s"
            time.sleep(0.1)
        self.is_up.set()

    def kill(self) -> None:
        """SIGKILL to the server alone: its children have to notice by themselves."""
        assert self._process is not None
        self.is_up.clear()
        children = list(descendants(self._process.pid))
        self._process.kill()
        self._process.wait()
        self.kills += 1
        time.sleep(NOTICE)
        self.orphans += sum(map(_runs, children))

    def stop(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGINT)
        self._process.wait()

    def look(self) -> Memory:
        assert self._process is not None
        children = [resident(child) for child in descendants(self._process.pid)]
        return Memory(resident(self._process.pid), max(children, default=0), sum(children))


@contextmanager
def watched(server: Server) -> Iterator[list[Memory]]:
    """What it weighs, at even intervals until the end of the block."""
    seen: list[Memory] = []
    done = threading.Event()

    def watch() -> None:
        while not done.wait(SAMPLE):
            seen.append(server.look())

    with _beside(watch, done):
        yield seen


@contextmanager
def killed(server: Server, every: float | None) -> Iterator[None]:
    """Kills it so many seconds after each start, but for a rest now and then, and starts it again,
    until the end of the block. Then it is up."""
    done = threading.Event()

    def kill(every: float) -> None:
        while not done.wait(every if (server.kills + 1) % STORM else every + 2 * CALM):
            server.kill()
            server.start()

    with _beside(partial(kill, every), done) if every else nullcontext():
        yield


@contextmanager
def _beside(work: Callable[[], None], done: threading.Event) -> Iterator[None]:
    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def descendants(process: int) -> Iterator[int]:
    with suppress(OSError):
        for task in Path(f"/proc/{process}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield int(child)
                yield from descendants(int(child))


def resident(process: int) -> int:
    """0 once it is gone."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except OSError:
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def _runs(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _answers(folder: Path) -> bool:
    address = owner(folder) if folder.exists() else None
    try:
        return address is not None and httpx.get(f"{address}/health/live").is_success
    except httpx.TransportError:
        return False
