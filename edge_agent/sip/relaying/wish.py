"""The wish of somebody in a call to have it recorded from now on, and to have that ended."""

from __future__ import annotations

from collections.abc import Callable

from edge_agent.sip.relaying.media import RelayedMedia
from edge_agent.sip.relaying.recording import MayNotRecord, NotRecordable, RecordingRules


class Wish:
    """What somebody in one relayed call wants, and what of it holds.

    Args:
        media: of the call, which its rule may have recorded already.
        rules: say who may want it.
        restate: to be called after any change.
    """

    __slots__ = ("_asked", "_media", "_restate", "_rules")

    def __init__(self, media: RelayedMedia, rules: RecordingRules, restate: Callable[[], None]) -> None:
        self._media, self._rules, self._restate = media, rules, restate
        self._asked = False

    def record(self, users: frozenset[str]) -> None:
        """Record from now on; nothing happens where it is recorded.

        Args:
            users: ids of those who may be who wants it.

        Raises:
            CallRefused: none of them may, or it cannot be.
        """
        if self._media.record is not None:
            return
        if not self._media.relayed:
            raise NotRecordable("the media of this call does not go by our relay")
        if self._media.secure:
            raise NotRecordable("the media of this call is encrypted from end to end")
        self._media.record, self._asked = self._rules.asked(users), True
        self._changed("recorded: on demand, from now on")

    def record_no_more(self) -> None:
        """End that; nothing happens where it is not recorded.

        Raises:
            MayNotRecord: a rule has it recorded.
        """
        if self._media.record is None:
            return
        if not self._asked:
            raise MayNotRecord("a rule of the site has this call recorded")
        self._media.record, self._asked = None, False
        self._changed("recorded: on demand, until now")

    def asker_leaves(self) -> None:
        """Who wanted it goes out of the call, which goes on."""
        if self._asked:
            self.record_no_more()

    def _changed(self, sentence: str) -> None:
        self._rules.calls.tell(self._media.call_id, sentence)
        self._restate()
