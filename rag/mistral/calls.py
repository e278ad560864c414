"""What is asked of the provider, and what it may cost: the nouns of the client."""

from collections.abc import Callable, Mapping
from typing import Generic, Literal, TypeAlias, TypeVar

from msgspec import Struct

from rag.mistral.wire.encoding import Body, encoded
from rag.spending import Bill, Bought, Intent

Verb: TypeAlias = Literal["GET", "POST", "DELETE"]

Value = TypeVar("Value")


class Upload(Struct, frozen=True):
    """A file, sent as a form."""

    filename: str
    content: bytes
    media_type: str
    fields: Mapping[str, str]
    """Of the form, besides the file."""

    def __repr__(self) -> str:
        return f"Upload({len(self.content):,} bytes)"


class Call(Struct, frozen=True):
    """One question to the provider. Its request holds what nobody may log."""

    path: str
    """With its query."""
    model: str
    """Its id, for the operator to read; what is asked for where no model is."""
    request: Struct | Upload | Callable[[], Struct] | None
    """Sent as JSON, or as a form. A function makes it when the call is about to leave, and again
    for each attempt, so that calls that wait in line do not hold a document each."""
    deadline: float
    """Seconds from first byte out to last byte in."""
    largest_reply: int
    """Bytes."""
    verb: Verb | None = None
    """POST where there is a request, else GET."""

    def __repr__(self) -> str:
        return f"Call({self.path!r}, {self.model!r})"

    def method(self) -> Verb:
        return self.verb or ("GET" if self.request is None else "POST")

    def json(self) -> Body | None:
        """What is sent; None for a form, and where nothing is."""
        if self.request is None or isinstance(self.request, Upload):
            return None
        return encoded(self.request if isinstance(self.request, Struct) else self.request())


def _unknown(body: bytes) -> Bill | None:
    return None


class Paid(Struct, Generic[Value], frozen=True):
    """How a call that costs money is written down."""

    intent: Intent
    bill: Callable[[Value], tuple[Bill, Bought | None]]
    """What was billed for a value, and what is kept of it."""
    bill_of_unusable: Callable[[bytes], Bill | None] = _unknown
    """What was billed for a reply that cannot be used, where it says so all the same."""
