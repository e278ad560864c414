"""Repositories that are named by an address: where they are kept, and how they come there."""

import asyncio
import hashlib
import shutil
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

from rag.errors import AddressRefused
from rag.sources.git.cloning import CloneLimits, fetch_into
from rag.sources.web.addresses import Ip, WebAddress, parse_address


class Doorman(Protocol):
    """Who says where may be fetched from."""

    async def admitted(self, url: str) -> tuple[WebAddress, Sequence[Ip]]:
        """The address, and what it may be connected to by.

        Raises:
            AddressRefused: it is not fetched from.
            FetchFailed: nobody knows its host.
        """
        ...

    def is_allowed_by_name(self, address: WebAddress) -> bool:
        """Whether the operator has allowed it, beside the public internet."""
        ...


class Clones:
    """Bare repositories in a folder of ours, one for each address."""

    def __init__(self, folder: Path, doorman: Doorman, limits: CloneLimits | None = None) -> None:
        self._folder = folder
        self._doorman = doorman
        self._limits = limits or CloneLimits()
        self._alone: dict[Path, threading.Lock] = {}

    def folder_of(self, location: str) -> Path:
        """Where a repository is read from: where it lies, or its clone."""
        if not is_address(location):
            return Path(location)
        return self._folder / f"{hashlib.sha256(location.encode()).hexdigest()[:32]}.git"

    async def fetch(self, location: str, ref: str | None) -> Path:
        """The folder in which the ref is, as it is now; it is fetched where that is elsewhere.

        Raises:
            AddressRefused: it is not fetched from.
            FetchFailed: it is not there, or not in time.
            DocumentTooLarge: it is beyond a limit.
            InvalidRequest: it has no such ref.
        """
        folder = self.folder_of(location)
        if is_address(location):
            address, ips = await self._doorman.admitted(location)
            if address.scheme != "https" and not self._doorman.is_allowed_by_name(address):
                raise AddressRefused("repositories of the public internet are fetched by https")
            await asyncio.to_thread(self._fetch, folder, address, ips, ref)
        return folder

    def remove(self, location: str) -> None:
        """The clone of an address; a folder of somebody else's is not touched."""
        if is_address(location):
            shutil.rmtree(self.folder_of(location), ignore_errors=True)

    def _fetch(self, folder: Path, address: WebAddress, ips: Sequence[Ip], ref: str | None) -> None:
        with self._alone.setdefault(folder, threading.Lock()):
            fetch_into(folder, address, ips, ref, self._limits)


def is_address(location: str) -> bool:
    return location.startswith(("https://", "http://"))


def named_by(url: str) -> tuple[str, str]:
    """The address in its one form, and what a repository is called that nobody named.

    Raises:
        AddressRefused: it is no address.
    """
    address = parse_address(url)
    parts = [part for part in address.target.partition("?")[0].split("/") if part]
    return str(address), parts[-1].removesuffix(".git") if parts else address.host
