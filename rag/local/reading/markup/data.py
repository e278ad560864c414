"""JSON -> text that can be cut between lines: as it is where it has lines, else set out."""

import json

from rag.errors import InvalidDocument
from rag.local.reading.plaintext import decode, whole
from rag.local.reading.readout import Readout
from rag.local.reading.task import Task

LONGEST_LINE = 500  # characters; a longer one was written for machines
INDENTATION = 1


def read_json(content: bytes, task: Task) -> Readout:
    """What is not JSON after all, or several JSONs one per line, is text all the same.

    Raises:
        InvalidDocument: it is nested too deeply.
    """
    text = decode(content)
    if max(map(len, text.split("\n"))) > LONGEST_LINE:
        text = _set_out(text)
    return Readout(text, whole(text))


def _set_out(text: str) -> str:
    try:
        return json.dumps(json.loads(text), ensure_ascii=False, indent=INDENTATION)
    except ValueError:
        return text
    except RecursionError:
        raise InvalidDocument("this JSON is nested too deeply to be read") from None
