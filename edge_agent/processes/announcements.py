"""Announcements, paging groups and authorization codes put together for the media process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

from contract.snapshot import AnnouncementService
from contract.sync.state import StateRecord, merge
from edge_agent.blob_cache import FOLDER as BLOBS_FOLDER
from edge_agent.clock import Clock
from edge_agent.media.applications.announcement import Announcements
from edge_agent.media.applications.attendant.greetings import Greetings
from edge_agent.media.applications.authorization import AuthorizationConfig, AuthorizedCalls, authorization_config
from edge_agent.media.applications.paging import PagingConfig, PagingGroups, paging_config
from edge_agent.media.calling import PhoneCaller
from edge_agent.media.session import Application
from edge_agent.media.speech import Languages
from edge_agent.processes.link import Prepare
from edge_agent.processes.listeners import Listeners
from edge_agent.tokens import Tokens

FOLDER: Final = "announcements"


class SiteAnnouncements:
    """Announcements, paging groups and authorization codes of a site. Made off the loop's thread: it reads the disk.

    Args:
        folder: the state folder of the agent.
        phones: rings those who are paged.
        clock: wrong codes lock for a while.
        tokens: names mixes.
    """

    def __init__(self, folder: Path, phones: PhoneCaller, clock: Clock, tokens: Tokens) -> None:
        languages = Languages()
        self._greetings = Greetings(folder / FOLDER, folder / BLOBS_FOLDER, languages)
        self._state: dict[str, StateRecord] = {}
        self._message: Prepare | None = None
        self._authorization = AuthorizationConfig()
        self._prepared: Prepare | None = None
        self._listeners = Listeners()
        self._listening: Mapping[str, frozenset[str]] = {}
        self._announcements: dict[str, AnnouncementService] = {}
        self._paging = PagingConfig()
        self.applications: Mapping[str, Application] = {
            "announcement": Announcements(self._greetings, lambda: self._announcements),
            "authorization": AuthorizedCalls(languages, lambda: self._authorization, clock),
            "paging": PagingGroups(lambda: self._paging, phones, tokens),
        }

    def prepare(self, message: Prepare) -> None:
        """Get ready for a configuration; not on the loop, as it may read device plug-ins."""
        self._listening = self._listeners.listening(message.snapshot)
        self._prepared = message

    def commit(self) -> None:
        """Go by it, from the next call on; on the loop. Texts are spoken meanwhile."""
        if self._prepared is None:
            return
        self._message, self._prepared = self._prepared, None
        snapshot = self._message.snapshot
        self.set_state(self._message.state)
        services = snapshot.dial_plan.voice_services
        self._paging = paging_config(services, snapshot.users, self._listening)
        found = [one for one in services if isinstance(one, AnnouncementService) and one.enabled]
        self._announcements = {one.service_id: one for one in found}
        texts = [(text, one.language) for one in found for text in one.texts]
        digests = [digest for one in found for digest in one.digests]
        asyncio.get_running_loop().run_in_executor(None, self._greetings.keep, texts, digests)

    def set_state(self, records: Iterable[StateRecord]) -> None:
        """Somebody changed something, such as a code."""
        for record in records:
            self._state[record.key] = merge(self._state.get(record.key), record)
        if self._message is not None:
            snapshot = self._message.snapshot
            services, language = snapshot.dial_plan.voice_services, snapshot.site.voicemail.language
            self._authorization = authorization_config(services, self._state.values(), language)
