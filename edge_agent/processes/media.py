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

from contract.sync.state import StateRecord
from edge_agent.clock import Clock, SystemClock
from edge_agent.media.applications.echo_test import EchoTest
from edge_agent.media.applications.music_on_hold import MusicOnHold
from edge_agent.media.applications.tone import CONFIRMED, DECLINED, Tone
from edge_agent.media.embedded.engine import EmbeddedEngine, EngineSettings
from edge_agent.media.freeswitch.listener import FreeSwitchListener
from edge_agent.media.relay.relay import RtpRelay
from edge_agent.media.server import MediaServer
from edge_agent.media.session import Application
from edge_agent.processes.child import Bell, ConfigurationRefused, UnknownOrder, main
from edge_agent.processes.hot_desk import SiteHotDesks
from edge_agent.processes.link import Ports, Prepare, Start
from edge_agent.processes.media_relay import CARRY, ordered_streams
from edge_agent.processes.voicemail import SiteVoicemail
from edge_agent.sip.transport import SipTransport
from edge_agent.sip.user_agent import UserAgent, UserAgentSettings
from edge_agent.tokens import SystemTokens, Tokens

LOOPBACK: Final = "127.0.0.1"
"""Calls reach the applications through the site's proxy only."""
NICENESS: Final = -10
MOST_SESSIONS: Final = 200
"""Calls at one time on FreeSWITCH."""


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
        """Calls, packets that were not used, and how late the engine's ticks come."""
        late = self.engine.lateness
        return {
            "calls": self.server.calls,
            "rtp_dropped": self.engine.drops.total(),
            "sip_dropped": self.user_agent.drops.total(),
            "tick_late_p99_us": int(late.quantile_seconds(0.99) * 1_000_000),
            "tick_late_longest_us": int(late.longest_seconds * 1_000_000),
        }

    async def close(self) -> None:
        """Hang up every call and let go of every socket."""
        await self.server.close()
        await self._transport.close()


class FreeSwitchMedia:
    """The applications behind a FreeSWITCH that is somebody else's process."""

    def __init__(self, listener: FreeSwitchListener, sip_port: int) -> None:
        self._listener, self.sip_port = listener, sip_port

    def figures(self) -> dict[str, int]:
        """Calls, and connections or calls that were not served."""
        return {"calls": self._listener.calls, "refused": self._listener.refused.total()}

    async def close(self) -> None:
        """Hang up every call and let go of every socket."""
        await self._listener.close()


def voice_applications() -> dict[str, Application]:
    """What a site offers, by the user part or number that reaches it."""
    return {"echo": EchoTest(), "music": MusicOnHold(), "confirmed": Tone(CONFIRMED), "declined": Tone(DECLINED)}


async def build_media_process(
    settings: MediaProcessSettings,
    clock: Clock | None = None,
    tokens: Tokens | None = None,
    applications: Mapping[str, Application] | None = None,
) -> MediaProcess:
    """A media process that takes calls, for the voice applications of a site unless others are given.

    Raises:
        OSError: the SIP port cannot be bound.
        PromptError: a prompt of an application cannot be used.
    """
    clock, tokens = clock or SystemClock(), tokens or SystemTokens()
    applications = voice_applications() if applications is None else applications
    prompts = {prompt for application in applications.values() for prompt in application.prompts}
    engine = EmbeddedEngine(settings.engine, prompts, clock, tokens)
    server = MediaServer(applications, engine.session)
    transport = SipTransport(clock, udp=(LOOPBACK, settings.sip_port))
    await transport.open()
    host, port = transport.local["udp"]
    user_agent = UserAgent(UserAgentSettings(host, port), transport.send, server, clock, tokens)
    transport.attach(user_agent)
    return MediaProcess(transport, user_agent, server, engine)


class MediaSubsystem:
    """Serves from its start on; what the snapshot says of mailboxes counts from the next call on."""

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self._process: MediaProcess | FreeSwitchMedia | None = None
        self._voicemail: SiteVoicemail | None = None
        self._relay: RtpRelay | None = None
        self._hot_desks = SiteHotDesks(bell, SystemClock())

    async def start(self, message: Start) -> Ports:
        """Take calls, at the earlier run's port where the settings leave the choice open and it is free."""
        media = message.settings.media
        clock, tokens = SystemClock(), SystemTokens()
        self._relay = RtpRelay(media.address, clock)
        self._voicemail = voicemail = await asyncio.to_thread(
            SiteVoicemail, message.settings.state_dir, self._bell, clock, tokens
        )
        applications = {
            **voice_applications(),
            "voicemail": voicemail.application,
            "hot_desk": self._hot_desks.application,
        }
        if media.engine == "freeswitch":
            listener = FreeSwitchListener(applications, MOST_SESSIONS, tokens)
            event_port = await listener.open(LOOPBACK, media.event_port)
            self._process = FreeSwitchMedia(listener, media.sip_port)
            return {"media_sip": media.sip_port, "media_events": event_port}
        engine = EngineSettings(media.address, media.rtp_first_port, media.rtp_last_port)
        earlier = message.ports.get("media_sip", 0)
        settings = MediaProcessSettings(media.sip_port or earlier, engine)
        try:
            process = await build_media_process(settings, clock, tokens, applications)
        except OSError:
            if media.sip_port or not earlier:
                raise
            process = await build_media_process(MediaProcessSettings(0, engine), clock, tokens, applications)
        self._process = process
        return {"media_sip": process.sip_port}

    async def prepare(self, message: Prepare) -> None:
        """Get ready for a configuration."""
        if self._process is None or self._voicemail is None:
            raise ConfigurationRefused("media was not started")
        self._voicemail.prepare(message)
        self._hot_desks.prepare(message)

    async def commit(self) -> Ports:
        """Go by what was prepared."""
        if self._voicemail is not None:
            self._voicemail.commit()
        self._hot_desks.commit()
        return {} if self._process is None else {"media_sip": self._process.sip_port}

    async def set_state(self, records: tuple[StateRecord, ...]) -> None:
        """Users changed something: a PIN, the greeting in use."""
        if self._voicemail is not None:
            self._voicemail.set_state(records)
        self._hot_desks.set_state(records)

    async def order(self, name: str, arguments: dict[str, str]) -> str:
        """`carry`: relay exactly these streams (`edge_agent.ports.MediaRelay`)."""
        if name == CARRY and self._relay is not None:
            streams = ordered_streams(arguments)
            self._relay.carry(streams)
            return f"{len(streams)} streams"
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
        if self._process is not None:
            await self._process.close()
            self._process = None


def prefer_this_process() -> None:
    """Let the 20 ms tick go before other work on a busy machine, where the system allows it (setpriority(2))."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, 0, NICENESS)


if __name__ == "__main__":
    prefer_this_process()
    main(MediaSubsystem)
