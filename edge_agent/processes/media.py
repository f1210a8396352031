"""The media process: calls that end in the site's voice applications, on the embedded engine or on FreeSWITCH.

With the embedded engine the process has a SIP user agent of its own on a loopback port. FreeSWITCH has its own, and
brings each call over its event socket.
"""

import asyncio
import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from contract.sync.call_recordings import DELETE_CALL_RECORDING
from contract.sync.mailbox_events import CHANGE_MESSAGE
from contract.sync.state import StateRecord
from edge_agent.clock import Clock, SystemClock
from edge_agent.media.applications.echo_test import EchoTest
from edge_agent.media.applications.music_on_hold import HoldMusic, MusicOnHold
from edge_agent.media.applications.tone import CONFIRMED, DECLINED, Tone
from edge_agent.media.codecs import ALL, chosen
from edge_agent.media.embedded.engine import EmbeddedEngine, EngineSettings
from edge_agent.media.embedded.session import SessionLimits
from edge_agent.media.relay.relay import RtpRelay
from edge_agent.media.server import MediaServer
from edge_agent.media.session import Application
from edge_agent.ports import QualityTold
from edge_agent.processes.announcements import SiteAnnouncements
from edge_agent.processes.attendant import SiteAttendants
from edge_agent.processes.call_recording_telling import TELL_CALL_RECORDINGS
from edge_agent.processes.call_recordings import SiteCallRecordings
from edge_agent.processes.calling import EmbeddedPlacer, SitePhones
from edge_agent.processes.child import Bell, ConfigurationRefused, UnknownOrder, main
from edge_agent.processes.conferences import ORDERS as CONFERENCE_ORDERS
from edge_agent.processes.conferences import SiteConferences
from edge_agent.processes.fax import SiteFax
from edge_agent.processes.find_me import SiteFindMe
from edge_agent.processes.freeswitch import FreeSwitchMedia
from edge_agent.processes.hot_desk import SiteHotDesks
from edge_agent.processes.link import Ports, Prepare, Start
from edge_agent.processes.media_relay import CARRY, ordered_streams
from edge_agent.processes.music import SiteMusic
from edge_agent.processes.park import SitePark
from edge_agent.processes.quality_telling import QualityTelling
from edge_agent.processes.queues import ORDERS as QUEUE_ORDERS
from edge_agent.processes.queues import SiteQueues, opened_folder
from edge_agent.processes.voicemail import TELL_MAILBOXES, SiteVoicemail
from edge_agent.sip.transport import SipTransport
from edge_agent.sip.user_agent import UserAgent, UserAgentSettings
from edge_agent.tokens import SystemTokens, Tokens

LOOPBACK: Final = "127.0.0.1"
"""Calls reach the applications through the site's proxy only."""
NICENESS: Final = -10
SESSION_SECONDS: Final = 900
"""After so long at most, whoever knows session timers (RFC 4028) ends a call whose engine is gone for good."""
SPARE_CALLS: Final = 150
"""At the user agent beyond the engine's: those that are being decided or refused."""


@dataclass(frozen=True, slots=True)
class MediaProcessSettings:
    """What the media process needs to know; `sip_port` 0 takes a free one."""

    sip_port: int = 0
    engine: EngineSettings = field(default_factory=EngineSettings)


class MediaProcess:
    """User agent, applications and engine, put together."""

    def __init__(
        self, transport: SipTransport, user_agent: UserAgent, server: MediaServer, engine: EmbeddedEngine
    ) -> None:
        self._transport, self.user_agent, self.server, self.engine = transport, user_agent, server, engine
        self.sip_port = transport.local["udp"][1]
        """The UDP port that calls are to be sent to."""

    def figures(self) -> dict[str, int]:
        """Calls, packets that were not used, how late the engine's ticks come, and its codecs (1: may be used).

        `calls` are those that came, `sessions` all that the engine carries.
        """
        late = self.engine.lateness
        return {
            "calls": self.server.calls,
            "sessions": self.engine.sessions,
            "rtp_dropped": self.engine.drops.total(),
            "sip_dropped": self.user_agent.drops.total(),
            "tick_late_p99_us": int(late.quantile_seconds(0.99) * 1_000_000),
            "tick_late_longest_us": int(late.longest_seconds * 1_000_000),
            **{f"codecs.{codec.name}": int(codec in self.engine.codecs) for codec in ALL},
        }

    async def close(self) -> None:
        """Hang up every call and let go of every socket."""
        await self.server.close()
        await self._transport.close()


def voice_applications(music: HoldMusic | None = None) -> dict[str, Application]:
    """What a site offers, by the user part or number that reaches it; `music` None: what comes with the edge."""
    music = music or HoldMusic()
    return {"echo": EchoTest(), "music": MusicOnHold(music), "confirmed": Tone(CONFIRMED), "declined": Tone(DECLINED)}


async def build_media_process(
    settings: MediaProcessSettings,
    clock: Clock | None = None,
    tokens: Tokens | None = None,
    applications: Mapping[str, Application] | None = None,
    measured: QualityTold = lambda quality: None,
) -> MediaProcess:
    """A media process that takes calls, for the voice applications of a site unless others are given.

    `measured` hears how well each answered call was heard.

    Raises:
        OSError: the SIP port cannot be bound.
        PromptError: a prompt of an application cannot be used.
    """
    clock, tokens = clock or SystemClock(), tokens or SystemTokens()
    applications = voice_applications() if applications is None else applications
    prompts = {prompt for application in applications.values() for prompt in application.prompts}
    engine = EmbeddedEngine(settings.engine, prompts, clock, tokens, measured)
    server = MediaServer(applications, engine.session)
    transport = SipTransport(clock, udp=(LOOPBACK, settings.sip_port))
    await transport.open()
    host, port = transport.local["udp"]
    most_calls = settings.engine.most_sessions + SPARE_CALLS
    agent_settings = UserAgentSettings(host, port, most_calls=most_calls, session_expires=SESSION_SECONDS)
    user_agent = UserAgent(agent_settings, transport.send, server, clock, tokens)
    transport.attach(user_agent)
    return MediaProcess(transport, user_agent, server, engine)


class MediaSubsystem:
    """Serves from its start on; what the snapshot says of mailboxes counts from the next call on."""

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self._process: MediaProcess | FreeSwitchMedia | None = None
        self._voicemail: SiteVoicemail | None = None
        self._attendants: SiteAttendants | None = None
        self._conferences: SiteConferences | None = None
        self._announcements: SiteAnnouncements | None = None
        self._fax: SiteFax | None = None
        self._relay: RtpRelay | None = None
        self._recordings: SiteCallRecordings | None = None
        self._qualities: QualityTelling | None = None
        self._hot_desks = SiteHotDesks(bell, SystemClock())
        self._phones = SitePhones()
        self._find_me = SiteFindMe(self._phones)
        self._music = SiteMusic()
        self._park = SitePark(bell, self._phones, SystemClock(), self._music.player)
        self._queues = SiteQueues(self._phones, SystemClock(), SystemTokens(), self._music.player)

    async def start(self, message: Start) -> Ports:
        """Take calls, at the earlier run's port where the settings leave the choice open and it is free."""
        media = message.settings.media
        clock, tokens = SystemClock(), SystemTokens()
        self._qualities = qualities = await asyncio.to_thread(
            QualityTelling, message.settings.state_dir, self._bell, clock, tokens
        )
        self._conferences = conferences = await asyncio.to_thread(
            SiteConferences, message.settings.state_dir, clock, tokens, self._music.player
        )
        self._recordings = recordings = await asyncio.to_thread(
            SiteCallRecordings,
            message.settings.state_dir,
            qualities.report,
            self._bell,
            clock,
            tokens,
            conferences.recordings,
        )
        self._relay = RtpRelay(media.address, clock, qualities.measured, recordings.recorders, self._bell.pressed)
        self._voicemail = voicemail = await asyncio.to_thread(
            SiteVoicemail, message.settings.state_dir, self._bell, clock, tokens
        )
        self._attendants = attendants = await asyncio.to_thread(
            SiteAttendants,
            message.settings.state_dir,
            lambda user_id: voicemail.store.greeting(user_id, "name"),
            self._bell,
            clock,
        )
        folder, kept = await asyncio.to_thread(opened_folder, message.settings.state_dir)
        self._queues.start(folder, kept, qualities.report)
        await asyncio.to_thread(self._music.start, message.settings.state_dir, qualities.report)
        self._announcements = announcements = await asyncio.to_thread(
            SiteAnnouncements, message.settings.state_dir, self._phones, clock, tokens
        )
        self._fax = fax = SiteFax(message.settings.state_dir, voicemail.store, qualities.report, media.engine, clock)
        applications = {
            **voice_applications(self._music.player),
            "voicemail": voicemail.application,
            "fax": fax.application,
            "hot_desk": self._hot_desks.application,
            "find_me": self._find_me.application,
            "park": self._park.application,
            "queue": self._queues.application,
            **announcements.applications,
            "attendant": attendants.application,
            "conference": conferences.application,
        }
        if media.engine == "freeswitch":
            place = message.settings.state_dir / "freeswitch"
            self._process = freeswitch = await FreeSwitchMedia.open(
                media,
                place,
                applications,
                clock,
                tokens,
                qualities.measured,
                self._bell.engine_is,
                lambda possible: fax.can_receive(possible=possible),
            )
            if (placer := freeswitch.placer) is not None:
                self._phones.attach(placer, message.settings.sip.address)
            return {"media_sip": freeswitch.sip_port, "media_events": freeswitch.event_port}
        limits = SessionLimits(longest_seconds=media.longest_call_seconds)
        engine = EngineSettings(
            media.address,
            media.rtp_first_port,
            media.rtp_last_port,
            media.most_calls,
            limits=limits,
            codecs=chosen(media.codecs),
            multicast_interface=media.multicast_interface or _own_interface(media.address),
        )
        earlier = message.ports.get("media_sip", 0)
        settings = MediaProcessSettings(media.sip_port or earlier, engine)
        try:
            process = await build_media_process(settings, clock, tokens, applications, qualities.measured)
        except OSError:
            if media.sip_port or not earlier:
                raise
            process = await build_media_process(
                MediaProcessSettings(0, engine), clock, tokens, applications, qualities.measured
            )
        self._process = process
        self._bell.engine_is(tokens.token())
        fax.can_receive(possible=False)
        calling = EmbeddedPlacer(process.user_agent, process.engine, self._phones.leads_beyond)
        self._phones.attach(calling, message.settings.sip.address)
        return {"media_sip": process.sip_port}

    async def prepare(self, message: Prepare) -> None:
        """Get ready for a configuration."""
        if self._process is None or self._voicemail is None or self._conferences is None or self._attendants is None:
            raise ConfigurationRefused("media was not started")
        self._voicemail.prepare(message)
        self._attendants.prepare(message)
        self._hot_desks.prepare(message)
        self._find_me.prepare(message)
        self._park.prepare(message)
        await self._queues.prepare(message)
        self._music.prepare(message)
        self._phones.prepare(message)
        if self._announcements is not None:
            await asyncio.to_thread(self._announcements.prepare, message)
        self._conferences.prepare(message)
        if self._fax is not None:
            self._fax.prepare(message)
        if self._recordings is not None:
            self._recordings.prepare(message)

    async def commit(self) -> Ports:
        """Go by what was prepared."""
        if self._voicemail is not None:
            self._voicemail.commit()
        if self._attendants is not None:
            self._attendants.commit()
        self._hot_desks.commit()
        self._find_me.commit()
        self._park.commit()
        self._phones.commit()
        self._queues.commit()
        self._music.commit()
        if self._announcements is not None:
            self._announcements.commit()
        if self._conferences is not None:
            self._conferences.commit()
        if self._fax is not None:
            self._fax.commit()
        if self._recordings is not None:
            self._recordings.commit()
        return {} if self._process is None else {"media_sip": self._process.sip_port}

    async def set_state(self, records: tuple[StateRecord, ...]) -> None:
        """Users changed something: a PIN, the greeting in use."""
        if self._voicemail is not None:
            self._voicemail.set_state(records)
        if self._attendants is not None:
            self._attendants.set_state(records)
        self._hot_desks.set_state(records)
        self._queues.set_state(records)
        if self._announcements is not None:
            self._announcements.set_state(records)
        if self._conferences is not None:
            self._conferences.set_state(records)

    async def order(self, name: str, arguments: dict[str, str]) -> str:
        """`carry`: relay exactly these streams (`edge_agent.ports.MediaRelay`); else what applications take."""
        if name == CARRY and self._relay is not None:
            streams = ordered_streams(arguments)
            self._relay.carry(streams)
            return f"{len(streams)} streams"
        if name in (CHANGE_MESSAGE, TELL_MAILBOXES) and self._voicemail is not None:
            return await self._voicemail.order(name, arguments)
        if name in (DELETE_CALL_RECORDING, TELL_CALL_RECORDINGS) and self._recordings is not None:
            return await self._recordings.order(name, arguments)
        if name in CONFERENCE_ORDERS and self._conferences is not None:
            return await self._conferences.order(name, arguments)
        if name in QUEUE_ORDERS:
            return self._queues.order(name, arguments)
        raise UnknownOrder(f"media knows no order {name}")

    def figures(self) -> dict[str, int]:
        """What the process counts; see `MediaProcess`, `FreeSwitchMedia` and `RtpRelay`."""
        found = {"calls": 0} if self._process is None else self._process.figures()
        return found if self._relay is None else found | self._relay.figures()

    async def stop(self) -> None:
        """Hang up every call and let go of every socket."""
        if self._voicemail is not None:
            self._voicemail.stop()
        if self._relay is not None:
            self._relay.close()
            self._relay = None
        if self._recordings is not None:
            await asyncio.to_thread(self._recordings.close)
            self._recordings = None
        self._phones.close()
        if self._process is not None:
            await self._process.close()
            self._process = None
        await self._queues.stop()
        if self._qualities is not None:
            await asyncio.to_thread(self._qualities.close)
            self._qualities = None


def _own_interface(address: str) -> str:
    """The address that calls use, where it is one of the machine's own in IPv4; else empty."""
    return "" if address == "0.0.0.0" or ":" in address else address


def prefer_this_process() -> None:
    """Let the 20 ms tick go before other work on a busy machine, where the system allows it (setpriority(2))."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)


if __name__ == "__main__":
    prefer_this_process()
    main(MediaSubsystem)
