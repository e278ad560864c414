"""Processes that do not outlive the one that started them, however that one ends.

A child that waits at a pipe notices by itself that nobody is there any more; one that computes, or
has not come to life yet, does not for seconds or minutes, and holds its memory all the while.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of prctl(2)


def mortal(command: Sequence[str]) -> list[str]:
    """The same program, which the kernel ends once the thread that started it has ended. Before it
    goes a Python of 20 ms that asks the kernel for that: a program asks late, if at all.

    On systems other than Linux it is the program as it is.
    """
    if sys.platform != "linux":
        return list(command)
    return [sys.executable, "-I", "-S", str(Path(__file__)), str(os.getpid()), *command]


def main() -> None:
    parent, *command = sys.argv[1:]
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PARENT_DEATH_SIGNAL, ctypes.c_ulong(signal.SIGKILL)):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    if os.getppid() != int(parent):  # it ended while this process came to life
        sys.exit(1)
    os.execvp(command[0], command)  # noqa: S606 (a program that its caller names; no shell)


if __name__ == "__main__":
    main()
