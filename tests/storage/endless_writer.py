"""Publishes documents until it is killed, and prints each once it is acknowledged."""

import sys
from itertools import count
from pathlib import Path

import numpy as np

from rag.domain import Chunk, Document
from rag.storage.library import Library

library = Library.open(Path(sys.argv[1]), database_url=sys.argv[2] if len(sys.argv) > 2 else None)
collection = library.collections.find("notes")
start = collection.documents
vector = np.eye(1, 32, dtype=np.float32)
for number in count(start):
    word = f"word{number}x"
    text = f"the {word}"
    version = library.originals.put(text.encode())
    document = Document(f"d{number}", version, "text/plain", f"d{number}", text)
    library.documents.publish(collection, document, [Chunk(0, len(text), text, 1)], vector)
    print(f"d{number}", word, flush=True)
    if number % 5 == 4:
        library.chunks.search(collection, word, vector, k=1)
