"""Whoever is killed takes with it what it started, whatever that is busy with."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rag.lifetimes import mortal

HERE = Path(__file__).parent
PATIENCE = 10.0  # seconds; it takes milliseconds
READER = """
import asyncio, sys
from rag.local.reading.frames import Rendered
from rag.local.reading.pool import ChildKind, Children

async def main():
    children = Children(ChildKind("unruly", (), 1024**3, idle_seconds=60), size=1)
    async with children.lend() as child:
        pid = await child.ask(Rendered(b"pid"), 20)
        print(pid.split(b"png")[1][2:].decode(), flush=True)
        await child.ask(Rendered(b"hang"), 60)

asyncio.run(main())
"""
PROGRAM = """
import subprocess, sys
from rag.lifetimes import mortal

child = subprocess.Popen(mortal(["sleep", "60"]))
print(child.pid, flush=True)
child.wait()
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends them")
@pytest.mark.parametrize("program", [READER, PROGRAM], ids=["a parser at work", "a program"])
def test_what_a_killed_process_started_ends_with_it(program: str) -> None:
    path = os.pathsep.join((str(HERE / "local" / "reading"), os.environ.get("PYTHONPATH", "")))
    parent = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": path},
    )
    with parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        assert runs(child)

        parent.send_signal(signal.SIGKILL)

    deadline = time.monotonic() + PATIENCE
    while runs(child) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not runs(child)


def test_a_program_that_is_started_so_says_what_it_says_and_ends_as_it_ends() -> None:
    done = subprocess.run(
        mortal(["sh", "-c", "read word; echo got $word; exit 3"]),
        input="this",
        capture_output=True,
        text=True,
    )

    assert (done.stdout, done.returncode) == ("got this\n", 3)


def runs(process: int) -> bool:
    """A dead one that nobody has buried yet does not."""
    try:
        status = Path(f"/proc/{process}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"
