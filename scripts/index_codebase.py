#!/usr/bin/env python3
"""Indexes repositories of code: `rag code index` under another name.

    python scripts/index_codebase.py PATH... [--ref R] [--name N] [--words-only] [--json]

Git work trees, bare repositories and plain folders; `--help` says all.
"""

import sys

from rag.cli.commands import main

if __name__ == "__main__":
    sys.argv[:] = ["rag", "code", "index", *sys.argv[1:]]
    main()
