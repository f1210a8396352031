"""What the files of a phone say about its firmware while it is told of it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ToldFirmware:
    """One firmware, as a phone's file names it.

    Args:
        folder: where the edge serves its files for this phone, without slashes around it.
        file_name: the first of them.
        version: what the phone will say that it runs.
    """

    folder: str
    file_name: str
    version: str
