"""The `rag` command. Its parts are imported only when they are called, so help comes at once."""

import importlib
import sys

import click

from rag import __version__
from rag.errors import RagError

PARTS = {
    "serve": ("rag.cli.serve", "Serve the REST API, and work on what was queued."),
    "worker": ("rag.cli.worker", "Work on what was queued, beside other processes."),
    "ingest": ("rag.cli.ingest", "Read files, folders and globs into a collection."),
    "crawl": ("rag.cli.crawl", "Read a website, or what its sitemap lists, into a collection."),
    "jobs": ("rag.cli.jobs", "What was handed in and what became of it; watch, cancel, retry."),
    "search": ("rag.cli.search", "The passages nearest to a question."),
    "ask": ("rag.cli.ask", "An answer with quotations that were found in the sources."),
    "show": ("rag.cli.document", "A document as it is kept: pages, blocks, headings, text."),
    "code": ("rag.cli.code", "Index repositories, and search their code."),
    "reindex": ("rag.cli.reindex", "Embed a collection anew: another model, other chunks."),
    "indexes": ("rag.cli.indexes", "The indexes of a collection; switch, go back, or drop one."),
    "eval": ("rag.cli.evaluate.command", "How good the search is, on judged questions."),
    "usage": ("rag.cli.usage", "What was spent on providers, and what the budgets leave."),
    "migrate": ("rag.cli.migrate", "Bring the library's database to this version's schema."),
    "check": ("rag.cli.check", "Compare all that is kept with itself; --repair mends it."),
    "backup": ("rag.cli.backup", "Write the library into one archive, while it is used."),
    "restore": ("rag.cli.restore", "Make a library of a backup."),
    "rebuild": ("rag.cli.rebuild", "Build derived indexes again, while answers go on."),
    "doctor": ("rag.cli.doctor", "Check settings, library, models and engines; say what is wrong."),
}

EXIT_UNUSABLE = 2
"""The command could not run at all: bad settings, a locked library, nothing to do it with."""


class Parts(click.Group):
    """Commands by name, each in a module of its own with a function `command`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(PARTS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in PARTS:
            return None
        command = importlib.import_module(PARTS[cmd_name][0]).command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in PARTS.items()])


@click.group(cls=Parts, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="rag")
def rag() -> None:
    """Cited answers from your own documents.

    The library is the folder `data` in the current directory unless RAG_DATA_DIR names another.
    While `rag serve` runs on it, the other commands speak to that server; otherwise they open it
    themselves. Results go to standard output, everything else to standard error.
    """


def main() -> None:
    """Runs the command; our own errors end it with their message and exit code 2."""
    try:
        rag(prog_name="rag")
    except RagError as error:
        click.secho(f"rag: {error}", fg="red", err=True)
        sys.exit(EXIT_UNUSABLE)
