"""`/v1/files`, and the place that signed URLs point to."""

from typing import Any

from litestar import Request, Response, delete, get, post
from litestar.datastructures import UploadFile
from litestar.di import NamedDependency
from litestar.params import FromPath

from .filestore import BLOB, LARGEST, StoredFile
from .provider import Provider
from .refusals import Refusal, invalid, plain, refused

PURPOSES = ("fine-tune", "batch", "ocr", "audio")

_READABLE = ("application/pdf", "image/", "text/", "application/vnd", "application/octet-stream")
"""Beginnings of the media types that OCR takes."""

_LONGEST_URL = 168  # hours


@post("/v1/files", status_code=200)
async def upload(
    request: Request[Any, Any, Any], provider: NamedDependency[Provider]
) -> dict[str, Any]:
    form = await request.form()
    file = form.get("file")
    if not isinstance(file, UploadFile):
        raise invalid("missing", ("body", "file"), "Field required", None)
    content = await file.read()
    purpose = form.get("purpose", "fine-tune")
    _check_upload(file.filename, file.content_type, purpose, content)
    return provider.files.put(
        content,
        file.filename,
        purpose,
        file.content_type,
        hours=_hours(form.get("expiry")),
        sample_type="ocr_input" if purpose == "ocr" else "batch_request",
        visibility=form.get("visibility", "workspace"),
    ).card()


@get("/v1/files")
async def listed(
    request: Request[Any, Any, Any], provider: NamedDependency[Provider]
) -> dict[str, Any]:
    asked = request.query_params
    found = [file for file in provider.files.listed() if _is_wanted(file, asked)]
    page, size = int(asked.get("page", 0)), int(asked.get("page_size", 100))
    cards = [file.card() for file in found[page * size : (page + 1) * size]]
    total = len(found) if asked.get("include_total", "true") == "true" else None
    return {"object": "list", "data": cards, "total": total}


@get("/v1/files/{file_id:str}")
async def one(file_id: FromPath[str], provider: NamedDependency[Provider]) -> dict[str, Any]:
    return {**provider.files.get(file_id).card(), "deleted": False}


@get("/v1/files/{file_id:str}/content")
async def content(file_id: FromPath[str], provider: NamedDependency[Provider]) -> Response[bytes]:
    file = provider.files.get(file_id)
    return Response(file.content, media_type="application/octet-stream")


@get("/v1/files/{file_id:str}/url")
async def url(
    file_id: FromPath[str], request: Request[Any, Any, Any], provider: NamedDependency[Provider]
) -> dict[str, str]:
    hours = _hours(request.query_params.get("expiry")) or 24
    if hours > _LONGEST_URL:
        message = f"Input should be less than or equal to {_LONGEST_URL}"
        raise invalid("less_than_equal", ("query", "expiry"), message, hours)
    return {"url": provider.files.sign(file_id, str(request.base_url).rstrip("/"), hours)}


@delete("/v1/files/{file_id:str}", status_code=200)
async def remove(file_id: FromPath[str], provider: NamedDependency[Provider]) -> dict[str, Any]:
    provider.files.delete(file_id)
    return {"id": file_id, "object": "file", "deleted": True}


@get(f"{BLOB}/{{file_id:str}}")
async def blob(
    file_id: FromPath[str], request: Request[Any, Any, Any], provider: NamedDependency[Provider]
) -> Response[bytes]:
    if "authorization" in request.headers:
        raise refused(400, "invalid_request_error", "A key was sent to where it is not wanted")
    file = provider.files.behind(str(request.url))
    if file is None:
        raise refused(404, "invalid_file", "Not a signed URL")
    return Response(file.content, media_type=file.mimetype)


HANDLERS = [upload, listed, one, content, url, remove, blob]


def _check_upload(filename: str, media_type: str, purpose: str, content: bytes) -> None:
    if purpose not in PURPOSES:
        raise invalid("enum", ("body", "purpose"), f"Input should be one of {PURPOSES}", purpose)
    if len(content) > LARGEST:
        raise refused(413, "invalid_request_error", "The file is larger than 512 MB")
    if purpose == "ocr" and not media_type.startswith(_READABLE):
        raise Refusal(422, plain("Invalid file format.", f"{media_type} cannot be read by OCR"))
    if purpose in ("batch", "fine-tune") and not filename.endswith(".jsonl"):
        raise Refusal(422, plain("Invalid file format.", "Only .jsonl files"))


def _hours(expiry: str | None) -> int | None:
    if not expiry:
        return None
    try:
        hours = int(expiry)
    except ValueError:
        hours = 0
    if hours < 1:
        raise invalid("int_parsing", ("query", "expiry"), "Hours from 1", expiry)
    return hours


def _is_wanted(file: StoredFile, asked: Any) -> bool:
    if wanted := asked.get("purpose"):
        return bool(file.purpose == wanted)
    if search := asked.get("search"):
        return str(search) in file.filename
    return True
