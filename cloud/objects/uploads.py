"""Where a client may bring one object by itself, past the API: bytes of firmware go through no request of the API."""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, Protocol
from uuid import UUID

from cloud.clock import Clock
from contract.values import Digest

UPLOAD_TIME: Final = timedelta(hours=1)
"""How long a place is good for."""
TICKET_HEADER: Final = "X-Tandem-Upload"


@dataclass(frozen=True, slots=True)
class UploadPlace:
    """A PUT that a client may make, once and soon.

    Args:
        url: where.
        headers: to be sent with it; what lets the client in is among them, and is to be told to nobody else.
        expires_at: until when.
    """

    url: str
    headers: Mapping[str, str]
    expires_at: datetime


class UploadPlaces(Protocol):
    """Gives clients places to bring an object to."""

    def place(self, tenant_id: UUID, digest: Digest, size_bytes: int) -> UploadPlace:
        """A place for one object of one tenant, of exactly this digest and size."""
        ...


class SignedPlaces:
    """Places at the API's own address, let in by a ticket: what one machine has in the place of S3's presigned URLs.

    The ticket is a header and no part of the URL, since URLs are logged.

    Args:
        base_url: where the API is reached, such as `http://localhost:8080`.
        key: at least 32 secret bytes.
        clock: by which places lapse.
    """

    def __init__(self, base_url: str, key: bytes, clock: Clock) -> None:
        self._base_url = base_url
        self._key = hmac.digest(key, b"tandem-upload-place", sha256)
        self._clock = clock

    def place(self, tenant_id: UUID, digest: Digest, size_bytes: int) -> UploadPlace:
        """See `UploadPlaces`."""
        end = (self._clock.now() + UPLOAD_TIME).replace(microsecond=0)
        until = int(end.timestamp())
        ticket = f"{until}.{self._signature(tenant_id, digest, size_bytes, until)}"
        return UploadPlace(f"{self._base_url}{path_of(tenant_id, digest)}", {TICKET_HEADER: ticket}, end)

    def admits(self, tenant_id: UUID, digest: Digest, size_bytes: int, ticket: str) -> bool:
        """Whether a client with this ticket may bring such an object now."""
        until, _, signature = ticket.partition(".")
        if not until.isascii() or not until.isdigit() or len(until) > 12 or int(until) < self._clock.now().timestamp():
            return False
        wanted = self._signature(tenant_id, digest, size_bytes, int(until))
        return hmac.compare_digest(wanted.encode(), signature.encode("utf-8", "replace"))

    def _signature(self, tenant_id: UUID, digest: Digest, size_bytes: int, until: int) -> str:
        text = f"{tenant_id}/{digest}/{size_bytes}/{until}"
        return base64.urlsafe_b64encode(hmac.digest(self._key, text.encode(), sha256)).decode().rstrip("=")


def path_of(tenant_id: UUID, digest: Digest) -> str:
    """The path of an object's place at the API."""
    return f"/objects/{tenant_id}/{digest}"
