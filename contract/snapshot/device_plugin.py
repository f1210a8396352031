"""Device plug-ins of the tenant's own, carried to its sites with their configuration."""

import hashlib
from typing import Annotated, Self

from pydantic import Field, StringConstraints, model_validator

from contract.values import Digest, Frozen


class DevicePlugin(Frozen):
    """One plug-in's folder, packed."""

    vendor: Annotated[str, StringConstraints(pattern=r"^[0-9a-z_-]{1,32}$")]
    digest: Digest
    """SHA-256 of `content`."""
    content: Annotated[bytes, Field(max_length=262_144)]
    """A ZIP archive; `contract.devices.archive` reads it."""

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if hashlib.sha256(self.content).hexdigest() != self.digest:
            raise ValueError("digest: is not that of the content")
        return self
