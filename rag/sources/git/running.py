"""Running git on repositories that nobody vouches for: it reads, and executes nothing of theirs.

Hooks, filters, pagers, file system monitors and credential helpers are named by a repository's own
configuration. We never ask for what would use them (no checkout, no diff, no status), and switch
them off all the same. No transport is allowed, so a partial clone is not completed in silence.
"""

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from rag.errors import InvalidRequest, RagError

_OFF = (
    "core.hooksPath=/dev/null",
    "core.fsmonitor=false",
    "core.pager=cat",
    "core.sshCommand=false",
    "core.askPass=false",
    "core.attributesFile=/dev/null",
    "core.quotePath=false",
    "credential.helper=",
    "protocol.allow=never",
    "gc.auto=0",
    "maintenance.auto=false",
    "safe.directory=*",  # it may belong to somebody else: nothing of it is executed
)
_OPTIONS = tuple(word for setting in _OFF for word in ("-c", setting))

_ENVIRONMENT = {
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "LC_ALL": "C.UTF-8",
}

SLOWEST = 120.0  # seconds that listing a million files may take


def git(folder: Path, *arguments: str, given: bytes | None = None) -> bytes:
    """What git prints.

    Args:
        folder: the repository's git directory.
        given: on its standard input.

    Raises:
        GitFailed: it ended badly.
        RagError: git is not installed, or takes too long.
    """
    try:
        done = subprocess.run(  # noqa: S603 (a program found by name; no shell)
            command(folder, arguments),
            input=given,
            stdin=subprocess.DEVNULL if given is None else None,
            capture_output=True,
            timeout=SLOWEST,
            env=environment(),
        )
    except FileNotFoundError as error:
        raise RagError("git is not installed, and code is read through it") from error
    except subprocess.TimeoutExpired as error:
        raise RagError(f"git took longer than {SLOWEST:g} s, and was stopped") from error
    if done.returncode != 0:
        raise GitFailed(_told(done.stderr))
    return done.stdout


@contextmanager
def talking(folder: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """Git as a process that is asked many things, ended afterwards."""
    with subprocess.Popen(  # noqa: S603 (a program found by name; no shell)
        command(folder, arguments),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment(),
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def environment(more: Mapping[str, str] | None = None) -> dict[str, str]:
    """Ours without any of git's own variables, which could lead it elsewhere."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    return inherited | _ENVIRONMENT | dict(more or {})


class GitFailed(InvalidRequest):
    """Git cannot do what was asked of this repository."""


def command(folder: Path, arguments: Sequence[str]) -> list[str]:
    """The words of a call of git, for whoever starts it otherwise than here."""
    return ["git", *_OPTIONS, f"--git-dir={folder}", *arguments]


def _told(stderr: bytes) -> str:
    lines = stderr.decode(errors="replace").strip().splitlines() or ["git failed"]
    return lines[-1].removeprefix("fatal: ")[:300]
