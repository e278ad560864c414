"""The name of a host -> its IP addresses, asked once: what was checked is what is connected to."""

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeAlias

from rag.errors import FetchFailed
from rag.sources.web.addresses import Ip

Resolve: TypeAlias = Callable[[str], Awaitable[Sequence[Ip]]]

THREADS = 4
"""The system's resolver cannot be interrupted. Names whose servers never answer occupy threads of
their own, not those on which the rest of the service works."""


class SystemResolver:
    """As the machine is set up: its hosts file, then its name servers."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="resolve")

    async def __call__(self, host: str) -> Sequence[Ip]:
        """
        Raises:
            FetchFailed: nobody knows the name.
        """
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._threads, _looked_up, host)
        except OSError as error:
            raise FetchFailed(f"{host} is not known; is it spelled right?") from error

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _looked_up(host: str) -> list[Ip]:
    answers = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return [ipaddress.ip_address(answer[4][0]) for answer in answers]
