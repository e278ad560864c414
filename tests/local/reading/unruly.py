"""A child process that does whatever its request says, good or bad."""

import os
import time
from pathlib import Path

import msgspec
from msgspec import Struct

from rag.errors import EncryptedDocument
from rag.local.reading.child import pipes, serve
from rag.local.reading.confinement import allow_cpu, confine
from rag.local.reading.frames import Rendered


def answer(payload: bytes) -> Struct:
    """`Rendered` carries what was asked for, as the simplest of replies."""
    match msgspec.msgpack.decode(payload, type=Rendered).png.decode().split():
        case ["echo", word]:
            return Rendered(word.encode())
        case ["pid"]:
            return Rendered(str(os.getpid()).encode())
        case ["environment"]:
            return Rendered(" ".join(os.environ).encode())
        case ["hang"]:
            time.sleep(60)
        case ["spin"]:
            allow_cpu(-4)
            while True:
                pass
        case ["die"]:
            os.abort()
        case ["grow"]:
            return Rendered(bytes(1024**3))
        case ["write", path]:
            with Path(path).open("w") as file:
                file.write("x")
        case ["print"]:
            print("not a frame")
            return Rendered(b"printed")
        case ["chatter"]:
            print("word " * 1_000_000)
            return Rendered(b"done")
        case ["encrypted"]:
            raise EncryptedDocument("a password is needed")
        case ["secret", word]:
            raise KeyError(word)
    return Rendered(b"unknown")


if __name__ == "__main__":
    stdin, stdout = pipes()
    confine(memory=512 * 1024 * 1024, writes_files=False)
    serve(answer, stdin, stdout)
