"""Signatures of messages, as Standard Webhooks has them: an HMAC-SHA256 of id, time and body.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping

from rag.errors import InvalidSettings

MARK = "whsec_"  # before every secret, so that one is known for what it is
FEWEST, MOST = 16, 64  # bytes of a secret


def signed(id: str, at: int, body: bytes, secret: bytes) -> dict[str, str]:
    """The headers of a message.

    Args:
        at: Unix time of the attempt, in seconds.
    """
    code = hmac.digest(secret, f"{id}.{at}.".encode() + body, hashlib.sha256)
    return {
        "content-type": "application/json",
        "webhook-id": id,
        "webhook-timestamp": str(at),
        "webhook-signature": "v1," + base64.b64encode(code).decode(),
    }


def secret_of(written: str) -> bytes:
    """
    Raises:
        InvalidSettings: it is not `whsec_` and 16 to 64 bytes in base64.
    """
    try:
        secret = base64.b64decode(written.removeprefix(MARK), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if not written.startswith(MARK) or not FEWEST <= len(secret) <= MOST:
        raise InvalidSettings(
            f"RAG_WEBHOOK_SECRET is `{MARK}` and {FEWEST} to {MOST} random bytes in"
            " base64; `openssl rand -base64 32` makes some"
        )
    return secret


def is_of_forge(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Whether a message about a push comes from who knows the secret: GitHub, Gitea and Forgejo
    sign the body with it, GitLab sends it along.

    Args:
        headers: by their names in lower case.
    """
    code = hmac.digest(secret.encode(), body, hashlib.sha256).hex()
    proofs = {
        "x-hub-signature-256": f"sha256={code}",
        "x-gitea-signature": code,
        "x-gitlab-token": secret,
    }
    return any(
        hmac.compare_digest(headers.get(name, "").encode(), proof.encode())
        for name, proof in proofs.items()
    )
