"""Who is told when two calls of trunks are joined, of which the proxy then sees nothing any more."""

from typing import Protocol

from edge_agent.sip.dialog import DialogKey


class Joins(Protocol):
    """Hears of it. A call is named by the dialog that it has inside, as the trunks' user agent knows it."""

    def joined(self, kept: DialogKey, other: DialogKey) -> None:
        """The outer ends of two calls talk to each other from here on; told before the dialogs inside end.

        Args:
            kept: of the call whose inner end asked for it; names both from here on.
            other: of the call that it was joined with.
        """
        ...

    def not_joined(self, kept: DialogKey, other: DialogKey) -> None:
        """They do not: one of the outer ends refused. Both calls go on as they were."""
        ...

    def parted(self, kept: DialogKey, by_other: bool) -> None:
        """They are over, ended by the outer end of the first one, or of the other."""
        ...


class Unheard:
    """`Joins` that nobody hears."""

    def joined(self, kept: DialogKey, other: DialogKey) -> None:
        """See `Joins`."""

    def not_joined(self, kept: DialogKey, other: DialogKey) -> None:
        """See `Joins`."""

    def parted(self, kept: DialogKey, by_other: bool) -> None:
        """See `Joins`."""
