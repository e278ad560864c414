#!/usr/bin/env python3
"""Reads many files into a collection: `rag ingest` under another name.

    python scripts/bulk_ingest.py PATH... [--manifest FILE] [--include P] [--exclude P] [--prune]
        [--dry-run] [--watch] [--collection C] [--report FILE] [--json]

Folders, files, quoted globs, and `-` for a list on standard input; `--help` says all. Exit code 0:
every file is in the collection; 1: some are not, and why is said; 2: nothing could be done.
"""

import sys

from rag.cli.commands import main

if __name__ == "__main__":
    sys.argv[:] = ["rag", "ingest", *sys.argv[1:]]
    main()
