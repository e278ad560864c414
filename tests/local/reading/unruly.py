"""A child process that does whatever its request says, good or bad."""

import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import msgspec
from msgspec import Struct

from rag.errors import EncryptedDocument
from rag.local.reading.child import pipes, serve
from rag.local.reading.confinement import NOT_SECLUDED, allow_cpu, confine
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
        case ["connect", port]:
            with socket.create_connection(("127.0.0.1", int(port)), timeout=2):
                return Rendered(b"connected")
        case ["start"]:
            return Rendered(subprocess.run(["/bin/true"], check=True).args[0].encode())
        case ["fork"]:
            return Rendered(str(os.fork()).encode())
        case ["thread"]:
            thread = threading.Thread(target=time.sleep, args=(0,))
            thread.start()
            thread.join()
            return Rendered(b"ran")
        case ["signal", process]:
            os.kill(int(process), 0)
            return Rendered(b"sent")
        case ["remove", path]:
            Path(path).unlink()
            return Rendered(b"removed")
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
    if sys.argv[1:] == ["not secluded"]:
        print(f"{NOT_SECLUDED}: this kernel is old", file=sys.stderr, flush=True)
    confine(memory=512 * 1024 * 1024, writes_files=sys.argv[1:] == ["engine"])
    serve(answer, stdin, stdout)
