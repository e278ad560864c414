"""A repository of another host -> a bare one of ours, by https, with nothing of its own executed.

Where it may be fetched from was decided before, and git is kept to that: it connects to the
addresses that were checked, follows no redirect, asks nobody for a password, and knows no other
transport; as a history is cut short, the dumb protocol with its alternates cannot be spoken. There
is no checkout, so no hook, filter or submodule has anything to do. What arrives is bounded in
bytes, memory and time.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from msgspec import Struct

from rag.errors import DocumentTooLarge, FetchFailed, InvalidRequest, RagError
from rag.sources.git.running import command, environment, git
from rag.sources.web.addresses import Ip, WebAddress

_REF = re.compile(r"(?!.*(?:\.\.|@\{|//))[A-Za-z0-9_][^\x00-\x20\x7f~^:?*\[\\]{0,299}")
"""A branch, tag or commit as it may stand on git's command line (see `git check-ref-format`)."""

LATEST = "rag-latest"
"""The branch that the other host shows first, as it is called here."""

MEMORY = 4 * 1024**3
"""Bytes of address space: a pack is mapped, and what is large in it is streamed."""

_LIMITED = (
    "import os, resource, sys\n"
    "most, memory = int(sys.argv[1]), int(sys.argv[2])\n"
    "resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))\n"
    "resource.setrlimit(resource.RLIMIT_AS, (memory, memory))\n"
    "resource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n"
    "os.execvp(sys.argv[3], sys.argv[3:])\n"
)
"""Limits a process and what it starts, before it is git. Pythons, unlike shells, are all alike."""

_QUIET = (
    "http.followRedirects=false",
    "http.proxy=",
    "http.lowSpeedLimit=1000",  # bytes a second
    "http.lowSpeedTime=30",  # seconds below it
    "http.sslVerify=true",
    "http.saveCookies=false",
    "http.delegation=none",
    "fetch.recurseSubmodules=false",
    "fetch.fsckObjects=false",  # old histories have harmless faults, and nothing is checked out
    "fetch.writeCommitGraph=false",
    "transfer.bundleURI=false",
    "core.bigFileThreshold=16m",
    "pack.threads=1",
)
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")
_REDIRECTED = re.compile(r"redirect|HTTP 30\d|returned error: 30\d", re.IGNORECASE)
_ASKED_FOR_KEY = re.compile(r"could not read Username|Authentication failed|error: 40[13]", re.I)
_ABSENT = re.compile(r"couldn't find remote ref|not our ref|no matching remote head", re.I)
_TOO_LARGE = re.compile(r"File too large|SIGXFSZ|signal 25|Out of memory|cannot allocate", re.I)


class CloneLimits(Struct, frozen=True):
    bytes: int = 2 * 1024**3
    """Of one pack: the whole history of Linux has three times as many, its latest state a sixth."""
    seconds: float = 540.0
    """Less than a command waits for its answer."""
    depth: int = 1
    """Commits of history."""


def fetch_into(
    folder: Path,
    address: WebAddress,
    ips: Sequence[Ip],
    ref: str | None,
    limits: CloneLimits,
) -> None:
    """The ref, as it is there now, becomes that of the bare repository in `folder`, which is made
    where there is none. What was fetched before is not fetched again.

    Args:
        ips: that were checked; no other is connected to.
        ref: None for the branch that the host shows first.

    Raises:
        InvalidRequest: the ref is none, or is not there.
        FetchFailed: the host has no such repository, or did not send it in time.
        DocumentTooLarge: it has more bytes than the limit.
    """
    check_ref(ref)
    ref = None if ref == "HEAD" else ref
    if not (folder / "HEAD").is_file():
        folder.mkdir(parents=True, exist_ok=True)
        git(folder, "init", "--quiet", "--bare", "--template=", str(folder))
    _tidy(folder)
    kept = f"refs/remotes/{ref or LATEST}"
    _fetch(folder, address, ips, f"+{ref or 'HEAD'}:{kept}", limits)
    if ref is None:
        commit = git(folder, "rev-parse", "--verify", "--end-of-options", f"{kept}^{{commit}}")
        git(folder, "update-ref", "--no-deref", "HEAD", commit.decode().strip())


def check_ref(ref: str | None) -> None:
    """
    Raises:
        InvalidRequest: nothing can be called so.
    """
    if ref is not None and not _REF.fullmatch(ref):
        raise InvalidRequest("a ref is the name of a branch or tag, or a commit's whole id")


def _fetch(
    folder: Path, address: WebAddress, ips: Sequence[Ip], refspec: str, limits: CloneLimits
) -> None:
    settings = [*_QUIET, f"protocol.{address.scheme}.allow=always"]
    if address.ip is None:
        literals = ",".join(f"[{ip}]" if ip.version == 6 else str(ip) for ip in ips)
        settings.append(f"http.curloptResolve={address.host}:{address.port}:{literals}")
    wanted = (
        *(word for setting in settings for word in ("-c", setting)),
        "fetch",
        "--quiet",
        "--no-tags",
        "--no-write-fetch-head",
        "--no-auto-maintenance",
        "--no-recurse-submodules",
        "--update-shallow",
        f"--depth={limits.depth}",
        "--end-of-options",
        str(address),
        refspec,
    )
    limited = (sys.executable, "-I", "-c", _LIMITED, str(limits.bytes), str(MEMORY))
    status, told = _run([*limited, *command(folder, wanted)], address, limits.seconds)
    if status != 0:
        raise _failure(status, told, address, refspec, limits)


def _run(words: list[str], address: WebAddress, seconds: float) -> tuple[int, str]:
    """Status and last words. Git has helpers, and all end with it."""
    more = {"HOME": "/nonexistent", "XDG_CONFIG_HOME": "/nonexistent"}
    named = environment({**more, "GIT_ALLOW_PROTOCOL": address.scheme})
    own = {key: value for key, value in named.items() if key.lower() not in _PROXIES}
    with subprocess.Popen(  # noqa: S603 (programs found by name; no shell)
        words,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=own,
        start_new_session=True,
    ) as process:
        try:
            _, told = process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired as error:
            raise FetchFailed(
                f"{address.host} did not send the repository within {seconds:g} s",
                is_passing=True,
            ) from error
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    return process.returncode, told.decode(errors="replace")


def _failure(
    status: int, told: str, address: WebAddress, refspec: str, limits: CloneLimits
) -> RagError:
    """In our words: what git says may repeat what the host sent."""
    if status == -signal.SIGXFSZ or _TOO_LARGE.search(told):
        return DocumentTooLarge(
            f"the repository is larger than {limits.bytes:,} bytes; clone it yourself, and index"
            " the folder"
        )
    if _ABSENT.search(told):
        ref = refspec[1:].rpartition(":")[0]
        return InvalidRequest(f"the repository at {address.host} has no branch or tag {ref!r}")
    if _REDIRECTED.search(told):
        return FetchFailed(f"{address.host} redirects; give the address that it leads to")
    if _ASKED_FOR_KEY.search(told):
        return FetchFailed(
            f"{address.host} has no such repository, or only for those who sign in; clone it"
            " yourself, and index the folder"
        )
    return FetchFailed(f"{address.host} did not send a repository", is_passing=True)


def _tidy(folder: Path) -> None:
    """What a fetch that was killed has left."""
    for left in _left_behind(folder):
        with suppress(OSError):
            left.unlink()


def _left_behind(folder: Path) -> Iterator[Path]:
    yield from (folder / "objects" / "pack").glob("tmp_*")
    yield from (folder / "objects").glob("tmp_*")
    yield from folder.glob("shallow.lock")
