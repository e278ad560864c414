"""`rag doctor`: is everything here that the service needs, and if not, what to do."""

import asyncio
import os
import platform
import shutil
import sqlite3
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import click
import faiss
import msgspec
import numpy as np
from msgspec import Struct
from rich.text import Text

from rag.cli import show
from rag.cli.door import open_door
from rag.errors import RagError
from rag.local.ocr.engine import ocr_engine
from rag.local.reading.confinement import check_seclusion
from rag.local.reading.seclusion import NotSecluded
from rag.mistral.client import MistralClient
from rag.mistral.examination import examine as examine_account
from rag.mistral.hosts import Host
from rag.providers import accounts, model_of
from rag.sentence_models import load_sentence_model
from rag.settings import Role, Settings, load_settings
from rag.storage.ownership import owner

AMPLE = 2
"""Times the least that must be free: with less, a large ingest is likely to be stopped."""


class Check(Struct, frozen=True):
    """One thing looked at."""

    name: str
    ok: bool
    detail: str


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def command(as_json: bool) -> None:
    """Check settings, library, models and engines.

    Exit code 0: all is well; 1: something is not, and what to do is said.
    """
    checks = asyncio.run(examine(load_settings(os.environ)))
    if as_json:
        click.echo(msgspec.json.encode(checks).decode())
    else:
        for check in checks:
            line = Text("ok   " if check.ok else "FAIL ", style="green" if check.ok else "red")
            line.append(f"{check.name:10s} ", style="bold")
            line.append(check.detail, style="default")
            show.results.print(line)
    sys.exit(0 if all(check.ok for check in checks) else 1)


async def examine(settings: Settings) -> list[Check]:
    checks = [
        await _checked(name, examined, settings)
        for name, examined in {
            "platform": _platform,
            "disk": _disk,
            "model": _model,
            "ocr": _ocr,
            "parsers": _parsers,
            "library": _library,
        }.items()
    ]
    for host, roles in accounts(settings).items():
        checks += await _host(settings, host, roles)
    return checks


async def _checked(
    name: str, examined: Callable[[Settings], Awaitable[str]], settings: Settings
) -> Check:
    try:
        return Check(name, True, await examined(settings))
    except RagError as error:
        return Check(name, False, str(error))


async def _platform(settings: Settings) -> str:
    return (
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version},"
        f" FAISS {faiss.__version__}, {os.cpu_count()} cores"
    )


async def _disk(settings: Settings) -> str:
    folder = _folder(settings)
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    free = shutil.disk_usage(existing).free
    if free < AMPLE * settings.min_free_disk:
        raise RagError(
            f"only {free // 2**20} MB are free at {existing}; make room: below"
            f" {settings.min_free_disk // 2**20} MB (RAG_MIN_FREE_DISK) nothing is taken in"
        )
    return f"{free / 2**30:.1f} GB free at {existing}"


async def _model(settings: Settings) -> str:
    model = await asyncio.to_thread(load_sentence_model, settings)
    [same, other] = await model.embed(["a cat sat on the mat", "interest rates rose"], "passage")
    [near] = await model.embed(["the cat is sitting on a rug"], "query")
    if not float(np.dot(near, same)) > float(np.dot(near, other)):
        raise RagError(f"{model.model} finds unrelated sentences nearer than related ones")
    return f"{model.model}, {model.dimension} wide, up to {model.max_tokens} tokens"


async def _ocr(settings: Settings) -> str:
    engine = ocr_engine(settings.ocr)
    tesseract = shutil.which("tesseract") or "not on this machine"
    return f"{engine.name} ({engine.fingerprint}); tesseract: {tesseract}"


async def _parsers(settings: Settings) -> str:
    try:
        await asyncio.to_thread(check_seclusion)
    except NotSecluded as error:
        raise RagError(
            f"{error}: a file made to do harm could reach the network from its parser; run the"
            " service where it has no network of its own, or on Linux with seccomp"
        ) from error
    return "children without network, other processes and files to write"


async def _library(settings: Settings) -> str:
    folder = _folder(settings)
    address = owner(folder)
    if address is None and not folder.exists():
        return f"{folder} does not exist yet; `rag ingest` or `rag serve` makes it"
    async with open_door(settings) as door:
        health = await door.call("GET", "/health/ready")
    served = f"served at {address}" if address else "not being served"
    found = f"{folder}, {served}; {health['documents']} documents, {health['chunks']} chunks"
    told = [*health["degraded"], _scrubbed(health["last_scrub"])]
    return "; ".join([found, *told])


def _scrubbed(last: dict[str, Any] | None) -> str:
    if last is None:
        return "indexes never read again yet (a server does so every hour; `rag check` does it now)"
    flaws = f", {len(last['flaws'])} flaws, which were mended" if last["flaws"] else ", all well"
    return f"indexes last read again {last['at']}{flaws}"


async def _host(settings: Settings, host: Host, roles: Sequence[Role]) -> list[Check]:
    """
    Raises:
        InvalidSettings: the host has no such name or key, or a model is not known.
    """
    client = MistralClient(host, idle=settings.idle_timeout)
    try:
        findings = await examine_account(client, {r: model_of(settings, r) for r in roles})
    except RagError as error:
        return [Check(host.name, False, str(error))]
    finally:
        await client.close()
    return [Check(f"{host.name} {each.name}", each.ok, each.said) for each in findings]


def _folder(settings: Settings) -> Path:
    return Path(settings.data_dir).expanduser().resolve()
