"""Large files that the snapshot names by their digest; the edge fetches them by themselves, beside the snapshot."""

from typing import Annotated, Final

from pydantic import Field

from contract.values import Digest, Frozen

MAX_BLOB_BYTES: Final = 512 * 1024 * 1024
"""Of one blob."""


class Blob(Frozen):
    """One file of the manifest."""

    digest: Digest
    """SHA-256 of its bytes: its name."""
    size_bytes: Annotated[int, Field(ge=1, le=MAX_BLOB_BYTES)]
    needed: bool = False
    """True: the snapshot does not run before the file is on the edge's disk. Firmware is not needed: a slow line must
    not hold up a change."""
