"""The pages for people: search and ask at `/`, the API's documentation at `/schema`.

They load nothing from elsewhere, so they work without a network and under a strict policy.
"""

from functools import cache
from pathlib import Path

from litestar import Controller, Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from rag.api.schema import openapi

ASSETS = Path(__file__).parent / "assets"
MEDIA_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
SHARED = frozenset({"home.js", "icon.svg", "pages.css", "schema.js"})
"""What the pages load."""


class PagesController(Controller):
    @get("/", sync_to_thread=False)
    def home(self) -> Response[bytes]:
        return _file("home.html")

    @get("/schema", sync_to_thread=False)
    def documentation(self) -> Response[bytes]:
        return _file("schema.html")

    @get("/schema/openapi.json", sync_to_thread=True)
    def schema(self) -> Response[bytes]:
        return Response(openapi(), media_type="application/vnd.oai.openapi+json")

    @get("/assets/{name:str}", sync_to_thread=False)
    def asset(self, name: FromPath[str]) -> Response[bytes]:
        if name not in SHARED:
            raise NotFoundException
        return _file(name)


def _file(name: str) -> Response[bytes]:
    path = ASSETS / name
    return Response(_content(path), media_type=MEDIA_TYPES[path.suffix])


@cache
def _content(path: Path) -> bytes:
    return path.read_bytes()
