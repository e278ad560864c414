"""Errors -> problem documents."""

from typing import Annotated

import msgspec
import pytest
from msgspec import Meta, Struct

from rag import errors
from rag.api.problems import STATUS, fault_of, problem_of, retry_header


def every(kind: type[errors.RagError]) -> list[type[errors.RagError]]:
    return [kind, *(each for child in kind.__subclasses__() for each in every(child))]


@pytest.mark.parametrize("kind", every(errors.RagError), ids=lambda kind: kind.__name__)
def test_every_error_of_ours_has_a_status_code_and_a_stable_word(
    kind: type[errors.RagError],
) -> None:
    error = kind.__new__(kind)  # their constructors differ, the table does not ask

    problem = problem_of(error, "/v1/x", "req_1")

    assert problem.status == next(STATUS[each] for each in kind.__mro__ if each in STATUS)
    assert problem.code == kind.code
    assert problem.type == f"urn:rag:problem:{kind.code}"


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.NotFound("no collection 'x'"), 404),
        (errors.Conflict("it exists"), 409),
        (errors.InvalidRequest("k is negative"), 422),
        (errors.EncryptedDocument("a password is needed"), 422),  # by its ancestor
        (errors.UnsupportedMediaType("no reader"), 415),
        (errors.DocumentTooLarge("9,000 pages"), 413),
        (errors.ProviderRefused("mistral", "the key is wrong"), 502),
        (errors.MalformedReply("mistral", "no data in it"), 502),
        (errors.ProviderUnavailable("mistral", "no answer in 60 s"), 503),
        (errors.RateLimited("mistral", retry_after=2.5), 503),
    ],
)
def test_errors_mean_what_http_says(error: errors.RagError, status: int) -> None:
    problem = problem_of(error, "/v1/x", "req_1")

    assert problem.status == status
    assert problem.detail == str(error)


def test_trouble_at_a_provider_names_it_and_says_when_to_return() -> None:
    problem = problem_of(errors.RateLimited("mistral", retry_after=2.5), "/v1/answers", "req_1")

    assert "mistral" in problem.detail
    assert problem.retry_after == 2.5
    assert retry_header(problem) == {"Retry-After": "3"}  # the header knows whole seconds only


def test_an_error_of_ours_says_nothing_of_its_insides() -> None:
    problem = problem_of(KeyError("/home/user/secret"), "/v1/x", "req_1")

    assert problem.status == 500
    assert problem.code == "internal"
    assert "secret" not in msgspec.json.encode(problem).decode()


class Inner(Struct, forbid_unknown_fields=True):
    k: Annotated[int, Meta(ge=1)] = 1


class Outer(Struct):
    filters: tuple[Inner, ...] = ()
    names: dict[Annotated[str, Meta(max_length=2)], int] = {}


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        (b'{"filters": [{"k": 1}, {"k": "x"}]}', "/filters/1/k"),
        (b'{"filters": 5}', "/filters"),
        (b'{"filters": [{"q": 5}]}', "/filters/0/q"),  # an unknown field is pointed at itself
        (b'{"names": {"a": "x"}}', "/names/*"),  # the key is not told
        (b'{"names": {"abc": 1}}', "/names"),
        (b"[]", ""),
    ],
)
def test_a_fault_points_at_what_is_wrong(body: bytes, pointer: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.json.decode(body, type=Outer)

    fault = fault_of(caught.value)

    assert fault.pointer == pointer
    assert fault.message
    assert " - at " not in fault.message


def test_a_problem_leaves_out_what_it_has_not() -> None:
    problem = problem_of(errors.NotFound("none"), "/v1/x", "req_1")

    assert set(msgspec.to_builtins(problem)) == {
        "type",
        "title",
        "status",
        "detail",
        "code",
        "instance",
        "request_id",
    }
