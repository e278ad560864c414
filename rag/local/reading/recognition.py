"""The child process that recognizes: `python -m rag.local.reading.recognition MEMORY ENGINE`.

It is given pixels that the parser decoded, never a file of strangers, so the engines may have
the memory their models need.
"""

import sys

import msgspec
import numpy as np
from msgspec import Struct

from rag.local.ocr.engine import ocr_engine
from rag.local.reading.child import pipes, serve
from rag.local.reading.confinement import confine
from rag.local.reading.frames import Bitmap, Recognized


def main() -> None:
    stdin, stdout = pipes()
    confine(memory=int(sys.argv[1]), writes_files=True)
    engine = ocr_engine(sys.argv[2])

    def answer(payload: bytes) -> Struct:
        bitmap = msgspec.msgpack.decode(payload, type=Bitmap)
        image = np.frombuffer(bitmap.rgb, np.uint8).reshape(bitmap.height, bitmap.width, 3)
        return Recognized(engine.read(image), engine.name)

    serve(answer, stdin, stdout)


if __name__ == "__main__":
    main()
