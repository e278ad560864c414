"""Which of our errors a status becomes, and whether another attempt is worth it."""

from collections.abc import Mapping
from http import HTTPStatus

from rag.errors import (
    KeyRefused,
    ProviderError,
    ProviderRefused,
    ProviderUnavailable,
    RateLimited,
)
from rag.mistral.patience import PASSING, retry_after
from rag.mistral.refusals import Refusal, Refused, refusal
from rag.mistral.wire.decoding import PROVIDER

_UNSTATED_WAIT = 60.0
"""Seconds we tell a caller to wait where the provider did not say: its counters are per minute."""

_ADVICE = {
    400: "refuses the request",
    401: "refuses the key; set MISTRAL_API_KEY to one that is valid",
    402: "refuses to work unpaid; look at the organization's billing",
    403: "does not allow this key what was asked; look at its workspace and models",
    404: "does not know what was asked for; the model may be retired",
    413: "refuses the request as too large",
    422: "refuses the request",
}

_OF_THE_KEY = frozenset({401, 402, 403})
"""Statuses that are not about the request."""


class MayPass(Exception):
    """A failure that another attempt may not meet."""

    def __init__(
        self,
        error: ProviderError,
        *,
        headers: Mapping[str, str] | None = None,
        is_dear: bool = False,
        is_free: bool = False,
    ) -> None:
        super().__init__(str(error))
        self.error = error
        """What the caller hears when we give up."""
        self.headers = headers or {}
        """Of the reply, if there was one."""
        self.retry_after = retry_after(self.headers)
        """Seconds the provider asked for; None where it did not."""
        self.is_dear = is_dear
        """Whether the attempt was probably billed."""
        self.is_free = is_free
        """Whether it was surely not billed. What is neither may have been."""


class RefusedKey(KeyRefused):
    """The provider does nothing for this key, or nothing with this model."""

    def __init__(self, refusal: Refusal, advice: str, model: str) -> None:
        super().__init__(PROVIDER, f"{advice} ({model}: {refusal})")
        self._told = (refusal, advice, model)
        self.is_for_all = refusal.status != HTTPStatus.FORBIDDEN
        """Whether calls to other models would meet it too."""

    def again(self) -> "RefusedKey":
        """For the next caller: an error that was raised keeps where, and what it held there."""
        return RefusedKey(*self._told)


def is_free(failure: BaseException) -> bool:
    """Whether a call that ended so was surely not billed."""
    return isinstance(failure, ProviderRefused) or (
        isinstance(failure, MayPass) and failure.is_free
    )


def failure_of(
    model: str, status: int, headers: Mapping[str, str], body: bytes
) -> MayPass | ProviderRefused:
    """The error that a status deserves: one that may pass, or a refusal for good."""
    said = refusal(status, body)
    wait = retry_after(headers)
    if status == HTTPStatus.TOO_MANY_REQUESTS and said.cause != "over capacity":
        limited = RateLimited(PROVIDER, retry_after=_UNSTATED_WAIT if wait is None else wait)
        return MayPass(limited, headers=headers, is_free=True)
    if status in PASSING:
        down = ProviderUnavailable(PROVIDER, f"cannot do it at the moment ({model}: {said})")
        return MayPass(down, headers=headers, is_free=True)
    if status in _OF_THE_KEY and said.cause != "blocked by a guardrail":
        return RefusedKey(said, _ADVICE[status], model)
    if 300 <= status < 400:
        return Refused(said, "answers from elsewhere; is the base URL right?", model)
    return Refused(said, _ADVICE.get(status, "answers in a way that was not agreed"), model)
