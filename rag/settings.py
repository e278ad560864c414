"""One frozen struct, built once from an optional file and the environment."""

import difflib
import os
import tomllib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, TypeAlias, get_args

import msgspec
from msgspec import Meta, Struct

from rag.errors import AddressRefused, InvalidSettings
from rag.mistral.hosts import KEY_SETTING as KEY_VARIABLE
from rag.mistral.hosts import Host, is_loopback, rooted
from rag.signing import secret_of
from rag.sources.web.addresses import parse_address
from rag.sources.web.rules import PORTS, rules_of

PREFIX = "RAG_"
FILE_VARIABLE = "RAG_SETTINGS_FILE"

Role: TypeAlias = Literal["ocr", "embedding", "answer"]

ROLES: tuple[Role, ...] = get_args(Role)

HEADERS = frozenset({"mistral_headers", "embedding_headers", "chat_headers"})
OWN_KEYS = frozenset({"embedding_api_key", "chat_api_key"})
"""Empty they say something: that there is none."""

SECRET = HEADERS | OWN_KEYS | {"mistral_api_key", "webhook_secret", "code_hook_secret"}
"""Settings that are never shown: a proxy's header may hold a password."""

Provider: TypeAlias = Literal["auto", "local", "mistral"]
"""`auto`: Mistral where there is a key, and a role's own host where it has one; the embedded parts
where there is neither."""

LISTS = ("allowed_hosts", "fetch_allow", "fetch_ports")
"""Settings that are comma-separated in the environment."""

Seconds: TypeAlias = Annotated[float, Meta(gt=0)]


AMOUNTS = (
    "budget_day",
    "budget_job",
    "embedding_price",
    "chat_input_price",
    "chat_output_price",
)
"""Settings in USD."""

OF_EMBEDDINGS_ELSEWHERE = (
    "embedding_model",
    "embedding_dimension",
    "embedding_max_tokens",
    "embedding_price",
    "embedding_query_prompt",
    "embedding_passage_prompt",
)
OF_A_FOLDER = ("embedding_query_prompt", "embedding_passage_prompt")
"""Which of those also hold for a sentence model of one's own."""


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
    min_free_disk: Annotated[int, Meta(ge=0)] = 500 * 1024 * 1024
    """Bytes free on the library's disk below which nothing more is taken in. What is under way then
    still fits: it is two requests of `max_upload`, and room to delete. 0 goes on to the end."""
    fetch_allow: tuple[str, ...] = ()
    """Hosts and networks besides the public internet that pages may be fetched from,
    comma-separated: `wiki.corp`, `*.corp` for all below it, `10.1.0.0/16`."""
    fetch_ports: tuple[Annotated[int, Meta(ge=1, le=65535)], ...] = PORTS
    """That pages may be fetched from, comma-separated."""
    fetch_bytes: Annotated[int, Meta(ge=1024)] = 50 * 1024 * 1024
    """Bytes of a page or file that is fetched, decompressed."""
    fetch_seconds: Seconds = 30.0
    """For one page or file, from the look-up of its name to its last byte."""
    workers: Annotated[int, Meta(ge=1, le=64)] = max(1, min(8, os.cpu_count() or 1))
    """Documents read at a time, each in a child process."""
    serve_only: bool = False
    """Whether `rag serve` leaves the work to `rag worker` processes, which PostgreSQL allows."""
    ocr: Literal["auto", "rapidocr", "tesseract"] = "auto"
    """`auto`: Tesseract where the machine has it, else the engine in the box."""
    ocr_languages: Annotated[str, Meta(pattern=r"^\w+(\+\w+)*$")] | None = None
    """Of scans, in Tesseract's names (`deu+eng`); all that are installed where they are few. The
    engine in the box cannot be told any."""
    embedding_precision: Literal["int8", "float32"] = "int8"
    """Of the embedded sentence model. int8 is 1.6 to 1.9 times as fast at equal quality."""
    sentence_model: str | None = None
    """Folder of another sentence model, in the layout of sentence-transformers (BERT or RoBERTa,
    safetensors): the one in the box knows English only. Prompts are the folder's own, where
    `embedding_query_prompt` and `embedding_passage_prompt` do not say otherwise."""

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
    """Sent with every request to Mistral, for proxies: `Name: value` lines."""

    embedding_base_url: str | None = None
    chat_base_url: str | None = None
    """Another host for that role, which speaks OpenAI's language: what stands before `/embeddings`
    or `/chat/completions`, with its `/v1` or without. Azure's is
    `https://NAME.openai.azure.com/openai/v1`, and wants its key as the header `api-key: KEY`; that
    of Ollama on this machine is `http://127.0.0.1:11434`, and wants none."""
    embedding_api_key: str | None = None
    chat_api_key: str | None = None
    """Mistral's where unset, which another host never gets: there it has to be set, if only to
    nothing, unless a header takes its place."""
    embedding_headers: dict[str, str] | None = None
    chat_headers: dict[str, str] | None = None
    """As `mistral_headers`, which another host does not get either."""
    embedding_model: str | None = None
    chat_model: str | None = None
    """As the other host calls it. `text-embedding-3-large@256` asks for 256 numbers."""
    embedding_dimension: Annotated[int, Meta(ge=1, le=65_536)] | None = None
    """Numbers of the other host's vectors, where none are asked for."""
    embedding_max_tokens: Annotated[int, Meta(ge=64)] | None = None
    """The longest text that its model reads."""
    embedding_query_prompt: str | None = None
    embedding_passage_prompt: str | None = None
    """What its model wants to read before a question and before a passage, with the space behind
    it: `query: ` and `passage: ` for e5. A collection is embedded with one prompt for passages;
    with another one it has to be embedded anew."""
    embedding_price: Decimal | None = None
    chat_input_price: Decimal | None = None
    chat_output_price: Decimal | None = None
    """USD for a million tokens, where they are not on Mistral's list; 0 for a host of one's own."""

    ocr_timeout: Seconds = 900.0
    embedding_timeout: Seconds = 30.0
    chat_timeout: Seconds = 120.0
    """Seconds of one request, from its first byte to the last of its reply."""
    idle_timeout: Seconds = 30.0
    """Seconds of silence within a reply that has begun."""

    webhook_url: str | None = None
    """Who is told when a job has ended, unless the job names another."""
    webhook_secret: str | None = None
    """Signs what is sent: `whsec_` and 16 to 64 random bytes in base64."""

    code_hook_secret: Annotated[str, Meta(min_length=16, max_length=200)] | None = None
    """Shared with the forges that say when a repository was pushed to; without it none is heard."""

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
        """`local`, or `mistral` for whichever `host_of` the role."""
        own: dict[Role, Provider | None] = {
            "ocr": self.ocr_provider,
            "embedding": self.embedding_provider,
            "answer": self.answer_provider,
        }
        chosen = own[role] or self.provider
        if chosen == "auto":
            host = self.host_of(role)
            return "mistral" if host.api_key or host.dialect == "openai" else "local"
        return chosen

    def host_of(self, role: Role) -> Host:
        """Where its requests go, unless it is local.

        Raises:
            InvalidSettings: its base URL is none.
        """
        url, key, headers = {
            "ocr": (None, None, None),
            "embedding": (self.embedding_base_url, self.embedding_api_key, self.embedding_headers),
            "answer": (self.chat_base_url, self.chat_api_key, self.chat_headers),
        }[role]
        root = rooted(url or self.mistral_base_url)
        if root == rooted(self.mistral_base_url):
            setting = _named(role, "api_key") if key else KEY_VARIABLE
            headers = self.mistral_headers if headers is None else headers
            key = key or self.mistral_api_key
            return Host(root, key, tuple(headers.items()), "mistral", setting)
        setting = _named(role, "api_key" if key or not headers else "headers")
        return Host(root, key or None, tuple((headers or {}).items()), "openai", setting)


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
        if name.startswith(PREFIX)
        and name != FILE_VARIABLE
        and (value != "" or name.removeprefix(PREFIX).lower() in OWN_KEYS)
    }
    for name in values.keys() & set(LISTS):
        values[name] = tuple(each.strip() for each in values[name].split(",") if each.strip())
    for name in HEADERS & values.keys():
        values[name] = _headers(name, values[name])
    if key := environment.get(KEY_VARIABLE):
        values["mistral_api_key"] = key
    return values


def _headers(setting: str, lines: str) -> dict[str, str]:
    """`Name: value` lines, as curl takes them."""
    pairs = [line.partition(":") for line in lines.splitlines() if line.strip()]
    if any(not (name.strip() and colon) for name, colon, _ in pairs):
        raise InvalidSettings(f"{_variable(setting)} holds a line that is not `Name: value`")
    return {name.strip(): value.strip() for name, _, value in pairs}


def _unknown(names: list[str]) -> str:
    lines = []
    for name in names:
        near = difflib.get_close_matches(name, Settings.__struct_fields__, n=1)
        hint = f" (did you mean {_variable(near[0])}?)" if near else ""
        lines.append(f"unknown setting {PREFIX}{name.upper()}{hint}")
    valid = ", ".join(map(_variable, Settings.__struct_fields__))
    return "; ".join(lines) + f". Valid settings: {FILE_VARIABLE}, {valid}"


def _variable(setting: str) -> str:
    """How it is called in the environment."""
    return KEY_VARIABLE if setting == "mistral_api_key" else PREFIX + setting.upper()


def _named(role: Role, what: str) -> str:
    """The variable of what a role has of its own."""
    return _variable(f"{'chat' if role == 'answer' else role}_{what}")


# --- what cannot be ------------------------------------------------------------------------------


def _check(settings: Settings) -> None:
    if not is_loopback(settings.host):
        raise InvalidSettings(
            f"RAG_HOST={settings.host} would open the service to the network, and it has no keys"
            " yet: bind 127.0.0.1 and put a proxy that authenticates in front of it"
        )
    rules_of(settings.fetch_allow, settings.fetch_ports)
    if settings.webhook_secret is not None:
        secret_of(settings.webhook_secret)
    if settings.webhook_url is not None:
        if settings.webhook_secret is None:
            raise InvalidSettings(
                "RAG_WEBHOOK_URL needs RAG_WEBHOOK_SECRET: what is sent is signed"
            )
        _check_address(settings.webhook_url)
    for name in AMOUNTS:
        amount: Decimal | None = getattr(settings, name)
        if amount is not None and not (amount.is_finite() and amount >= 0):
            raise InvalidSettings(f"{_variable(name)} is {amount}, and must be USD, 0 or more")
    if (settings.chat_input_price is None) != (settings.chat_output_price is None):
        raise InvalidSettings("RAG_CHAT_INPUT_PRICE and RAG_CHAT_OUTPUT_PRICE go together")
    for role in ROLES:
        _check_host(settings, role)


def _check_host(settings: Settings, role: Role) -> None:
    host = settings.host_of(role)
    is_elsewhere = host.dialect == "openai"
    if is_elsewhere:
        _check_elsewhere(settings, role)
    elif role != "ocr":
        _check_nowhere(settings, role)
    if not is_elsewhere and settings.provider_of(role) == "mistral" and not host.api_key:
        raise InvalidSettings(f"a role is given to Mistral, but {KEY_VARIABLE} is not set")
    host.check(_named(role, "base_url") if is_elsewhere else "RAG_MISTRAL_BASE_URL")


def _check_elsewhere(settings: Settings, role: Role) -> None:
    """A host that is not Mistral's is told nothing by accident, and nothing of it is guessed."""
    where = _named(role, "base_url")
    host = settings.host_of(role)
    is_chat = role == "answer"
    key = settings.chat_api_key if is_chat else settings.embedding_api_key
    if key is None and not host.headers:
        name = _named(role, "api_key")
        raise InvalidSettings(
            f"{where} names another host than Mistral's, which must not get Mistral's key: set"
            f" {name} to the key of {host.name}, or to nothing ({name}=) where it wants none; a"
            f" key that it wants in a header (Azure: `api-key: KEY`) goes into"
            f" {_named(role, 'headers')}"
        )
    needed = ["model"] if is_chat else ["model", "max_tokens"]
    if not is_chat and "@" not in (settings.embedding_model or "")[1:]:
        needed.append("dimension")
    role_name = "chat" if is_chat else "embedding"
    missing = [n for n in needed if getattr(settings, f"{role_name}_{n}") is None]
    if missing:
        names = " and ".join(_named(role, name) for name in missing)
        raise InvalidSettings(f"{where} names a host whose models are not known here: set {names}")


def _check_address(url: str) -> None:
    try:
        parse_address(url)
    except AddressRefused as error:
        raise InvalidSettings(f"RAG_WEBHOOK_URL: {error}") from error


def _check_nowhere(settings: Settings, role: Role) -> None:
    """What is said of another host, where there is none."""
    of_host = ["chat_model"] if role == "answer" else list(OF_EMBEDDINGS_ELSEWHERE)
    of_folder = OF_A_FOLDER if settings.sentence_model is not None else ()
    for name in of_host:
        if getattr(settings, name) is not None and name not in of_folder:
            where = _named(role, "base_url")
            instead = f"; Mistral's is RAG_MISTRAL_{name.upper()}" if "model" in name else ""
            raise InvalidSettings(f"{_variable(name)} is of the host that {where} names{instead}")
