"""Voice services on FreeSWITCH: calls that it brings, calls that it places, and the process itself where it is ours."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from edge_agent.clock import Clock
from edge_agent.media.calling import NotReached, Ringing
from edge_agent.media.codecs import CodecName
from edge_agent.media.freeswitch import commands
from edge_agent.media.freeswitch.configuration import LOOPBACK, PROFILE
from edge_agent.media.freeswitch.control import ControlLost
from edge_agent.media.freeswitch.listener import FreeSwitchListener
from edge_agent.media.freeswitch.process import FreeSwitchProcess, FreeSwitchSettings, choose, found_program, kept_in
from edge_agent.media.session import Application, MediaSession
from edge_agent.network.own_addresses import address_outwards
from edge_agent.ports import QualityTold
from edge_agent.settings import MediaSettings
from edge_agent.sip.answering import LOOKED_FOR, PHONES_ONLY
from edge_agent.sip.message import Flow
from edge_agent.tokens import Tokens

_SPELLED: Final = {CodecName.OPUS: "OPUS", CodecName.G722: "G722", CodecName.PCMU: "PCMU", CodecName.PCMA: "PCMA"}
_STATUS: Final = {"USER_BUSY": 486, "CALL_REJECTED": 603, "UNALLOCATED_NUMBER": 404, "USER_NOT_REGISTERED": 480}
"""What came of a call that was placed, by FreeSWITCH's cause; every other is 480."""
READY_SECONDS: Final = 8.0
"""How long its start is waited for."""
_RING_SECONDS: Final = 3600
"""FreeSWITCH's own limit; whoever has it ring ends it long before."""


class FreeSwitchMedia:
    """The applications behind FreeSWITCH; `open` makes it."""

    def __init__(
        self,
        listener: FreeSwitchListener,
        sip_port: int,
        event_port: int,
        process: FreeSwitchProcess | None,
        tokens: Tokens,
    ) -> None:
        self._listener, self._process = listener, process
        self.sip_port, self.event_port = sip_port, event_port
        self.placer = None if process is None else FreeSwitchPlacer(process, listener, event_port, tokens)
        """What places calls; None: a FreeSWITCH of somebody else's is not asked to."""

    @classmethod
    async def open(
        cls,
        media: MediaSettings,
        folder: Path,
        applications: Mapping[str, Application],
        clock: Clock,
        tokens: Tokens,
        measured: QualityTold = lambda quality: None,
        engine_is: Callable[[str], None] = lambda engine_id: None,
        has_fax: Callable[[bool], object] = lambda _: None,
    ) -> FreeSwitchMedia:
        """Take the calls of a FreeSWITCH, and keep one up unless it is somebody else's.

        Args:
            media: the settings.
            folder: for its files.
            applications: by what is dialled.
            clock: for its supervision.
            tokens: names executions, makes its password.
            measured: hears how well each answered call was heard.
            engine_is: hears which FreeSWITCH of ours has the calls; empty: none has them any more.
            has_fax: told whether it can receive fax, each time that one of ours is up.

        Raises:
            FreeSwitchFailed: it is not on this machine.
            OSError: the port for its calls cannot be had.
        """
        listener = FreeSwitchListener(applications, media.most_calls, tokens, measured=measured)
        if media.freeswitch == "running":
            return cls(listener, media.sip_port, await listener.open(LOOPBACK, media.event_port), None, tokens)
        program, kept = found_program(media.freeswitch_program), kept_in(folder)
        wanted = media.event_port or (kept.events if kept else 0)
        try:
            event_port = await listener.open(LOOPBACK, wanted)
        except OSError:
            if media.event_port:
                raise
            event_port = await listener.open(LOOPBACK, 0)
        kept = choose(folder, tokens, media.sip_port, event_port, free_port)
        settings = FreeSwitchSettings(
            program=program,
            folder=folder,
            rtp_address=address_outwards() if media.address in ("0.0.0.0", "::") else media.address,
            rtp=(media.rtp_first_port, media.rtp_last_port),
            most_sessions=media.most_calls,
            codecs=tuple(_SPELLED[codec] for codec in media.codecs),
        )
        process = FreeSwitchProcess(settings, kept, clock, lambda: listener.call_ids, engine_is, has_fax)
        process.begin()
        # Whoever waits for us to be ready means calls; but one that does not come up keeps nothing else waiting.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(READY_SECONDS):
                await process.has_been_up.wait()
        return cls(listener, kept.sip, event_port, process, tokens)

    def figures(self) -> dict[str, int]:
        """Calls, connections or calls that were not served, and whether FreeSWITCH is up, where it is ours."""
        found = {"calls": self._listener.calls, "refused": self._listener.refused.total()}
        if self._process is not None:
            found |= {
                "freeswitch_up": int(self._process.control is not None),
                "freeswitch_starts": self._process.starts,
            }
        return found

    async def close(self) -> None:
        """Hang up every call and let go of every socket."""
        await self._listener.close()
        if self._process is not None:
            await self._process.stop()


class FreeSwitchPlacer:
    """Places calls by FreeSWITCH (`edge_agent.processes.calling.Placer`)."""

    def __init__(
        self, process: FreeSwitchProcess, listener: FreeSwitchListener, event_port: int, tokens: Tokens
    ) -> None:
        self._process, self._listener, self._event_port, self._tokens = process, listener, event_port, tokens

    async def place(self, wanted: Ringing, domain: str, proxy: Flow) -> MediaSession:
        """See `Placer`."""
        control = self._process.control
        if control is None:
            raise NotReached(503)
        call_id = str(uuid.UUID(hex=self._tokens.token(16)))
        user, number = quote(wanted.username, safe="*"), quote(wanted.number, safe="*+")
        asked = f"{PHONES_ONLY.decode()}={wanted.how}"
        if wanted.whose:
            asked += f";{LOOKED_FOR.decode()}={wanted.whose}"
        variables = {
            "origination_uuid": call_id,
            "origination_caller_id_number": number,
            "origination_caller_id_name": number,
            # FreeSWITCH cuts a caller's name off up to a colon or slash; what it shows itself is left as it is.
            "sip_from_display": _plain(wanted.name) or number,
            "originate_timeout": str(_RING_SECONDS),
            "ignore_early_media": "true",
            "sip_cid_type": "none",
            "sip_invite_domain": domain,
            "sip_h_P-Asserted-Identity": f"<sip:{number}@{domain}>",
            "sip_invite_params": asked,
            "sip_route_uri": f"sip:{proxy.host}:{proxy.port}",
        }
        address = f"sofia/{PROFILE}/sip:{user}@{domain}"
        command = commands.originate(variables, address, f"{LOOPBACK}:{self._event_port}", call_id)
        arrived = self._listener.expect(call_id)
        outcome = asyncio.ensure_future(control.job(call_id, command))
        with contextlib.ExitStack() as afterwards:
            afterwards.callback(outcome.cancel)
            afterwards.callback(arrived.cancel)
            with contextlib.ExitStack() as unless_answered:
                unless_answered.callback(control.tell, commands.api("uuid_kill", call_id))
                both: list[asyncio.Future[Any]] = [arrived, outcome]
                await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
                if not arrived.done() and (said := _said(outcome)).startswith("+OK"):
                    await asyncio.wait([arrived], timeout=2.0)  # it is answered, and on its way here
                elif not arrived.done():
                    raise NotReached(_STATUS.get(said.removeprefix("-ERR ").strip(), 480))
                if not arrived.done():
                    raise NotReached(480)
                unless_answered.pop_all()
            session = arrived.result()
            session.takes_transfers(wanted.transfers)
            return session

    def close(self) -> None:
        """See `Placer`: the listener hangs them up, as every other call."""


def _said(outcome: asyncio.Future[str]) -> str:
    with contextlib.suppress(ControlLost, asyncio.CancelledError):
        return outcome.result()
    return "-ERR"


def _plain(name: str) -> str:
    """A display name without what FreeSWITCH would read as something else."""
    return "".join(one for one in name if one.isprintable() and one not in "\"'\\|{}[]<>$")


def free_port() -> int:
    """A port of loopback that nobody has, neither by TCP nor by UDP."""
    while True:
        with (
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
        ):
            stream.bind((LOOPBACK, 0))
            with contextlib.suppress(OSError):
                datagrams.bind(stream.getsockname())
                return int(stream.getsockname()[1])
