"""The body of an Outlook message as compressed RTF (MS-OXRTFCP) -> its text."""

import struct

from rag.local.reading.markup.rtf import rtf_readout

COMPRESSED, PLAIN = b"LZFu", b"MELA"
WINDOW = 4096  # bytes
LARGEST = 64 * 1024 * 1024  # bytes; a reference of two bytes gives at most 17
PRIMER = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript "
    rb"\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0" + b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
"""What the window holds before the first byte: MS-OXRTFCP 2.1.2.1."""


def unpack_rtf(packed: bytes) -> str:
    if len(packed) < 16:
        return ""
    size, kind = struct.unpack_from("<I4s", packed, 4)
    raw = packed[16 : 16 + size] if kind == PLAIN else _decompressed(packed, min(size, LARGEST))
    return rtf_readout(raw).text if raw.startswith(b"{\\rtf") else ""


def _decompressed(packed: bytes, size: int) -> bytes:
    """Bytes as they are, or references to what was said before, as eight flags at a time say."""
    said = bytearray(PRIMER)
    at = 16
    while at < len(packed) and len(said) < size + len(PRIMER):
        flags, at = packed[at], at + 1
        for bit in range(8):
            if not flags >> bit & 1:
                said += packed[at : at + 1]
                at += 1
                continue
            offset, length = divmod(int.from_bytes(packed[at : at + 2], "big"), 16)
            at += 2
            back = (len(said) - offset) % WINDOW
            if not back or at > len(packed):  # a reference to itself is the end
                return bytes(said[len(PRIMER) :])
            for _ in range(length + 2):
                said.append(said[-back] if back <= len(said) else ord(" "))
    return bytes(said[len(PRIMER) :])
