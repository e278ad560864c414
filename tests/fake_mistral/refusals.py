"""The seven shapes in which the provider says no."""

from collections.abc import Mapping
from typing import Any

import msgspec


class Refusal(Exception):
    """A request that is answered with an error."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(status)
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


def refused(status: int, kind: str, message: str, code: str | None = None) -> Refusal:
    return Refusal(status, envelope(status, kind, message, code))


def unknown_model(model: str | None) -> Refusal:
    return refused(404, "invalid_model", f"Invalid model: {model}", "1500")


def invalid(kind: str, place: tuple[str | int, ...], message: str, value: Any) -> Refusal:
    """422, with the offending value repeated: it may be a whole document."""
    return Refusal(422, validation(kind, place, message, value))


# --- the shapes, in the order of the reference ---------------------------------------------------


def envelope(status: int, kind: str, message: str, code: str | int | None = None) -> dict[str, Any]:
    """The documented one."""
    body = {"object": "error", "message": message, "type": kind, "param": None, "code": code}
    return {**body, "raw_status_code": status}


def validation(
    kind: str, place: tuple[str | int, ...], message: str, value: Any
) -> dict[str, list[dict[str, Any]]]:
    return {"detail": [{"type": kind, "loc": list(place), "msg": message, "input": value}]}


def wrapped_validation(detail: dict[str, Any]) -> dict[str, Any]:
    body = {"object": "error", "message": detail, "type": "invalid_request_error"}
    return {**body, "param": None, "code": None}


def agent_validation(detail: dict[str, Any]) -> dict[str, Any]:
    errors = detail["detail"]
    body = {"object": "Error", "message": errors, "detail": errors}
    return {**body, "type": "invalid_request_error", "code": 3001}


def plain(detail: str, message: str | None = None) -> dict[str, str]:
    return {"detail": detail} if message is None else {"detail": detail, "message": message}


def gateway(message: str) -> dict[str, str]:
    return {"message": message, "request_id": "3f7a0c"}


def guardrail(category: str) -> dict[str, Any]:
    results = {"moderation_llm_v2": {"categories": {category: True}}}
    error = {"message": "Request blocked by guardrail", "status": 403}
    return {"error": error, "guardrails": {"results": results}}


def every_shape(status: int, message: str) -> tuple[Any, ...]:
    """One body of each shape, for the same trouble."""
    detail = validation("value_error", ("body", "x", 0), message, message)
    return (
        envelope(status, "service_unavailable", message, "1300"),
        detail,
        wrapped_validation(detail),
        agent_validation(detail),
        plain(message),
        gateway(message),
        guardrail(message),
    )


def validation_error(error: msgspec.ValidationError, sent: Any) -> Refusal:
    """A request of another shape than the contract's, in the server's words."""
    text = str(error)
    place = text.partition(" - at `$")[2].strip("`").replace("[", ".").replace("]", "")
    kind = "extra_forbidden" if "unknown field" in text else "value_error"
    steps = tuple(int(step) if step.isdigit() else step for step in place.split(".") if step)
    return invalid(kind, ("body", *steps), text, sent)
