"""JSON bodies -> the structs that handlers declare, strictly.

The framework would convert leniently ("5" for 5, "null" for null), so bodies are decoded here.
"""

from typing import TypeVar

import msgspec
from litestar import Request
from litestar.datastructures import State

from rag.api.problems import Fault, Refused, fault_of

T = TypeVar("T")

ANY_BODY = "any_body"
"""Handlers with this option read their bodies themselves; all others take JSON only."""


class StrictRequest(Request[object, object, State]):
    """A request whose JSON body is decoded as the type that the handler's `data` declares."""

    async def json(self) -> object:
        field = self.route_handler.parsed_data_field
        assert field is not None, "only handlers with a `data` parameter ask for JSON"
        return parse_json(await self.body(), field.annotation)


def parse_json(body: bytes, kind: type[T]) -> T:
    """
    Raises:
        Refused: 400 when it is not JSON, 422 when it is JSON of another shape.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        fault = fault_of(error)
        raise Refused(
            422, "invalid_request", f"{fault.pointer or 'body'}: {fault.message}", errors=[fault]
        ) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Refused(400, "malformed_json", f"the body is not JSON: {error}") from error
    except RecursionError as error:
        raise Refused(422, "invalid_request", "the body is nested too deeply") from error


async def only_json(request: Request[object, object, State]) -> None:
    """Before each request: what a web form of another site could send without asking is not read.

    It waits for nothing. The framework runs what is not `async` in a thread of its own, and copies
    the handler for each guard, which took a third of what a request costs.

    Raises:
        Refused: 415 for a body that does not say it is JSON.
    """
    headers = request.headers
    if request.route_handler.opt.get(ANY_BODY) or (
        headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers
    ):
        return
    declared = headers.get("content-type", "").partition(";")[0].strip().lower()
    if declared != "application/json":
        raise Refused(
            415,
            "unsupported_media_type",
            f"this address takes application/json, not {declared or 'a body of unnamed type'}",
            errors=[Fault("", "send JSON with the header Content-Type: application/json")],
        )
