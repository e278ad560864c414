"""A child process whose library is missing, after it has printed more than anyone wants to keep."""

import importlib
import sys

print("word\n" * 10_000, file=sys.stderr)
importlib.import_module("a_library_that_nobody_has")
