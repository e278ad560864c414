"""How a reply is decoded. The files beside this one hold what goes over the wire, a file for
each endpoint.

Requests are closed: the server answers 422 to a field it does not know and to a null where none
is allowed, so a field that is not set is not sent. Replies are open: they already carry fields
that the published contract lacks, so an unknown field is ignored, nearly all have a default, and
an enumeration is a plain string.
"""

from typing import TypeVar

import msgspec
from msgspec import Struct

from rag.errors import MalformedReply

PROVIDER = "mistral"
"""How the provider is named in errors."""

Reply = TypeVar("Reply", bound=Struct)


def decode(body: bytes, shape: type[Reply]) -> Reply:
    """
    Raises:
        MalformedReply: the body is not JSON, was cut off, or has another shape. The message
            names the place, never what stands there.
    """
    try:
        return msgspec.json.decode(body, type=shape)
    except msgspec.ValidationError as error:
        raise MalformedReply(PROVIDER, f"sent another shape than agreed: {error}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise MalformedReply(PROVIDER, "sent a reply that is not JSON, or cut short") from error
