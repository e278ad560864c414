"""What a child process gives up before it touches bytes of strangers."""

import os
import resource
import subprocess
import sys
from pathlib import Path

from rag.local.reading.seclusion import NotSecluded, seclude

OPEN_FILES = 64  # pipes, libraries while they load, fonts
CPU_GRACE = 5  # seconds beyond the parent's own clock, which is the one that should fire
PASSED_ON = ("PATH", "LANG", "LC_ALL", "TESSDATA_PREFIX", "PYTHONPATH", "TMPDIR")
"""Environment a child needs; everything else, and every secret with it, stays behind."""
NOT_SECLUDED = "not secluded"
"""The first words of a child that has kept the network."""


def child_environment(threads: int) -> dict[str, str]:
    """The parent's environment without secrets, and with bounded thread pools: libraries in the
    child would otherwise start one thread for each core, in every child."""
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    pools = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_THREAD_LIMIT")
    return kept | {name: str(threads) for name in pools}


def confine(*, memory: int, writes_files: bool) -> None:
    """Limit address space to `memory` bytes, forbid core dumps, the network and, but for engines
    that work through temporary files and programs, any write to a file and any other process; be
    the first to go when memory runs out. A kernel that filters no calls is told of on standard
    error, and the rest holds."""
    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_NOFILE, (OPEN_FILES, OPEN_FILES))
    if not writes_files:
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    Path("/proc/self/oom_score_adj").write_text("1000")
    try:
        seclude(alone=not writes_files)
    except NotSecluded as error:
        print(f"{NOT_SECLUDED}: {error}", file=sys.stderr, flush=True)


def check_seclusion() -> None:
    """
    Raises:
        NotSecluded: children would have the network, for this kernel does not take it from them.
    """
    command = (sys.executable, "-P", "-m", "rag.local.reading.seclusion")
    tried = subprocess.run(  # noqa: S603  # our own interpreter and module
        command, capture_output=True, text=True, env=child_environment(threads=1)
    )
    if tried.returncode:
        raise NotSecluded(tried.stderr.strip())


def allow_cpu(seconds: float) -> None:
    """Let this process use that much more CPU, then be killed by the kernel: what is left of the
    clock when the parent itself has died."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime + seconds) + CPU_GRACE
    resource.setrlimit(resource.RLIMIT_CPU, (soft, resource.getrlimit(resource.RLIMIT_CPU)[1]))


def resident_bytes(process: int) -> int:
    """
    Raises:
        OSError: there is no such process any more.
    """
    pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")
