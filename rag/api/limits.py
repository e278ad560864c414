"""How much, how long and how many: what one caller may ask of the server."""

from msgspec import Struct

MIB = 1024 * 1024


class Limits(Struct, frozen=True):
    upload_bytes: int = 200 * MIB
    """Body of a request that brings documents."""
    json_bytes: int = 1 * MIB
    """Body of any other request: the longest question with the largest filter is 50 kB."""
    uploads: int = 8
    """Requests with documents received at the same time; each may occupy `upload_bytes`."""
    fetches: int = 4
    """Pages fetched from the web at the same time; each may occupy `RAG_FETCH_BYTES`."""
    body_seconds: float = 60.0
    """For a body to arrive whole, plus the time its bytes take at `body_rate`."""
    body_rate: int = 64 * 1024
    """Bytes per second of the slowest honest sender: half a megabit."""
    head_seconds: float = 10.0
    """From a connection's first moment, or a request's first byte, to the end of its headers."""
    head_bytes: int = 64 * 1024
    """Request line and headers together; browsers with large cookies stay below 16 kB."""
    idle_seconds: int = 5
    """Between two requests of one connection, and for the rest of a body nobody will read."""
    stall_seconds: float = 60.0
    """That a client may leave a response unread before its connection is cut."""
    connections: int = 256
    """At the same time. Well below the 1,024 open files many systems allow a process."""
