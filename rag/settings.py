"""One frozen struct, built once from an optional file and the environment."""

import difflib
import ipaddress
import os
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias

import msgspec
from msgspec import Meta, Struct

from rag.errors import InvalidSettings

PREFIX = "RAG_"
KEY_VARIABLE = "MISTRAL_API_KEY"
FILE_VARIABLE = "RAG_SETTINGS_FILE"

Role: TypeAlias = Literal["ocr", "embedding", "answer"]

SECRET = frozenset({"mistral_api_key", "mistral_headers"})
"""Settings that are never shown: a proxy's header may hold a password."""

Provider: TypeAlias = Literal["auto", "local", "mistral"]
"""`auto`: Mistral where there is a key, the embedded parts where there is none."""


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Every setting of the service. In the environment `data_dir` is `RAG_DATA_DIR`, and so on;
    in a file (TOML, named by `RAG_SETTINGS_FILE`) it is `data_dir`. The environment wins."""

    data_dir: str = "data"
    """Folder of the library: database, original files, derived indexes, built models."""
    database_url: str | None = None
    """SQLAlchemy URL; SQLite inside `data_dir` where unset."""
    host: str = "127.0.0.1"
    port: Annotated[int, Meta(ge=0, le=65535)] = 8000
    """0 takes any free port."""
    allowed_hosts: tuple[str, ...] = ()
    """Names besides the loopback ones under which the service may be called, comma-separated."""
    max_upload: Annotated[int, Meta(ge=1024)] = 200 * 1024 * 1024
    """Bytes of one request."""
    workers: Annotated[int, Meta(ge=1, le=64)] = max(1, min(8, os.cpu_count() or 1))
    """Documents read at a time, each in a child process."""
    ocr: Literal["auto", "rapidocr", "tesseract"] = "auto"
    """`auto`: Tesseract where the machine has it, else the engine in the box."""
    embedding_precision: Literal["int8", "float32"] = "int8"
    """Of the embedded sentence model. int8 is 1.6 to 1.9 times as fast at equal quality."""

    provider: Provider = "auto"
    ocr_provider: Provider | None = None
    embedding_provider: Provider | None = None
    answer_provider: Provider | None = None
    """Per role; `provider` where unset."""

    mistral_api_key: str | None = None
    """From `MISTRAL_API_KEY`."""
    mistral_base_url: str = "https://api.mistral.ai"
    mistral_ocr_model: str | None = None
    mistral_embedding_model: str | None = None
    mistral_chat_model: str | None = None
    """The adapter's own pinned ids where unset."""
    mistral_describe_pictures: bool = False
    """Whether OCR says in words what each picture shows: a quarter dearer for every page."""
    mistral_headers: dict[str, str] = {}
    """Sent with every request, for proxies and compatible hosts: `Name: value` lines."""

    budget_day: Decimal | None = None
    budget_job: Decimal | None = None
    """USD that a day (UTC) and a job may cost. A call that could exceed it is not made."""

    def __repr__(self) -> str:
        shown = {
            name: "***" if name in SECRET and value else value
            for name, value in msgspec.structs.asdict(self).items()
        }
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    def provider_of(self, role: Role) -> Provider:
        """`local` or `mistral`."""
        own: dict[Role, Provider | None] = {
            "ocr": self.ocr_provider,
            "embedding": self.embedding_provider,
            "answer": self.answer_provider,
        }
        chosen = own[role] or self.provider
        if chosen == "auto":
            return "mistral" if self.mistral_api_key else "local"
        return chosen


def load_settings(environment: Mapping[str, str]) -> Settings:
    """Settings from the file that `RAG_SETTINGS_FILE` names, then the environment over it.

    Raises:
        InvalidSettings: one is misspelt, of the wrong type, or impossible; all valid names are
            listed.
    """
    values = _from_file(environment.get(FILE_VARIABLE)) | _from_environment(environment)
    unknown = sorted(set(values) - set(Settings.__struct_fields__))
    if unknown:
        raise InvalidSettings(_unknown(unknown))
    try:
        settings = msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise InvalidSettings(f"a setting is impossible: {error}") from error
    _check(settings)
    return settings


def _from_file(name: str | None) -> dict[str, Any]:
    if not name:
        return {}
    path = Path(name).expanduser()
    try:
        return tomllib.loads(path.read_text())
    except OSError as error:
        raise InvalidSettings(f"{FILE_VARIABLE} names {path}: {error.strerror}") from error
    except ValueError as error:
        raise InvalidSettings(f"{path} is not TOML: {error}") from error


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(PREFIX) and name != FILE_VARIABLE and value != ""
    }
    if hosts := values.get("allowed_hosts"):
        values["allowed_hosts"] = tuple(h.strip() for h in hosts.split(",") if h.strip())
    if headers := values.get("mistral_headers"):
        values["mistral_headers"] = _headers(headers)
    if key := environment.get(KEY_VARIABLE):
        values["mistral_api_key"] = key
    return values


def _headers(lines: str) -> dict[str, str]:
    """`Name: value` lines, as curl takes them."""
    pairs = [line.partition(":") for line in lines.splitlines() if line.strip()]
    if any(not (name.strip() and colon) for name, colon, _ in pairs):
        raise InvalidSettings("RAG_MISTRAL_HEADERS holds a line that is not `Name: value`")
    return {name.strip(): value.strip() for name, _, value in pairs}


def _unknown(names: list[str]) -> str:
    lines = []
    for name in names:
        near = difflib.get_close_matches(name, Settings.__struct_fields__, n=1)
        hint = f" (did you mean {PREFIX}{near[0].upper()}?)" if near else ""
        lines.append(f"unknown setting {PREFIX}{name.upper()}{hint}")
    valid = ", ".join(
        KEY_VARIABLE if name == "mistral_api_key" else PREFIX + name.upper()
        for name in Settings.__struct_fields__
    )
    return "; ".join(lines) + f". Valid settings: {FILE_VARIABLE}, {valid}"


def _check(settings: Settings) -> None:
    if not is_loopback(settings.host):
        raise InvalidSettings(
            f"RAG_HOST={settings.host} would open the service to the network, and it has no keys"
            " yet: bind 127.0.0.1 and put a proxy that authenticates in front of it"
        )
    for name in ("budget_day", "budget_job"):
        budget: Decimal | None = getattr(settings, name)
        if budget is not None and not (budget.is_finite() and budget >= 0):
            raise InvalidSettings(f"RAG_{name.upper()} is {budget}, and must be USD, 0 or more")
    roles: tuple[Role, ...] = ("ocr", "embedding", "answer")
    if not settings.mistral_api_key and any(settings.provider_of(r) == "mistral" for r in roles):
        raise InvalidSettings(f"a role is given to Mistral, but {KEY_VARIABLE} is not set")
    if not settings.mistral_base_url.startswith(
        ("https://", "http://127.0.0.1", "http://localhost")
    ):
        raise InvalidSettings(
            "RAG_MISTRAL_BASE_URL must start with https:// (plain http only to this machine):"
            " the key would travel in the clear"
        )


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
