"""`python -m rag`."""

from rag.cli.commands import main

main()
