"""`rag code`: repositories of code, indexed and searched."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click
import msgspec
from rich.syntax import Syntax
from rich.text import Text

from rag.cli import codeeval, codehook, codelist, codeplan, codewatch, show
from rag.cli.door import Door, run
from rag.cli.questions import Asked, answer_each, one_or_many, queries_option
from rag.cli.repositories import embed_all, repository_meant

LINES_SHOWN = 12  # of a hit


@click.group("code")
def command() -> None:
    """Repositories of code: git work trees, bare repositories, plain folders."""


@command.command("index")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("--ref", help="A branch, tag or commit; by default, the files as they lie there.")
@click.option("--name", help="What to call it; by default, its folder's name.")
@click.option("--words-only", is_flag=True, help="Do not embed: search by words alone.")
@click.option("--include", multiple=True, help="Search these too, though ignored; repeatable.")
@click.option("--exclude", multiple=True, help="Leave these out, like 'docs/**'; repeatable.")
@click.option("--wait", is_flag=True, help="Return when it can be searched by meaning too.")
@click.option("--watch", "watching", is_flag=True, help="Go on, and index what changes.")
@click.option("--dry-run", is_flag=True, help="Say what it would take and cost; keep nothing.")
@click.option("--json", "as_json", is_flag=True, help="A JSON line for each path.")
def index(
    paths: tuple[str, ...],
    ref: str | None,
    name: str | None,
    words_only: bool,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    wait: bool,
    watching: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Index the code at each PATH, or what has changed there since. A PATH may be the https
    address of a repository: its latest state is fetched, and again each time.

    What git ignores is left out. A content that was seen before, under whatever name, in whatever
    branch or clone, is not looked at again. --include and --exclude go before these rules, and
    are remembered; `--exclude ''` forgets them.

    A server embeds in the background, once the words can be searched. Where none runs it is done
    here and now; what is broken off goes on where it was.
    """
    if words_only and wait:
        raise click.UsageError("--wait is for vectors, and --words-only wants none")
    if name is not None and len(paths) > 1:
        raise click.UsageError("--name is for a single path")
    places = [_place(path) for path in paths]
    if dry_run:
        run(partial(codeplan.foresee, places, ref, as_json))
        return
    folders = [Path(place["path"]) for place in places if "path" in place]
    if watching and (ref is not None or len(folders) < len(places)):
        raise click.UsageError("--watch is for folders as they lie there")
    before = codewatch.looked(folders) if watching else {}
    body: dict[str, Any] = {"ref": ref, "name": name, "words_only": words_only}
    if include or exclude:
        body |= {"include": [*filter(None, include)], "exclude": [*filter(None, exclude)]}
    work = partial(run, partial(_index, places, body, wait, as_json))
    work()
    if watching:
        codewatch.watch_folders(folders, before, work)


def _place(path: str) -> dict[str, str]:
    """What the API calls it."""
    is_address = path.startswith(("https://", "http://"))
    return {"url": path} if is_address else {"path": str(Path(path).resolve())}


async def _index(
    places: list[dict[str, str]],
    body: dict[str, Any],
    wait: bool,
    as_json: bool,
    door: Door,
) -> None:
    for place in places:
        done = await door.call("POST", "/v1/repositories", json={**place, **body})
        if not as_json:
            show.aside.print(Text(_told(done)))
        if not body["words_only"] and (wait or door.address is None):
            done["embedded"] = await embed_all(done["snapshot"], door)
        elif done["snapshot"]["pending"]:
            count = f"{done['snapshot']['pending']:,}"
            later = "" if body["words_only"] else ": the server embeds them in the background"
            show.aside.print(f"  {count} chunks have no vectors{later}")
        if as_json:
            click.echo(msgspec.json.encode(done).decode())


def _told(done: dict[str, Any]) -> str:
    state = done["snapshot"]
    at = f" at {state['commit'][:12]}" if state["commit"] else ""
    dirty = ", with changes that are not committed" if state["dirty"] else ""
    lines = [
        f"{state['repository']}{at}{dirty}: {state['indexed']:,} of {state['seen']:,} files"
        f" searchable, {state['chunks']:,} chunks; {done['new_files']:,} contents were new"
    ]
    lines += [f"  left out, {why}: {count:,}" for why, count in done["left_out"].items()]
    return "\n".join(lines)


@command.command("search")
@click.argument("text", required=False, metavar="TEXT")
@click.option(
    "--repo", help="Name or path of a repository; by default, the one you are in, or all."
)
@click.option("-k", "k", type=click.IntRange(1, 100), default=10, show_default=True)
@click.option("--ref", help="One that was indexed; by default, the one indexed last.")
@click.option("--lang", "languages", multiple=True, help="Only this language; may be repeated.")
@click.option("--path", "patterns", multiple=True, help="Only paths like 'src/**'; repeatable.")
@click.option(
    "--mode",
    type=click.Choice(["hybrid", "dense", "words", "exact", "regex"]),
    default="hybrid",
    show_default=True,
    help="By meaning and words, by one of them; as it stands; as a regular expression.",
)
@click.option(
    "--group-by",
    type=click.Choice(["file", "span"]),
    default="file",
    show_default=True,
    help="Each file once, or each span for itself.",
)
@click.option(
    "--max-tokens",
    type=click.IntRange(50, 200_000),
    help="Whole functions and classes, as many as fit; by default, the lines that were found.",
)
@queries_option
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def search(
    text: str | None,
    repo: str | None,
    k: int,
    ref: str | None,
    languages: tuple[str, ...],
    patterns: tuple[str, ...],
    mode: str,
    group_by: str,
    max_tokens: int | None,
    queries: Path | None,
    as_json: bool,
) -> None:
    """The code that TEXT is about, best first: words, a name, an error, a stack trace, an issue.

    What is "in quotation marks" is also looked for as it stands, and /in slashes/ is a regular
    expression.
    """
    asked = one_or_many(text, queries)
    body = {
        "k": k,
        "ref": ref,
        "mode": mode,
        "group_by": group_by,
        "languages": languages,
        "paths": patterns,
        "max_tokens": max_tokens,
    }
    run(partial(_search, asked, repo, body, as_json or queries is not None))


async def _search(
    asked: Sequence[Asked], repo: str | None, body: dict[str, Any], as_json: bool, door: Door
) -> None:
    wanted = await repository_meant(repo, door)

    async def one(question: Asked) -> dict[str, Any]:
        found: dict[str, Any] = await door.call(
            "POST", f"/v1/repositories/{wanted}/search", json={"query": question.text, **body}
        )
        return found

    few = None if body["max_tokens"] else LINES_SHOWN
    await answer_each(asked, one, as_json, partial(_show_hits, few=few))


def _show_hits(result: dict[str, Any], few: int | None = LINES_SHOWN) -> None:
    for hit in result["hits"]:
        place = f"{hit['path']}:{hit['start_line']}-{hit['end_line']}"
        show.results.print(Text.assemble((place, "bold"), "  ", (hit["symbol"], "cyan")))
        lines = hit["text"].split("\n")[:few]
        for first, last in hit["shown"]:
            run, lines = lines[: last - first + 1], lines[last - first + 1 :]
            show.results.print(
                Syntax(
                    "\n".join(run),
                    hit["language"],
                    line_numbers=True,
                    start_line=first,
                    background_color="default",
                )
            )
    if not result["hits"]:
        show.results.print("Nothing found.")
    if result["unread"]:
        show.aside.print(
            f"{result['unread']:,} files that may match were not looked through: ask for more"
            " of what you look for, or narrow it with --path or --lang.",
            style="yellow",
        )


@command.command("symbols")
@click.argument("name", metavar="NAME")
@click.option("--repo", help="By name or path; by default, the one you are in.")
@click.option("--ref", help="One that was indexed; by default, the one indexed last.")
@click.option("-k", "k", type=click.IntRange(1, 1_000), default=20, show_default=True)
@click.option("--references", is_flag=True, help="Also the lines that use it.")
@click.option("--json", "as_json", is_flag=True, help="JSON on standard output.")
def symbols(
    name: str, repo: str | None, ref: str | None, k: int, references: bool, as_json: bool
) -> None:
    """Where NAME is defined; `Class.method` and `parse_url` for `parseUrl` work too."""
    asked: dict[str, str | int] = {"name": name, "k": k}
    if ref is not None:
        asked["ref"] = ref
    run(partial(_symbols, repo, asked, references, as_json))


async def _symbols(
    repo: str | None, asked: dict[str, str | int], references: bool, as_json: bool, door: Door
) -> None:
    wanted = await repository_meant(repo or ".", door)
    found = await door.call("GET", f"/v1/repositories/{wanted}/symbols", params=asked)
    if as_json:
        click.echo(msgspec.json.encode(found).decode())
        return
    for each in found["definitions"]:
        place = f"{each['path']}:{each['start_line']}"
        show.results.print(
            Text.assemble((place, "bold"), f"  {each['kind']} ", (each["qualified"], "cyan"))
        )
    for each in found["references"] if references else ():
        show.results.print(Text(f"{each['path']}:{each['line']}  {each['text']}"))
    if not found["definitions"]:
        show.results.print("Nothing of that name is defined here.")


for each in (codelist, codeeval, codehook):
    command.add_command(each.command)
