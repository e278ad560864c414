"""Which repository a command means, and embedding it step by step."""

from pathlib import Path
from typing import Any

from rag.cli import show
from rag.cli.door import Door, Refused
from rag.errors import RagError

EVERY = "-"  # what the API calls all repositories
STEP = 20.0  # seconds of embedding for which one answer is waited for
UNAVAILABLE = 503


async def repository_meant(repo: str | None, door: Door) -> str:
    """The id of the repository that is meant: the one around where we are, or all."""
    if repo is not None:
        return await repository_id(repo, door)
    here = Path.cwd().resolve()
    around = [each for each in await _known(door) if here.is_relative_to(each["location"])]
    return max(around, key=lambda each: len(each["location"]))["id"] if around else EVERY


async def repository_id(repo: str, door: Door) -> str:
    """Of a repository by its name, id or path.

    Raises:
        RagError: it is not indexed; with the names there are.
    """
    return str((await wanted_repository(repo, door))["id"])


async def wanted_repository(repo: str, door: Door) -> dict[str, Any]:
    """By its name, id or path.

    Raises:
        RagError: it is not indexed; with the names there are.
    """
    place = str(Path(repo).resolve())
    known = await _known(door)
    for each in known:
        if repo in (each["name"], each["id"], each["location"]) or place == each["location"]:
            return each
    names = ", ".join(each["name"] for each in known) or "none"
    raise RagError(f"no repository {repo!r} is indexed; there are: {names}")


async def _known(door: Door) -> list[dict[str, Any]]:
    return [each async for each in door.listing("/v1/repositories")]


async def embed_all(snapshot: dict[str, Any], door: Door) -> dict[str, Any] | None:
    """In steps, so that no single answer takes minutes; None where there is no model."""
    path = f"/v1/repositories/{snapshot['repository']}/embed"
    bought = 0
    while True:
        try:
            step = await door.call("POST", path, json={"seconds": STEP, "ref": snapshot["ref"]})
        except Refused as refused:
            if refused.status != UNAVAILABLE:
                raise
            show.aside.print(f"by words alone: {refused}", style="yellow")
            return None
        bought += step["bought"]
        show.aside.print(f"  {bought:,} texts embedded, {step['pending']:,} chunks to come")
        if not step["pending"]:
            return {**step, "bought": bought}
