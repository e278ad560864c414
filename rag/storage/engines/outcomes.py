"""What became of a transaction whose COMMIT was sent and never answered.

The connection was cut between the two. Guessing would either lose a document that was acknowledged
or do a thing twice; the server knows, and is asked under the transaction's own number.
"""

import time

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from rag.errors import RagError

PATIENCE = 30.0  # seconds: a server that restarts recovers first
GRACE = 2.0  # seconds in which a commit under way may end by itself
PAUSE = 0.1  # seconds between two questions

_STATUS = text("SELECT pg_xact_status(CAST(:transaction AS xid8))")
_END = text(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE backend_xid = CAST(CAST(:transaction AS xid8) AS xid) AND pid <> pg_backend_pid()"
)


def was_committed(engine: Engine, transaction: str) -> bool:
    """
    Args:
        transaction: its number, asked for before the COMMIT.

    Raises:
        RagError: the server does not come back, or has forgotten the transaction.
    """
    began = time.monotonic()
    while time.monotonic() < began + PATIENCE:
        try:
            with engine.connect() as connection:
                status = _status(connection, transaction, end=time.monotonic() > began + GRACE)
        except SQLAlchemyError:  # it is not back yet
            status = "in progress"
        if status != "in progress":
            return _is_commit(status)
        time.sleep(PAUSE)
    raise RagError(
        "the database's connection was cut while it committed, and the server has not come back to "
        "say whether it did; look before you repeat the request"
    )


def _status(connection: Connection, transaction: str, *, end: bool) -> str | None:
    """
    Args:
        end: the session that has not ended yet is ended: its client is gone.
    """
    key = {"transaction": transaction}
    if end:
        connection.execute(_END, key)
    status: str | None = connection.scalar(_STATUS, key)
    return status


def _is_commit(status: str | None) -> bool:
    if status is None:
        raise RagError("the database no longer knows what became of a transaction")
    return status == "committed"
