"""A filter in the kernel (seccomp) that takes network, other processes and writing from a child.

It cannot be undone, and whatever the child starts inherits it. Calls are refused with an error
rather than by death, so that a library which only tries fails as it would for want of rights.
"""

import ctypes
import os
import platform
import struct
import sys
from collections.abc import Iterator, Mapping
from errno import EACCES, ENOSYS

from msgspec import Struct

ALLOW = 0x7FFF0000
KILL = 0x80000000
REFUSE = 0x00050000  # and an errno
LOAD, EQUAL, AT_LEAST, ANY_BIT, RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
"""Instructions of the classic Berkeley packet filter."""
NUMBER, ARCHITECTURE, ARGUMENTS = 0, 4, 16
"""Where `struct seccomp_data` has them; each argument takes eight bytes, the low four first."""
X32 = 0x40000000  # numbers from here on are a second table of the same calls
SET_NO_NEW_PRIVILEGES, FILTER, ALL_THREADS = 38, 1, 1
CLONE_THREAD = 0x00010000
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Machine(Struct, frozen=True):
    """An architecture and its numbers of the calls below."""

    mark: int
    calls: Mapping[str, int]

    def numbers(self, names: str) -> list[int]:
        """Calls that an architecture never had are left out."""
        return [self.calls[name] for name in names.split() if name in self.calls]


NETWORK = "socket socketpair connect bind sendto sendmsg io_uring_setup"
OTHERS = "ptrace process_vm_readv process_vm_writev pidfd_getfd"
PRIVILEGES = "unshare setns mount bpf userfaultfd"
PROCESSES = "execve execveat fork vfork kill tkill pidfd_send_signal"
FILES = (
    "creat truncate ftruncate rename renameat renameat2 mkdir mkdirat rmdir link linkat unlink"
    " unlinkat symlink symlinkat mknod mknodat chmod fchmod fchmodat fchmodat2 chown fchown lchown"
    " fchownat utime utimes futimesat utimensat setxattr lsetxattr fsetxattr"
)
OPAQUE = "clone3 openat2"
"""Their arguments are behind a pointer; libraries do without them where a kernel is too old."""

# Of the kernel's arch/x86/entry/syscalls/syscall_64.tbl and include/uapi/asm-generic/unistd.h
LATE = {
    **{"pidfd_send_signal": 424, "io_uring_setup": 425, "clone3": 435, "openat2": 437},
    **{"pidfd_getfd": 438, "fchmodat2": 452},
}
X86_64 = {
    **{"open": 2, "socket": 41, "connect": 42, "sendto": 44, "sendmsg": 46, "bind": 49},
    **{"socketpair": 53, "clone": 56, "fork": 57, "vfork": 58, "execve": 59, "kill": 62},
    **{"truncate": 76, "ftruncate": 77, "rename": 82, "mkdir": 83, "rmdir": 84, "creat": 85},
    **{"link": 86, "unlink": 87, "symlink": 88, "chmod": 90, "fchmod": 91, "chown": 92},
    **{"fchown": 93, "lchown": 94, "ptrace": 101, "utime": 132, "mknod": 133, "mount": 165},
    **{"setxattr": 188, "lsetxattr": 189, "fsetxattr": 190, "tkill": 200, "tgkill": 234},
    **{"utimes": 235, "openat": 257, "mkdirat": 258, "mknodat": 259, "fchownat": 260},
    **{"futimesat": 261, "unlinkat": 263, "renameat": 264, "linkat": 265, "symlinkat": 266},
    **{"fchmodat": 268, "unshare": 272, "utimensat": 280, "setns": 308, "renameat2": 316},
    **{"process_vm_readv": 310, "process_vm_writev": 311, "seccomp": 317, "bpf": 321},
    **{"execveat": 322, "userfaultfd": 323, **LATE},
}
AARCH64 = {
    **{"setxattr": 5, "lsetxattr": 6, "fsetxattr": 7, "mknodat": 33, "mkdirat": 34},
    **{"unlinkat": 35, "symlinkat": 36, "linkat": 37, "renameat": 38, "mount": 40},
    **{"truncate": 45, "ftruncate": 46, "fchmod": 52, "fchmodat": 53, "fchownat": 54},
    **{"fchown": 55, "openat": 56, "utimensat": 88, "unshare": 97, "ptrace": 117, "kill": 129},
    **{"tkill": 130, "tgkill": 131, "socket": 198, "socketpair": 199, "bind": 200},
    **{"connect": 203, "sendto": 206, "sendmsg": 211, "clone": 220, "execve": 221},
    **{"setns": 268, "process_vm_readv": 270, "process_vm_writev": 271, "renameat2": 276},
    **{"seccomp": 277, "bpf": 280, "execveat": 281, "userfaultfd": 282, **LATE},
}
MACHINES = {"x86_64": Machine(0xC000003E, X86_64), "aarch64": Machine(0xC00000B7, AARCH64)}


class NotSecluded(Exception):
    """This kernel filters no calls for us."""


def seclude(*, alone: bool) -> None:
    """From here on this process, and whatever it starts, has no network, looks into no other
    process and gains no rights. With `alone` it starts and signals no process either, and opens
    no file but to read it.

    Raises:
        NotSecluded: nothing has changed.
    """
    machine = MACHINES.get(platform.machine())
    if machine is None:
        raise NotSecluded(f"no filter of system calls is known for {platform.machine()}")
    program = b"".join(_program(machine, alone=alone))
    libc = ctypes.CDLL(None, use_errno=True)
    buffer = ctypes.create_string_buffer(program, len(program))
    whole = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
    none = ctypes.c_ulong(0)
    call = ctypes.c_long(machine.calls["seccomp"])
    if libc.prctl(SET_NO_NEW_PRIVILEGES, ctypes.c_ulong(1), none, none, none) or libc.syscall(
        call, ctypes.c_ulong(FILTER), ctypes.c_ulong(ALL_THREADS), whole
    ):
        why = os.strerror(ctypes.get_errno())
        raise NotSecluded(f"this kernel takes no filter of system calls (seccomp: {why})")


def _program(machine: Machine, *, alone: bool) -> Iterator[bytes]:
    yield _load(ARCHITECTURE)
    yield _jump(EQUAL, machine.mark, over=1)
    yield _return(KILL)
    yield _load(NUMBER)
    yield _jump(AT_LEAST, X32, otherwise=1)
    yield _return(REFUSE | ENOSYS)
    for number in machine.numbers(f"{NETWORK} {OTHERS} {PRIVILEGES}"):
        yield from _refused(number)
    if alone:
        yield from _solitude(machine)
    yield _return(ALLOW)


def _solitude(machine: Machine) -> Iterator[bytes]:
    for number in machine.numbers(OPAQUE):
        yield from _refused(number, ENOSYS)
    for number in machine.numbers(f"{PROCESSES} {FILES}"):
        yield from _refused(number)
    yield from _refused_unless(machine.calls["tgkill"], 0, EQUAL, os.getpid())  # as abort() does
    yield from _refused_unless(machine.calls["clone"], 0, ANY_BIT, CLONE_THREAD)
    yield from _refused_if(machine.calls["openat"], 2, WRITING)
    for number in machine.numbers("open"):
        yield from _refused_if(number, 1, WRITING)


def _refused(number: int, error: int = EACCES) -> Iterator[bytes]:
    yield _jump(EQUAL, number, otherwise=1)
    yield _return(REFUSE | error)


def _refused_if(number: int, argument: int, bits: int) -> Iterator[bytes]:
    yield _jump(EQUAL, number, otherwise=4)
    yield _load(ARGUMENTS + 8 * argument)
    yield _jump(ANY_BIT, bits, otherwise=1)
    yield _return(REFUSE | EACCES)
    yield _return(ALLOW)


def _refused_unless(number: int, argument: int, test: int, value: int) -> Iterator[bytes]:
    yield _jump(EQUAL, number, otherwise=4)
    yield _load(ARGUMENTS + 8 * argument)
    yield _jump(test, value, over=1)
    yield _return(REFUSE | EACCES)
    yield _return(ALLOW)


def _load(offset: int) -> bytes:
    return struct.pack("HBBI", LOAD, 0, 0, offset)


def _jump(test: int, value: int, *, over: int = 0, otherwise: int = 0) -> bytes:
    """Over so many instructions if the test holds, over so many others if not."""
    return struct.pack("HBBI", test, over, otherwise, value)


def _return(verdict: int) -> bytes:
    return struct.pack("HBBI", RETURN, 0, 0, verdict)


def main() -> None:
    """Tries it on itself; exit code 1 and why, if this kernel refuses."""
    try:
        seclude(alone=True)
    except NotSecluded as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
