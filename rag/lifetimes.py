"""Processes that do not outlive the one that started them, however that one ends.

A child that waits at a pipe notices by itself that nobody is there any more; one that computes does
not for minutes, and holds its memory all the while. The kernel sees to both.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


def end_with_parent() -> None:
    """From now on this process is killed once the thread that started it has ended.

    A parent that ended before is not noticed here: its pipes are closed then. Systems other than
    Linux have no such call, and there it is the pipes alone.
    """
    if sys.platform == "linux":
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PARENT_DEATH_SIGNAL, ctypes.c_ulong(signal.SIGKILL)):
            number = ctypes.get_errno()
            raise OSError(number, os.strerror(number))


def mortal(command: Sequence[str]) -> list[str]:
    """The same program, ended with this process: a Python of 20 ms goes before it, for a program of
    somebody else's does not ask the kernel by itself."""
    return [sys.executable, "-I", "-S", str(Path(__file__)), str(os.getpid()), *command]


def main() -> None:
    parent, *command = sys.argv[1:]
    end_with_parent()
    if os.getppid() != int(parent):  # it ended while this process came to life
        sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 (a program that its caller names; no shell)


if __name__ == "__main__":
    main()
