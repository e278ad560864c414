"""Who has an item at the moment."""

import time

from sqlalchemy import ColumnElement, or_

from rag.storage.tables import ItemRow


def is_free() -> ColumnElement[bool]:
    """Nobody has the item now."""
    return or_(ItemRow.lease_until.is_(None), ItemRow.lease_until < time.time())
