"""A website on this machine, for the service to fetch from."""

import itertools
import threading
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from msgspec import Struct

LONGEST = 60.0  # seconds that a page waits, whatever becomes of its test

numbers = itertools.count(1)


class Page(Struct):
    content: bytes
    headers: dict[str, str] = {}
    status: int = 200
    waits: threading.Event | None = None
    """Until then it is not sent."""


class Site:
    """Serves what it is given, and remembers who asked."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        """Path and headers, the latter in lower case."""
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                headers = {name.lower(): value for name, value in self.headers.items()}
                site.requests.append((self.path, headers))
                _send(self, site.pages.get(self.path, Page(b"", status=404)), headers)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def add(self, content: bytes, suffix: str = "", **more: object) -> str:
        """The address of a new page."""
        path = f"/page-{next(numbers)}{suffix}"
        self.pages[path] = Page(content, **more)  # type: ignore[arg-type]
        return self.at(path)

    def at(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def page(self, address: str) -> Page:
        return self.pages[self._path(address)]

    def visits(self, address: str) -> list[dict[str, str]]:
        """Headers of the requests for it."""
        return [headers for path, headers in self.requests if path == self._path(address)]

    def _path(self, address: str) -> str:
        return address.removeprefix(self.at(""))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _send(handler: BaseHTTPRequestHandler, page: Page, headers: dict[str, str]) -> None:
    if page.waits is not None:
        page.waits.wait(LONGEST)
    etag = page.headers.get("ETag")
    is_known = etag is not None and headers.get("if-none-match") == etag
    handler.send_response(304 if is_known else page.status)
    for name, value in page.headers.items():
        handler.send_header(name, value)
    handler.end_headers()
    if not is_known:
        with suppress(ConnectionError):  # it may have had enough
            handler.wfile.write(page.content)
