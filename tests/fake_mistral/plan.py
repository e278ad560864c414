"""Seeded trouble: the same seed, the same faults in the same order."""

import random
from collections import deque
from collections.abc import Callable, Sequence
from email.utils import formatdate
from typing import Any, Literal, TypeAlias, get_args

import msgspec

from .faults import Changed, Cut, Drip, Fault, Reply, Reset
from .refusals import envelope, every_shape, plain

Kind: TypeAlias = Literal[
    "storm",
    "overload",
    "500",
    "502",
    "503",
    "504",
    "reset before",
    "reset during",
    "reset after",
    "cut",
    "truncated",
    "trailing",
    "sign in",
    "drip",
    "wrong width",
    "not a number",
    "zero vector",
    "missing item",
    "extra item",
    "shuffled",
    "repeated index",
    "other model",
]

EVERY_KIND: tuple[Kind, ...] = get_args(Kind)

HARMLESS: tuple[Kind, ...] = ("shuffled", "reset after")
"""What a caller must bear without asking again."""

FREE: tuple[Kind, ...] = ("storm", "overload", "500", "502", "503", "504", "reset before")
"""What is not billed."""

_LONGEST_STORM = 8
"""Requests in a row that are answered 429."""

_HTML = b"<html><head><title>Sign in to the network</title></head><body>...</body></html>"


class FaultPlan:
    """Decides for each request to come. A storm takes several in a row; all else takes one."""

    def __init__(
        self,
        seed: int,
        rate: float = 0.1,
        kinds: Sequence[Kind] = EVERY_KIND,
        *,
        revoked_after: int | None = None,
        drip_pause: float = 0.05,
        longest_wait: int = 3,
    ) -> None:
        """
        Args:
            rate: share of the requests that something begins to go wrong with.
            revoked_after: requests until the key is refused for good; None for never.
            drip_pause: seconds between two bytes of a reply that drips.
            longest_wait: seconds that a storm asks to wait, at most.
        """
        self.rate = rate
        self.kinds = tuple(kinds)
        self.revoked_after = revoked_after
        self.decided = 0
        """Requests so far."""
        self._chance = random.Random(seed)
        self._pause = drip_pause
        self._longest_wait = longest_wait
        self._coming: deque[tuple[str, Fault]] = deque()

    def next(self) -> tuple[str, Fault] | None:
        """The name of a fault, and the fault; None lets the request pass."""
        self.decided += 1
        if self.revoked_after is not None and self.decided > self.revoked_after:
            return "key revoked", Reply(401, plain("Unauthorized"))
        if not self._coming and self.kinds and self._chance.random() < self.rate:
            kind = self._chance.choice(self.kinds)
            self._coming.extend((kind, fault) for fault in self._faults(kind))
        return self._coming.popleft() if self._coming else None

    def _faults(self, kind: Kind) -> list[Fault]:
        chance = self._chance
        match kind:
            case "storm":
                return [self._too_fast() for _ in range(chance.randint(2, _LONGEST_STORM))]
            case "overload":
                body = {"message": "Service tier capacity exceeded for this model."}
                return [Reply(chance.choice((429, 503)), body)]
            case "500" | "502" | "503" | "504":
                return [Reply(int(kind), self._body(int(kind)))]
            case "reset before":
                return [Reset("before")]
            case "reset during":
                return [Reset("during")]
            case "reset after":
                return [Reset("after")]
            case "cut":
                return [Cut(after=chance.choice((0, 1, 20, 100, 500)))]
            case "drip":
                return [Drip(self._pause)]
            case "truncated":
                part = chance.random()
                return [Changed(lambda body: body[: int(len(body) * part)])]
            case "trailing":
                junk = chance.choice((b"}", b"null", b"\x00"))
                return [Changed(lambda body: body + junk)]
            case "sign in":
                return [Changed(lambda body: _HTML)]
            case _:
                return [Changed(_of_items(_ITEM_FAULTS[kind]))]

    def _too_fast(self) -> Reply:
        """With a header that can be believed, or none, or one that cannot."""
        seconds = self._chance.randint(0, self._longest_wait)
        date = formatdate(1_780_000_000, usegmt=True)
        later = formatdate(1_780_000_000 + seconds, usegmt=True)
        headers = self._chance.choice(
            (
                {"retry-after": str(seconds)},
                {"retry-after": f"{seconds}.5"},
                {"retry-after": later, "date": date},
                {},
                {"retry-after": "-5"},
                {"retry-after": "soon"},
                {"retry-after": "99999999"},
            )
        )
        return Reply(429, envelope(429, "rate_limited", "Rate limit exceeded", "1300"), headers)

    def _body(self, status: int) -> Any:
        shapes = every_shape(status, "Service unavailable.")[:-1]  # a guardrail is no outage
        return self._chance.choice((*shapes, b"", b"upstream connect error", _HTML))


# --- replies that look right ---------------------------------------------------------------------

Json: TypeAlias = dict[str, Any]


def _of_items(change: Callable[[Json, str], None]) -> Callable[[bytes], bytes]:
    """A change of the list that a reply carries, whichever it is; of nothing where it has none."""

    def changed(body: bytes) -> bytes:
        try:
            reply = msgspec.json.decode(body)
        except msgspec.DecodeError:  # a stream, or a file
            return body
        names = ("data", "pages", "choices")
        name = next((each for each in names if isinstance(reply, dict) and reply.get(each)), None)
        is_other_list = name == "data" and "embedding" not in reply["data"][0]
        if name is None or is_other_list:
            return body
        change(reply, name)
        return msgspec.json.encode(reply).replace(b'"NaN"', b"NaN")

    return changed


def _wrong_width(reply: Json, name: str) -> None:
    if name == "data":
        reply[name][0]["embedding"] = reply[name][0]["embedding"][:-1]
    else:
        reply[name][0] = {"index": 0}


def _not_a_number(reply: Json, name: str) -> None:
    if name == "data":
        reply[name][-1]["embedding"][0] = "NaN"
    else:
        reply[name][-1]["index"] = "NaN"


def _zero_vector(reply: Json, name: str) -> None:
    if name == "data":
        reply[name][-1]["embedding"] = [0] * len(reply[name][-1]["embedding"])
    else:
        reply[name] = None


def _missing(reply: Json, name: str) -> None:
    reply[name].pop()


def _extra(reply: Json, name: str) -> None:
    reply[name].append({**reply[name][-1], "index": len(reply[name])})


def _shuffled(reply: Json, name: str) -> None:
    reply[name].reverse()


def _repeated(reply: Json, name: str) -> None:
    for item in reply[name]:
        item["index"] = reply[name][0]["index"]
    if len(reply[name]) == 1:
        reply[name][0]["index"] = 7


def _other_model(reply: Json, name: str) -> None:
    reply["model"] = "another-model"


_ITEM_FAULTS: dict[str, Callable[[Json, str], None]] = {
    "wrong width": _wrong_width,
    "not a number": _not_a_number,
    "zero vector": _zero_vector,
    "missing item": _missing,
    "extra item": _extra,
    "shuffled": _shuffled,
    "repeated index": _repeated,
    "other model": _other_model,
}
