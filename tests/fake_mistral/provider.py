"""What the fake provider knows and allows. A test changes it directly:
`fake.faults.append(Reply(503))`, `fake.limits.tokens_per_minute = 60_000`."""

import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
from msgspec import Struct

from .billing import Bill, Charge
from .contract import Chat, Ocr
from .faults import Fault
from .filestore import FileStore
from .limits import Gate, Limits
from .models import Units, of_kinds
from .plan import FaultPlan
from .streams import StreamStyle
from .writing import choice

KEY = "fake-key-3f7a"

Embed = Callable[[Sequence[str], int], npt.NDArray[np.float32]]
"""n texts and a width -> (n, width), rows of length 1."""


class Received(Struct):
    """One request as it arrived, and what became of it."""

    path: str
    body: Any
    """Decoded JSON; None where there was none, or more than is kept."""
    headers: dict[str, str]
    status: int = 0
    """0 until the answer began."""
    fault: str | None = None
    """Name of what went wrong on purpose."""
    charge: Charge | None = None


class Answered(Struct, frozen=True):
    """A reply that will be billed."""

    model: str
    units: Units
    body: dict[str, Any]


class Provider:
    """Its state; `FakeMistral` adds the app."""

    def __init__(
        self, *, now: Callable[[], float] = time.time, keeps: int = 4 * 1024 * 1024
    ) -> None:
        """
        Args:
            now: seconds since 1970; limits, files and the dates of replies go by it.
            keeps: bytes of a request's body that are remembered; larger ones are forgotten.
        """
        self.now = now
        self.keeps = keeps
        self.received: list[Received] = []
        self.mistakes: list[Exception] = []
        """Of the fake itself: it answered 500 without being told to."""
        self.bill = Bill()

        self.faults: list[Fault | None] = []
        """One for each request to come, in order; None lets one pass."""
        self.plan: FaultPlan | None = None
        """What goes wrong once `faults` are used up."""
        self.keys = {KEY}
        """Emptied, every request is answered 401."""
        self.retired: set[str] = set()
        """Models that are 404 from now on."""
        self.limits = Limits()
        self.gate = Gate(self.limits, now)
        self.latency = 0.0
        """Seconds before every answer, of real time."""
        self.in_flight = 0

        self.largest_batch = 512
        """Inputs of one embeddings request."""
        self.most_tokens = 16_384
        """Of one embeddings request."""
        self.longest_input = 8_192
        """Tokens of one text."""
        self.unembeddable: set[str] = set()
        """Words; a text with one of them spoils its whole request."""
        self.embed: Embed | None = None
        """Another embedder than hashing."""
        self.honors_base64 = False
        """Whether embeddings asked for in base64 come so; the provider was seen to send numbers."""

        self.pages: Callable[[Ocr], list[dict[str, Any]]] | None = None
        """Other pages than the document's own."""
        self.renumbers_pages = False
        """Whether the pages of a subset are counted from 0, instead of by their place in the
        document. The contract does not say."""

        self.chat_models = of_kinds("chat", "code")
        self.choice: Callable[[Chat], dict[str, Any]] = choice
        """What the model writes."""
        self.script: deque[str] = deque()
        """What it says first, in order, before `choice` is asked."""
        self.blocked_words: set[str] = set()
        """What a request's guardrails stop."""
        self.stream_style = StreamStyle()
        self.cached_prefixes: set[tuple[str, str, int, int]] = set()

        self.files = FileStore(now)
        self.jobs: dict[str, Any] = {}
        self.batch_polls = 1
        """Times that a job is seen QUEUED, and RUNNING, before it moves on."""
        self.batch_ends = "SUCCESS"
        """Or FAILED, or TIMEOUT_EXCEEDED: half done."""
        self.batch_refusals: dict[str | None, tuple[int, Any]] = {}
        """By `custom_id`: status and body of a request inside a batch that fails by itself."""

    def answered(self, path: str) -> list[Any]:
        """Bodies of the requests to a path that were answered with 200."""
        return [each.body for each in self.received if each.path == path and each.status == 200]

    @property
    def pages_billed(self) -> int:
        return self.bill.units.pages

    @property
    def tokens_billed(self) -> int:
        units = self.bill.units
        return units.prompt + units.written

    def state(self) -> dict[str, Any]:
        """For `/fake/state`."""
        statuses: dict[str, int] = {}
        paths: dict[str, int] = {}
        faults: dict[str, int] = {}
        for each in self.received:
            statuses[str(each.status)] = statuses.get(str(each.status), 0) + 1
            paths[each.path] = paths.get(each.path, 0) + 1
            if each.fault:
                faults[each.fault] = faults.get(each.fault, 0) + 1
        return {
            "requests": len(self.received),
            "in_flight": self.in_flight,
            "by_status": statuses,
            "by_path": paths,
            "faults": faults,
            "rate_limited": self.gate.refused,
            "files": len(self.files.listed()),
            "batch_jobs": {name: job.status for name, job in self.jobs.items()},
            "mistakes": [repr(mistake) for mistake in self.mistakes],
        }

    @contextmanager
    def working(self) -> Iterator[None]:
        self.in_flight += 1
        try:
            yield
        finally:
            self.in_flight -= 1
