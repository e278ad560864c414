"""The shim that counts a process's calls to its disk, and fails one or kills at one.

It sees calls through the C library. The word index opens and renames its temporary files without
it: what lies between two such calls is reached by the calls around them, but they never fail here.
"""

import ctypes
import errno
import shutil
import subprocess
from pathlib import Path
from typing import Literal, TypeAlias, get_args

from msgspec import Struct

SOURCE = Path(__file__).with_name("faults.c")

Action: TypeAlias = Literal["kill before", "kill after", "tear", "shorten", "fail", "fail from"]
"""`tear`: half of what is written, then death; `shorten`: half is written, and said so; `fail`: the
one call; `fail from`: that and all later ones."""
ACTIONS: tuple[Action, ...] = get_args(Action)

DiskError: TypeAlias = Literal["ENOSPC", "EIO"]


class Fault(Struct, frozen=True):
    """What happens at which call."""

    at: int = 0
    """From 1; 0 for none: each call is told, and counted."""
    action: Action = "kill before"
    error: DiskError = "EIO"
    """For what fails. A full disk refuses only what grows."""

    @property
    def is_error(self) -> bool:
        return self.at > 0 and self.action.startswith("fail")


def compiler() -> str | None:
    return shutil.which("gcc") or shutil.which("cc")


def built(folder: Path) -> Path:
    """The shim as a library, compiled into a folder."""
    tool, library = compiler(), folder / "faults.so"
    if tool is None:
        raise RuntimeError("there is no C compiler on this machine")
    command = [tool, "-O1", "-shared", "-fPIC", "-o", str(library), str(SOURCE), "-ldl"]
    subprocess.run(command, check=True)
    return library


def arm(folder: Path, fault: Fault, told_to: int) -> None:
    """From now on, in this process, which was started with the shim.

    Args:
        told_to: a descriptor; gets a line for each call that is hit, or for each of all.
    """
    armed = ctypes.CDLL(None).faults_arm
    armed.argtypes = [ctypes.c_char_p, ctypes.c_long, ctypes.c_int, ctypes.c_int, ctypes.c_int]
    action = ACTIONS.index(fault.action) + 1
    armed(bytes(folder), fault.at, action, getattr(errno, fault.error), told_to)


def disarm() -> None:
    ctypes.CDLL(None).faults_disarm()
