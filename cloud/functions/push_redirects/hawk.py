"""Hawk, the signature that SRAPS and GRAPE ask for (github.com/mozilla/hawk: header and payload of version 1)."""

import base64
import hashlib
import hmac
from urllib.parse import urlsplit


def authorization(
    method: str, url: str, body: bytes | None, content_type: str, *, key_id: str, key: str, timestamp: int, nonce: str
) -> str:
    """The Authorization header of one request.

    Args:
        timestamp: seconds since 1970 UTC.
        nonce: another one for each request.
    """
    parts = urlsplit(url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    resource = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    digest = payload_hash(body or b"", content_type if body else "")
    lines = (
        "hawk.1.header",
        str(timestamp),
        nonce,
        method.upper(),
        resource,
        (parts.hostname or "").lower(),
        str(port),
        digest,
        "",
    )
    signed = "".join(f"{line}\n" for line in lines)
    mac = base64.b64encode(hmac.digest(key.encode(), signed.encode(), hashlib.sha256)).decode()
    return f'Hawk id="{key_id}", ts="{timestamp}", nonce="{nonce}", hash="{digest}", mac="{mac}"'


def payload_hash(body: bytes, content_type: str) -> str:
    """What is signed of a body."""
    plain = content_type.partition(";")[0].strip().lower().encode()
    return base64.b64encode(hashlib.sha256(b"hawk.1.payload\n" + plain + b"\n" + body + b"\n").digest()).decode()
