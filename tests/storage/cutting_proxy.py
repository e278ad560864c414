"""Stands between a client and PostgreSQL, and cuts the connection in the middle of a COMMIT."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Literal

from sqlalchemy import make_url

When = Literal["before", "after"]


class CuttingProxy:
    def __init__(self, url: str) -> None:
        parsed = make_url(url)
        self._server = (parsed.host, parsed.port)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = parsed.set(port=self._listening.getsockname()[1]).render_as_string(False)
        self.cut: When | None = None
        """The next COMMIT's connection is cut before the server has it, or after it has done it."""
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listening.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.create_connection(self._server)
                threading.Thread(target=self._pump, args=(client, server), daemon=True).start()
                threading.Thread(target=self._answer, args=(client, server), daemon=True).start()

    def _pump(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError), client, server:
            while sent := client.recv(1 << 16):
                if self.cut is not None and b"COMMIT\0" in sent:
                    when, self.cut = self.cut, None
                    client.shutdown(socket.SHUT_RDWR)  # first: the answer must not get through
                    if when == "after":
                        server.sendall(sent)
                        server.recv(1)
                    return
                server.sendall(sent)

    @staticmethod
    def _answer(client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while sent := server.recv(1 << 16):
                client.sendall(sent)
            client.shutdown(socket.SHUT_RDWR)


@contextmanager
def cutting_proxy(url: str) -> Iterator[CuttingProxy]:
    proxy = CuttingProxy(url)
    yield proxy
    proxy.close()
