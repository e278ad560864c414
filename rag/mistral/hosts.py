"""Whom a client speaks to, and by which right: Mistral, or a host that speaks OpenAI's language.

Of that language every such host has its own part. So it is sent only what all of them know, and a
path that all of them have: what a client of OpenAI puts behind its base URL.
"""

import ipaddress
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

from msgspec import Struct

from rag.errors import InvalidSettings, ProviderError
from rag.mistral.failures import MayPass
from rag.mistral.wire.decoding import PROVIDER

Dialect: TypeAlias = Literal["mistral", "openai"]
"""What a request may hold: all that Mistral knows, or what OpenAI-compatible hosts have in common.
"""

KEY_SETTING = "MISTRAL_API_KEY"

_VERSION = "/v1"
"""Begins every path that we ask for, and ends the base URLs that other clients are given."""


class Host(Struct, frozen=True):
    base_url: str
    """As `rooted` leaves it."""
    api_key: str | None = None
    """Sent as a bearer token; None where nothing is."""
    headers: tuple[tuple[str, str], ...] = ()
    dialect: Dialect = "mistral"
    key_setting: str = KEY_SETTING
    """Where its operator finds the key, should it be refused."""

    def __repr__(self) -> str:
        return f"Host({self.name!r})"

    @property
    def account(self) -> "Host":
        """All that tells two clients apart."""
        return Host(self.base_url, self.api_key, self.headers, self.dialect)

    @property
    def name(self) -> str:
        """How it is called in errors, in the ledger, and in the names of its vectors."""
        return PROVIDER if self.dialect == "mistral" else place_of(self.base_url)

    def check(self, setting: str) -> None:
        """
        Args:
            setting: that names it, for the message.

        Raises:
            InvalidSettings: a key or a text would travel in the clear where others may read it.
        """
        url = urlsplit(self.base_url)
        if url.scheme not in ("http", "https") or not url.hostname:
            raise InvalidSettings(f"{setting} must start with https:// and name a host")
        is_secret = bool(self.api_key or self.headers)
        is_near = is_loopback(url.hostname) or (not is_secret and _is_private(url.hostname))
        if url.scheme == "http" and not is_near:
            raise InvalidSettings(
                f"{setting} must start with https:// (plain http only to this machine, and without"
                " key and headers to a private network): it would travel in the clear"
            )

    @contextmanager
    def speaking(self) -> Iterator[None]:
        """Errors that leave the block are told in this host's name: whoever made them, deep
        below, did not know whom we speak to."""
        try:
            yield
        except ProviderError as error:
            self._sign(error)
            raise
        except MayPass as failure:
            self._sign(failure.error)
            raise

    def _sign(self, error: ProviderError) -> None:
        told = str(error).replace(f"{PROVIDER}: ", f"{self.name}: ")
        error.args = (told.replace(KEY_SETTING, self.key_setting),)
        error.provider = self.name


def rooted(base_url: str) -> str:
    """What our paths, which begin with `/v1`, are put behind.

    >>> rooted("https://name.openai.azure.com/openai/v1/")
    'https://name.openai.azure.com/openai'

    Raises:
        InvalidSettings: it is none to put paths behind.
    """
    try:
        parts = urlsplit(base_url)
        _ = parts.port  # raises where it is no number
    except ValueError as error:
        raise InvalidSettings("a base URL of a provider is not a URL") from error
    if parts.query or parts.fragment or "@" in parts.netloc:
        raise InvalidSettings(
            f"the base URL of {parts.hostname} holds a query, a fragment or a password: give the"
            " part before `/chat/completions` alone, and what authorizes as a key or a header"
        )
    return base_url.rstrip("/").removesuffix(_VERSION).rstrip("/")


def place_of(base_url: str) -> str:
    """Host, port and path.

    >>> place_of("http://127.0.0.1:11434")
    '127.0.0.1:11434'
    """
    parts = urlsplit(base_url)
    return parts.netloc.lower() + parts.path.rstrip("/")


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_private(host: str) -> bool:
    """Whether it is an address, or a name, that means nothing outside of one's own network."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal"))
