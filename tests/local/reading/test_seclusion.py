"""A child of the reader has no network, starts and signals nobody, and writes nothing; where the
kernel refuses to see to it, that is said."""

import os
import platform
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import msgspec
import pytest

from rag.local.reading.confinement import NOT_SECLUDED, check_seclusion
from rag.local.reading.frames import Failed, Rendered
from rag.local.reading.pool import ChildKind, Children
from rag.local.reading.seclusion import MACHINES, NotSecluded, seclude

pytestmark = pytest.mark.anyio
HERE = str(Path(__file__).parent)
LARGE = 1024**3


@pytest.fixture(autouse=True, scope="module")
def _modules_of_tests() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", HERE, prepend=os.pathsep)
        yield


@pytest.fixture(scope="module")
async def parser() -> AsyncIterator[Children]:
    children = Children(ChildKind("unruly", (), LARGE, idle_seconds=60), size=1)
    yield children
    await children.close()


@pytest.fixture(scope="module")
async def engine() -> AsyncIterator[Children]:
    children = Children(ChildKind("unruly", ("engine",), LARGE, idle_seconds=60), size=1)
    yield children
    await children.close()


@pytest.fixture
def listening() -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield str(server.getsockname()[1])


async def ask(children: Children, wish: str) -> Rendered | Failed:
    async with children.lend() as child:
        reply = await child.ask(Rendered(wish.encode()), 20)
    return msgspec.msgpack.decode(reply, type=Rendered | Failed)


def is_denied(reply: Rendered | Failed) -> bool:
    return isinstance(reply, Failed) and "PermissionError" in reply.message


async def test_no_child_reaches_the_network(
    parser: Children, engine: Children, listening: str
) -> None:
    assert is_denied(await ask(parser, f"connect {listening}"))
    assert is_denied(await ask(engine, f"connect {listening}"))


async def test_a_parser_starts_no_process_but_may_have_threads(parser: Children) -> None:
    assert is_denied(await ask(parser, "start"))
    assert is_denied(await ask(parser, "fork"))
    assert await ask(parser, "thread") == Rendered(b"ran")


async def test_an_engine_may_be_a_program(engine: Children) -> None:
    assert await ask(engine, "start") == Rendered(b"/bin/true")


async def test_a_parser_signals_nobody(parser: Children) -> None:
    assert is_denied(await ask(parser, f"signal {os.getpid()}"))


async def test_a_parser_neither_makes_nor_removes_a_file(parser: Children, tmp_path: Path) -> None:
    (tmp_path / "kept").touch()

    assert is_denied(await ask(parser, f"write {tmp_path / 'made'}"))
    assert is_denied(await ask(parser, f"remove {tmp_path / 'kept'}"))
    assert [file.name for file in tmp_path.iterdir()] == ["kept"]


async def test_a_child_that_keeps_the_network_is_told_of(caplog: pytest.LogCaptureFixture) -> None:
    children = Children(ChildKind("unruly", ("not secluded",), LARGE, idle_seconds=60), size=1)

    assert await ask(children, "echo word") == Rendered(b"word")
    await children.close()

    assert [record.__dict__["action"] for record in caplog.records] == ["child_not_secluded"]


def test_a_machine_whose_calls_are_not_known_is_told_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "vax")

    with pytest.raises(NotSecluded, match="vax"):
        seclude(alone=True)


def test_what_holds_of_the_rest_holds_without_a_filter() -> None:
    program = (
        "import resource; from rag.local.reading import confinement, seclusion;"
        "seclusion.MACHINES.clear(); confinement.confine(memory=2**30, writes_files=False);"
        "print(resource.getrlimit(resource.RLIMIT_FSIZE)[0])"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)

    assert done.stdout == "0\n"
    assert done.stderr.startswith(NOT_SECLUDED)


@pytest.mark.skipif(platform.machine() not in MACHINES, reason="its calls are not known")
def test_this_machine_secludes() -> None:
    check_seclusion()
