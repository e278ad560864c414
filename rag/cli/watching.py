"""Looking again and again at files, and acting when they have changed and rest."""

from collections.abc import Callable, Mapping
from time import monotonic, sleep
from typing import TypeAlias

from rag.sources.found import Findings

POLL = 2.0  # seconds between two looks
SHARE = 0.05
"""Of the time at most that is spent looking: a large tree is looked at less often."""

Looks: TypeAlias = Mapping[str, tuple[int, int, int]]
"""Of each key: size, inode, and when it was changed last."""


def watch(
    look: Callable[[], Findings | None],
    act: Callable[[Findings], bool],
    seen: Looks,
    *,
    pause: Callable[[float], None] = sleep,
) -> None:
    """For ever. A change is acted on when two looks in a row saw the same, so that no file is
    taken while it is being written.

    Args:
        look: None when nothing can be seen at the moment.
        act: with all that is there; whether it succeeded, and need not be repeated.
        seen: what was acted on already, as it looked before.
    """
    acted = last = seen
    took = 0.0
    while True:
        pause(max(POLL, took / SHARE))
        began = monotonic()
        found = look()
        took = monotonic() - began
        if found is None:
            continue
        now = looks_of(found)
        if now == last and now != acted and act(found):
            acted = now
        last = now


def looks_of(findings: Findings) -> Looks:
    looks = {}
    for found in findings.files:
        try:
            stat = found.path.stat()
        except OSError:  # it went between two looks
            continue
        looks[found.key] = (stat.st_size, stat.st_ino, stat.st_mtime_ns)
    return looks
