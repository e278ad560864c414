"""Archives among the files that are handed in."""

import zipfile
from pathlib import Path

from tests.cli.serving import Commands, written

FOX = "# Fox\n\nThe fox hunts at night.\n"
OWL = "# Owl\n\nThe owl sees in the dark.\n"


def pack(path: Path, **texts: str) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in texts.items():
            archive.writestr(name.replace("__", "/").replace("_", "."), text)


def test_the_files_of_an_archive_are_told_of_one_by_one_and_pruned_with_it(
    rag: Commands, collection: str, tmp_path: Path
) -> None:
    docs = written(tmp_path / "docs", fox_md=FOX)
    pack(docs / "old.zip", owl_md=OWL, deep__hare_md="# Hare\n\nIt runs.\n", blob_exe="\0\1\2")
    first = rag("ingest", docs, "-C", collection, "--report", rag.report)
    lines = rag.lines()
    again = rag("ingest", docs, "-C", collection, "--prune", "--yes")
    pack(docs / "old.zip", owl_md=OWL)
    rag("ingest", docs, "-C", collection, "--prune", "--yes", "--report", rag.report)
    changed = rag.lines()
    (docs / "old.zip").unlink()
    rag("ingest", docs, "-C", collection, "--prune", "--yes", "--report", rag.report)

    assert {key: line["state"] for key, line in lines.items()} == {
        "fox.md": "indexed",
        "old.zip": "indexed",
        "old.zip!/owl.md": "indexed",
        "old.zip!/deep/hare.md": "indexed",
        "old.zip!/blob.exe": "refused",
    }
    assert first.code == 1
    assert "files 5" in first.said
    assert again.code == 0
    assert "unchanged 2" in again.said
    assert changed["old.zip!/owl.md"]["state"] == "unchanged"
    assert "old.zip!/deep/hare.md" not in changed
    assert {key: line["state"] for key, line in rag.lines().items()} == {
        "fox.md": "unchanged",
        "old.zip": "removed",
        "old.zip!/owl.md": "removed",
    }
