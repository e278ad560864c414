"""Which library this is: files derived from another are told apart by it."""

import secrets


def new_library_id() -> str:
    return f"lib_{secrets.token_hex(12)}"
