"""Whatever a child does, its parent goes on, the item fails with a reason, and the next one gets
a child that works."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from rag.errors import DocumentTooLarge, InvalidDocument, ReaderUnavailable
from rag.local.reading import processes
from rag.local.reading.frames import Failed, Rendered
from rag.local.reading.pool import ChildKind, Children

pytestmark = pytest.mark.anyio
HERE = str(Path(__file__).parent)
LARGE = 1024**3


@pytest.fixture(scope="module")
async def children() -> AsyncIterator[Children]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", HERE)
        patch.setenv("MISTRAL_API_KEY", "k")
        patch.setenv("RAG_DATABASE_URL", "u")
        children = Children(ChildKind("unruly", (), retirement_size=LARGE, idle_seconds=60), size=1)
        yield children
        await children.close()


async def ask(children: Children, wish: str, seconds: float = 20) -> Rendered | Failed:
    async with children.lend() as child:
        reply = await child.ask(Rendered(wish.encode()), seconds)
    return msgspec.msgpack.decode(reply, type=Rendered | Failed)


async def test_one_child_serves_one_request_after_the_other(children: Children) -> None:
    first, second = await ask(children, "pid"), await ask(children, "pid")

    assert first == second
    assert first != Rendered(str(os.getpid()).encode())


async def test_a_child_that_hangs_is_ended_in_time(children: Children) -> None:
    await ask(children, "echo warm")

    with pytest.raises(DocumentTooLarge, match="longer than 1 s"):
        await ask(children, "hang", seconds=1)

    assert await ask(children, "echo next") == Rendered(b"next")


async def test_a_child_that_burns_its_processor_time_is_ended_by_the_kernel(
    children: Children,
) -> None:
    with pytest.raises(DocumentTooLarge, match="CPU"):
        await ask(children, "spin")

    assert await ask(children, "echo next") == Rendered(b"next")


async def test_a_child_that_crashes_fails_its_item_alone(children: Children) -> None:
    with pytest.raises(InvalidDocument, match="crashed"):
        await ask(children, "die")

    assert await ask(children, "echo next") == Rendered(b"next")


async def test_a_child_cannot_have_more_memory_than_its_limit(children: Children) -> None:
    reply = await ask(children, "grow")

    assert isinstance(reply, Failed)
    assert reply.code == DocumentTooLarge.code


async def test_a_child_cannot_write_files(children: Children, tmp_path: Path) -> None:
    reply = await ask(children, f"write {tmp_path / 'file'}")

    assert isinstance(reply, Failed)
    assert not (tmp_path / "file").exists() or not (tmp_path / "file").read_text()


async def test_what_a_library_prints_does_not_reach_the_pipe(children: Children) -> None:
    assert await ask(children, "print") == Rendered(b"printed")


async def test_a_refusal_keeps_its_words_and_a_bug_loses_them(children: Children) -> None:
    assert await ask(children, "encrypted") == Failed("encrypted_document", "a password is needed")
    failed = await ask(children, "secret salary")
    assert isinstance(failed, Failed)
    assert "KeyError" in failed.message
    assert "salary" not in failed.message + "".join(failed.trace)
    assert "unruly.py" in failed.trace[-1]


async def test_a_child_gets_no_secrets(children: Children, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MISTRAL_API_KEY", "k")
    monkeypatch.setenv("RAG_DATABASE_URL", "u")

    reply = await ask(children, "environment")

    assert isinstance(reply, Rendered)
    names = reply.png.decode().split()
    assert "PATH" in names
    assert not {"MISTRAL_API_KEY", "RAG_DATABASE_URL"} & set(names)


async def test_a_child_is_replaced_when_it_is_old(
    children: Children, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(processes, "RETIREMENT_AGE", 2)
    with pytest.raises(InvalidDocument):
        await ask(children, "die")

    pids = [await ask(children, "pid") for _ in range(3)]

    assert pids[0] == pids[1] != pids[2]


async def test_a_child_is_replaced_when_it_has_grown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", HERE)
    children = Children(ChildKind("unruly", (), retirement_size=1, idle_seconds=60), size=1)

    pids = [await ask(children, "pid") for _ in range(2)]
    await children.close()

    assert pids[0] != pids[1]


async def test_a_child_nobody_needs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", HERE)
    children = Children(ChildKind("unruly", (), LARGE, idle_seconds=0.2), size=1)
    [before, at_once] = [await ask(children, "pid") for _ in range(2)]

    await asyncio.sleep(0.5)
    after = await ask(children, "pid")
    await children.close()

    assert before == at_once != after


async def test_a_child_that_does_not_start_is_no_fault_of_the_document(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("PYTHONPATH", HERE)
    children = Children(ChildKind("unable", (), LARGE, idle_seconds=60), size=1)

    with pytest.raises(ReaderUnavailable, match="unable does not start") as raised:
        await ask(children, "pid")

    [record] = caplog.records
    assert record.__dict__["action"] == "child_does_not_start"
    assert "a_library_that_nobody_has" in record.__dict__["stderr"][-1]
    assert sum(map(len, record.__dict__["stderr"])) <= processes.LAST_WORDS
    assert "a_library_that_nobody_has" not in str(raised.value)


async def test_a_child_that_prints_a_lot_is_not_held_up(children: Children) -> None:
    assert await ask(children, "chatter") == Rendered(b"done")
