"""A process that has everything imported and nothing open; each writer is a fork of it.

A writer that is to die is then there in milliseconds. The nursery runs with the shim loaded, which
its forks arm for themselves.
"""

import os
import signal
import subprocess
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from scripts.chaos.shim import built, compiler
from scripts.chaos.writer import Task, write

ROOT = Path(__file__).parents[2]
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}  # a fork has but one


class Writer:
    """A fork at work."""

    def __init__(self, nursery: "subprocess.Popen[bytes]") -> None:
        self._nursery = nursery
        self.pid = self._told()

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def stop(self) -> None:
        """As one stands still in whose place the machine is looked at."""
        os.kill(self.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def ended(self) -> int:
        """Waits for it: its exit code, or minus the signal that it died of."""
        return self._told()

    def _told(self) -> int:
        assert self._nursery.stdout is not None
        line = self._nursery.stdout.readline()
        if not line:
            raise RuntimeError("the nursery died")
        return int(line)


class Nursery:
    """One writer at a time."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        """Use `nursery`."""
        self._process = process

    def start(self, task: Task) -> Writer:
        assert self._process.stdin is not None
        self._process.stdin.write(msgspec.json.encode(task) + b"\n")
        self._process.stdin.flush()
        return Writer(self._process)

    def run(self, task: Task) -> int:
        """To its end: exit code, or minus a signal."""
        return self.start(task).ended()


@contextmanager
def nursery(scratch: Path) -> Iterator[Nursery]:
    """
    Args:
        scratch: takes the compiled shim, and a file of what the writers say.
    """
    shim = {"LD_PRELOAD": str(built(scratch))} if compiler() else {}
    with (scratch / "said").open("ab") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "scripts.chaos.nursery"],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)} | ONE_THREAD | shim,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=said,
        )
        with process:
            yield Nursery(process)
            assert process.stdin is not None
            process.stdin.close()


def main() -> None:
    for line in sys.stdin.buffer:
        task = msgspec.json.decode(line, type=Task)
        fork = os.fork()
        if fork == 0:
            _write(task)
        print(fork, flush=True)
        _, status = os.waitpid(fork, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


def _write(task: Task) -> None:
    """And never returns."""
    code = 1
    try:
        write(task)
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    main()
