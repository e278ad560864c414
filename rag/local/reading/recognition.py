"""The child process that recognizes: `python -m rag.local.reading.recognition ENGINE MEMORY`.

It is given pixels that the parser decoded, never a file of strangers, so the engines may have
the memory their models need. Without MEMORY it prints the engine's fingerprint and ends.
"""

import sys

import msgspec
import numpy as np
from msgspec import Struct

from rag.errors import RagError
from rag.local.ocr.engine import OcrEngine, ocr_engine
from rag.local.reading.child import pipes, serve
from rag.local.reading.confinement import confine
from rag.local.reading.frames import Bitmap, Failed, Recognized


def main() -> None:
    if len(sys.argv) == 2:
        engine = _engine(sys.argv[1])
        sys.exit(engine.message) if isinstance(engine, Failed) else print(engine.fingerprint)
        return
    stdin, stdout = pipes()
    confine(memory=int(sys.argv[2]), writes_files=True)
    engine = _engine(sys.argv[1])

    def answer(payload: bytes) -> Struct:
        if isinstance(engine, Failed):
            return engine
        bitmap = msgspec.msgpack.decode(payload, type=Bitmap)
        image = np.frombuffer(bitmap.rgb, np.uint8).reshape(bitmap.height, bitmap.width, 3)
        return Recognized(engine.read(image), engine.name)

    serve(answer, stdin, stdout)


def _engine(choice: str) -> OcrEngine | Failed:
    """Why there is no engine is an answer, too: to whoever sends a page."""
    try:
        return ocr_engine(choice)
    except RagError as error:
        return Failed(error.code, str(error))


if __name__ == "__main__":
    main()
