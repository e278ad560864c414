"""What the fake counts by, and numbers that look measured and are the same each time."""

import zlib

BYTES_PER_TOKEN = 3


def tokens(text: str) -> int:
    """Between the prose and the bytes."""
    return 2 + -(-len(text.encode()) // BYTES_PER_TOKEN)


def spread(seed: str, low: float, high: float) -> float:
    return round(low + (high - low) * (zlib.crc32(seed.encode()) % 1_000) / 1_000, 4)
