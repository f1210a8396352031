"""The SIP process: registrar and proxy of the site.

Its sockets are bound at the start, so that its ports are known, and read from the first commit on.
"""

import logging
import time
from base64 import b64encode
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final, Literal

from pydantic import TypeAdapter

from contract.dialplan import SiteState
from contract.dialplan.site_state import site_state
from contract.snapshot import SiteLink
from contract.sync.events import RegistrationChanged
from contract.sync.live_calls import MAX_SHOWN, CallInProgress, CallsInProgress
from contract.sync.questions import CALL_LADDER, CALL_PCAP, LIVE_CALLS
from contract.sync.state import StateRecord, merge
from edge_agent.clock import SystemClock
from edge_agent.errors import EdgeError
from edge_agent.network.own_addresses import reachable_host, reachable_host_six
from edge_agent.ports import MessagesWaiting, Notice, NoticeRefused
from edge_agent.processes.call_backs import CallBackPort
from edge_agent.processes.child import Bell, ConfigurationRefused, UnknownOrder, main
from edge_agent.processes.collecting import IdleCollecting, exempt
from edge_agent.processes.engine_identity import ENGINE, ordered_engine
from edge_agent.processes.keys import edge_key
from edge_agent.processes.link import Ports, Prepare, Start
from edge_agent.processes.media_relay import KEY_PRESSED, PORTS_AHEAD, ordered_ahead
from edge_agent.processes.orbit_lamps import ORBITS
from edge_agent.processes.recorded_calls import RecordedCalls
from edge_agent.processes.reporting import SipReporting
from edge_agent.processes.trunks import TrunkPorts, relay_settings
from edge_agent.settings import SipSettings
from edge_agent.sip.call_backs import CallBacks
from edge_agent.sip.config import SipConfig
from edge_agent.sip.endpoint import ConfigRefused, Endpoint
from edge_agent.sip.kept_rows import SqliteKeptRows
from edge_agent.sip.location import Binding
from edge_agent.sip.observation.ladder import WallTime, ladder_of
from edge_agent.sip.observation.pcap import pcap_of
from edge_agent.sip.observation.tape import Tape, TapeRules
from edge_agent.sip.proxy.calls import Calls
from edge_agent.sip.registrar.store import SqliteBindingStore
from edge_agent.sip.relaying import RelayPool
from edge_agent.sip.relaying.recording import RecordingRules
from edge_agent.sip.resolver import Resolver
from edge_agent.sip.resolver.dns_lookup import DnsLookup
from edge_agent.sip.transport import (
    CertificateUnusable,
    GivenCertificate,
    SipTransport,
    TlsIdentity,
    spare_tls_memory,
)
from edge_agent.sip.transport.hep_export import HepExport
from edge_agent.sip.transport.own_certificate import OWN_CERTIFICATE, OWN_KEY, keep_own_certificate
from edge_agent.sip.transport.site_tls import SiteIdentity, SiteTls
from edge_agent.sip_view import limits_of, sip_config, trunk_settings
from edge_agent.tokens import SystemTokens

log = logging.getLogger(__name__)

KEY_FILE: Final = "sip.key"


class AddressChanged(EdgeError):
    """The address that phones reach this edge at is another now; a new process takes it up."""


class NotStarted(EdgeError):
    """Something was asked before the start."""


class SipSubsystem:
    """One endpoint on one transport for the life of the process."""

    def __init__(self, bell: Bell) -> None:
        self._bell = bell
        self._clock = SystemClock()
        self._tokens = SystemTokens()
        recorded = RecordedCalls(self._calls, lambda: self._reporting)
        self._recording = RecordingRules(recorded, self._tokens.token)
        self._advertised = ""
        self._folder = Path()
        self._settings = SipSettings()
        self._hides_replaces = False
        self._tls: TlsIdentity | None = None
        self._site_tls = SiteTls()
        self._tape: Tape | None = None
        self._hep: HepExport | None = None
        self._transport: SipTransport | None = None
        self._reporting: SipReporting | None = None
        self._endpoint: Endpoint | None = None
        self._trunks: TrunkPorts | None = None
        self._relay_pool: RelayPool | None = None
        self._call_back_port: CallBackPort | None = None
        self._call_backs: CallBacks | None = None
        self._engine: str | None = None
        """Id of the media engine; None: not told yet."""
        self._prepared: SipConfig | None = None
        self._prepared_host = ""
        self._prepared_certificate: GivenCertificate | None = None
        self._prepared_identity: SiteIdentity | None = None
        self._files_first = False
        """Whether this machine's settings name a certificate, which then goes before the site's."""
        self._config: SipConfig | None = None
        self._state: dict[str, StateRecord] = {}
        self._collecting = IdleCollecting(time.process_time)

    async def start(self, message: Start) -> Ports:
        """Bind the sockets, at the earlier run's ports where the settings leave the choice open."""
        settings, had = message.settings.sip, message.ports
        self._folder, self._settings = message.settings.state_dir, settings
        self._hides_replaces = message.settings.media.engine == "freeswitch"
        self._advertised = reachable_host(settings.address, settings.advertised_host)
        self._reporting = SipReporting(self._folder, "sip", self._bell, self._clock, self._tokens)
        ports: dict[str, int | Literal["off"]] = {
            "udp": settings.udp_port,
            "tcp": settings.tcp_port,
            "tls": settings.tls_port,
            "sites": settings.sites_port,
            "ws": settings.ws_port,
            "wss": settings.wss_port,
        }
        bound = {
            kind: (settings.address, port or had.get(f"sip_{kind}", 0)) for kind, port in ports.items() if port != "off"
        }
        if {"tls", "wss", "sites"}.intersection(bound):
            spare_tls_memory()
        if "tls" in bound or "wss" in bound:
            self._tls = self._tls_identity(settings)
        if settings.hep_target:
            self._hep = self._hep_export(settings)
        if settings.recorded_bytes or self._hep is not None:
            rules = TapeRules(settings.recorded_bytes, settings.recorded_calls, settings.recorded_messages_per_call)
            self._tape = Tape(rules, self._hep)
        self._transport = SipTransport(
            self._clock,
            udp=bound.get("udp"),
            tcp=bound.get("tcp"),
            tls=bound.get("tls"),
            ws=bound.get("ws"),
            wss=bound.get("wss"),
            server_tls=self._tls.server if self._tls is not None else None,
            web_tls=self._tls.web if self._tls is not None else None,
            client_tls=self._tls.client if self._tls is not None else None,
            sites=bound.get("sites"),
            site_tls=self._site_tls,
            resolver=Resolver(DnsLookup(), self._clock, self._tokens),
            advertised=self._advertised,
            advertised_six=reachable_host_six(settings.address, settings.advertised_host_six),
            limits=limits_of(settings),
            tape=self._tape,
        )
        await self._transport.open()
        trunks = settings.trunks
        self._relay_pool = RelayPool(self._bell, trunks.relay_first_port, trunks.relay_last_port)
        self._trunks = TrunkPorts(
            settings,
            self._transport.local["udp"],
            client_tls=self._tls.client if self._tls is not None else None,
            client_tls_by=self._tls.client_by if self._tls is not None else None,
            server_tls=self._tls.server if self._tls is not None else None,
            advertised=self._advertised,
            pool=self._relay_pool,
            tape=self._tape,
            recording=self._recording,
            kept=SqliteKeptRows(self._folder / "trunks.db"),
            clock=self._clock,
            tokens=self._tokens,
        )
        await self._trunks.open()
        proxy_port = self._transport.local["udp"][1]
        self._call_back_port = CallBackPort(settings.address, proxy_port, self._tape, self._clock, self._tokens)
        await self._call_back_port.open()
        if self._hep is not None:
            transport = self._transport
            self._hep.local = lambda: transport.local
            await self._hep.start()
        return {f"sip_{name}": address[1] for name, address in self._transport.local.items()}

    def _tls_identity(self, settings: SipSettings) -> TlsIdentity:
        """The certificate that the settings name, or one of our own, made where there is none.

        Raises:
            CertificateUnusable: the settings name one that cannot be used.
            OSError: our own cannot be written.
        """
        authorities = Path(settings.tls_client_authorities) if settings.tls_client_authorities else None
        self._files_first = bool(settings.tls_certificate)
        if settings.tls_certificate:
            return TlsIdentity(Path(settings.tls_certificate), Path(settings.tls_key), authorities)
        hosts = (self._advertised, *settings.hosts)
        keep_own_certificate(self._folder, hosts, self._clock.now())
        return TlsIdentity(self._folder / OWN_CERTIFICATE, self._folder / OWN_KEY, authorities)

    def _hep_export(self, settings: SipSettings) -> HepExport:
        """The export to Homer that the settings ask for.

        Raises:
            OSError: the password's file cannot be read.
        """
        host, _, port = settings.hep_target.rpartition(":")
        password = b""
        if settings.hep_password_file:
            password = Path(settings.hep_password_file).read_bytes().strip()
        return HepExport((host.strip("[]"), int(port)), settings.hep_capture_id, password, self._clock)

    def _site_certificate(self, message: Prepare) -> GivenCertificate | None:
        """The certificate that the site's configuration has, checked.

        Raises:
            CertificateUnusable: chain and key do not fit.
        """
        given = _given_certificate(message)
        if given is None or self._tls is None or self._files_first:
            return None
        self._tls.check(given)
        return given

    def _site_identity(self, message: Prepare) -> SiteIdentity | None:
        """What the site proves itself with to the tenant's other sites; None: it has nothing, or there are none.

        Raises:
            CertificateUnusable: certificate, key and authority do not fit.
        """
        given, authority = _given_certificate(message), message.snapshot.site.authority
        if given is None or authority is None or not message.snapshot.other_sites:
            return None
        identity = SiteIdentity(given, authority)
        self._site_tls.check(identity)
        return identity

    def _take_up_certificate(self) -> None:
        if self._tls is None:
            return
        try:
            given = self._tls.give(self._prepared_certificate)
            if self._tls.reload_if_changed() or given:
                log.info("sip_certificate_reloaded")
        except CertificateUnusable as error:
            # What is there goes on; the health of the site does not hang on a file that is half copied.
            log.warning("sip_certificate_unusable", extra={"problem": str(error)})

    async def prepare(self, message: Prepare) -> None:
        """Check a configuration; what runs goes on."""
        self._merge(message.state)
        config = sip_config(message, self._settings)
        places = relay_settings(self._settings)
        media = replace(config.media, inside=places.inside, outside=places.outside)
        config = replace(
            config,
            state=site_state(self._state.values(), config.users),
            media=media,
            hides_replaces=self._hides_replaces,
        )
        if self._trunks is not None:
            there = self._trunks.address
            config = replace(config, trunks_at=there, trusted=config.trusted | {there})
        if self._call_back_port is not None:
            config = replace(config, trusted=config.trusted | {self._call_back_port.address})
        try:
            if self._endpoint is not None:
                self._endpoint.prepare(config)
            elif problems := config.problems():
                raise ConfigRefused(problems)
            if self._trunks is not None:
                self._trunks.prepare(trunk_settings(message))
            certificate, identity = self._site_certificate(message), self._site_identity(message)
        except ConfigRefused as error:
            raise ConfigurationRefused(*error.problems) from None
        except CertificateUnusable as unusable:
            raise ConfigurationRefused(str(unusable)) from None
        self._prepared, self._prepared_host = config, message.sip_host
        self._prepared_certificate, self._prepared_identity = certificate, identity

    async def commit(self) -> Ports:
        """Run what was prepared; the first time, begin to receive."""
        if self._prepared is None or self._transport is None or self._reporting is None:
            raise NotStarted("nothing was prepared")
        if self._prepared_host != self._advertised:
            raise AddressChanged(
                f"phones reach this edge at {self._prepared_host} now, no longer at {self._advertised}"
            )
        self._config, self._prepared = self._prepared, None
        self._take_up_certificate()
        self._site_tls.take(self._prepared_identity)
        links = [one for one in self._config.plan.gateways.values() if isinstance(one, SiteLink)]
        self._transport.streams.sites.know(links)
        if self._trunks is not None:
            await self._trunks.commit(self._reporting, self._told_outages)
        if self._endpoint is not None:
            self._endpoint.commit()
        else:
            self._endpoint = Endpoint(
                self._config,
                clock=self._clock,
                tokens=self._tokens,
                reporter=self._reporting,
                journal=self._reporting,
                store=SqliteBindingStore(self._folder / "sip.db"),
                kept=SqliteKeptRows(self._folder / "events.db"),
                relay_pool=self._relay_pool,
                recording=self._recording,
                transport=self._transport,
                key=edge_key(self._folder / KEY_FILE, self._tokens),
                told=self._bell.told,
                wrote=self._bell.wrote,
            )
            if self._trunks is not None:
                self._trunks.joins.attach(self._endpoint.calls.transfers, self._reporting.keep)
            self._endpoint.start()
            if self._engine is not None:
                self._endpoint.engine_is(self._engine)
            self._collecting.start()
            self._told_outages(self._trunks.down if self._trunks is not None else frozenset())
        if self._call_backs is not None:
            self._call_backs.configure(self._config)
        elif self._call_back_port is not None:
            endpoint, port = self._endpoint, self._call_back_port
            self._call_backs = CallBacks(
                self._config,
                endpoint.location,
                endpoint.calls.parties,
                endpoint.layer.wheel,
                self._clock,
                port.place,
                self._bell.wrote,
            )
        exempt()
        return {}

    def _calls(self) -> Calls | None:
        return self._endpoint.calls if self._endpoint is not None else None

    def _told_outages(self, trunk_ids: frozenset[str]) -> None:
        if self._endpoint is not None:
            self._endpoint.outages.tell("trunks", trunk_ids)

    async def set_state(self, records: tuple[StateRecord, ...]) -> None:
        """Merge what users changed at the site into what routing goes by."""
        self._merge(records)
        if self._endpoint is not None and self._config is not None:
            state = site_state(self._state.values(), self._config.users)
            self._config = replace(self._config, state=state)
            self._endpoint.prepare(self._config)
            self._endpoint.commit()
            if self._call_backs is not None:
                self._call_backs.configure(self._config)
            # A configuration that was prepared meanwhile is still to be committed.
            if self._prepared is not None:
                state = site_state(self._state.values(), self._prepared.users)
                self._prepared = replace(self._prepared, state=state)
                self._endpoint.prepare(self._prepared)

    async def order(self, name: str, arguments: dict[str, str]) -> str:
        """Do something at once.

        `report_registrations`: report every binding again. `notify`: send a `Notice`, its fields the arguments.
        `messages_waiting`: show `MessagesWaiting`, its fields the arguments.
        `engine_is`: which media engine has the calls; those of another one are ended.
        `orbits_taken`: who waits in each taken orbit of call park, by its number.
        `ports_ahead`: which ports of relayed media are open ahead. `key_pressed`: which key in which relayed call.
        `call_ladder`, `call_pcap`: show the messages of the call `sip_call_id`. `live_calls`: tell the calls in
        progress.
        """
        if name == "notify":
            return self._notify(arguments)
        if name == "messages_waiting":
            return self._messages_waiting(arguments)
        if name == ORBITS:
            if self._endpoint is not None:
                self._endpoint.events.orbits.taken(arguments)
            return f"{len(arguments)} taken"
        if name == ENGINE:
            self._engine = ordered_engine(arguments)
            if self._endpoint is not None:
                self._endpoint.engine_is(self._engine)
            return f"{self._engine or 'none'} has the calls"
        if name == PORTS_AHEAD:
            ahead = ordered_ahead(arguments)
            if self._relay_pool is not None:
                self._relay_pool.offer(ahead)
            return f"{len(ahead)} pairs"
        if name == KEY_PRESSED:
            if self._trunks is not None:
                self._trunks.key_pressed(arguments.get("call_id", ""), arguments.get("key", ""))
            return "told"
        if name in (CALL_LADDER, CALL_PCAP):
            return self._show_call(name, arguments.get("sip_call_id", ""))
        if name == LIVE_CALLS:
            return self._calls_in_progress().model_dump_json()
        if name != "report_registrations":
            raise UnknownOrder(f"SIP knows no order {name}")
        if self._endpoint is None or self._reporting is None:
            return "0 registrations: not configured yet"
        bindings = [one for one in self._endpoint.location.all() if one.expires > self._clock.monotonic()]
        for binding in bindings:
            self._reporting.report(self._registered(binding))
        self._reporting.settle()
        return f"{len(bindings)} registrations"

    def _notify(self, arguments: dict[str, str]) -> str:
        if self._endpoint is None:
            raise NoticeRefused("not configured yet")
        try:
            notice = Notice(**arguments)
        except TypeError:
            raise NoticeRefused(f"a notice has {', '.join(Notice.__slots__)}, and needs the first two") from None
        self._endpoint.notices.notify(notice)
        return f"{len(self._endpoint.notices)} notices on their way"

    def _messages_waiting(self, arguments: dict[str, str]) -> str:
        if self._endpoint is None:
            return "not configured yet"
        try:
            counts = TypeAdapter(MessagesWaiting).validate_python(arguments)
            self._endpoint.events.messages_waiting(counts)
        except ValueError:
            raise UnknownOrder(
                f"messages wait as {', '.join(MessagesWaiting.__slots__)}, the last four numbers"
            ) from None
        return "shown"

    def _calls_in_progress(self) -> CallsInProgress:
        if self._endpoint is None:
            return CallsInProgress()
        calls = self._endpoint.calls
        shown = tuple(
            CallInProgress(
                sip_call_id=one.sip_call_id,
                caller=one.caller,
                callee=one.callee,
                caller_user_id=one.caller_user_id,
                callee_user_id=one.callee_user_id,
                started_at=one.started_at,
                answered_at=one.answered_at,
            )
            for one in calls.newest(MAX_SHOWN)
        )
        return CallsInProgress(calls=shown, total=len(calls))

    def _show_call(self, name: str, call_id: str) -> str:
        """The messages of a call as ladder (JSON) or capture file (base64); empty: none is remembered."""
        now = self._clock.monotonic()
        recording = self._tape.recording(call_id.encode(), now) if self._tape is not None else None
        if recording is None or self._transport is None:
            return ""
        wall, local = WallTime(self._clock.now(), now), self._transport.local
        if name == CALL_PCAP:
            return b64encode(pcap_of(recording, local, wall)).decode()
        return ladder_of(call_id.encode(), recording, local, wall).model_dump_json()

    def site_state(self) -> SiteState:
        """What routing goes by now."""
        return self._config.state if self._config is not None else SiteState()

    def figures(self) -> dict[str, int]:
        """What is there now, and what happened since the start; see docs/operating.md."""
        if self._endpoint is None or self._transport is None:
            return {}
        found = self._endpoint.figures()
        found["streams"] = len(self._transport.streams.open_streams)
        if self._trunks is not None:
            found |= self._trunks.figures()
        if self._tape is not None:
            found |= {"recorded.calls": len(self._tape), "recorded.bytes": self._tape.size}
            found |= {"recorded.too_fast": self._tape.not_kept}
        if self._hep is not None:
            found |= {"hep.sent": self._hep.sent, "hep.lost": self._hep.lost}
        return found

    async def stop(self) -> None:
        """Write what is left and let go of every socket and file."""
        self._collecting.stop()
        if self._endpoint is not None:
            self._endpoint.stop()
        if self._trunks is not None:
            await self._trunks.close()
        if self._call_back_port is not None:
            await self._call_back_port.close()
        if self._transport is not None:
            await self._transport.close()
        if self._hep is not None:
            self._hep.close()
        if self._reporting is not None:
            self._reporting.close()

    def _merge(self, records: tuple[StateRecord, ...]) -> None:
        for record in records:
            self._state[record.key] = merge(self._state.get(record.key), record)

    def _registered(self, binding: Binding) -> RegistrationChanged:
        left = timedelta(seconds=binding.expires - self._clock.monotonic())
        return RegistrationChanged.model_validate(
            {
                "state": "registered",
                "user_id": binding.user_id,
                "line_id": binding.line_id,
                "device_id": binding.device_id,
                "contact": binding.contact.decode("ascii", "replace")[:1024],
                "user_agent": binding.user_agent,
                "source": binding.source,
                "transport": binding.flow.transport,
                "expires_at": self._clock.now() + left,
            }
        )


def _given_certificate(message: Prepare) -> GivenCertificate | None:
    """The certificate that the site's configuration has; None: it has none, or its key is still on its way."""
    wanted = message.snapshot.site.sip_certificate
    if wanted is None:
        return None
    key = message.secrets.get(wanted.key)
    if key is None:
        # A site does not wait for it.
        log.warning("sip_certificate_key_missing")
        return None
    return GivenCertificate(wanted.chain.encode(), key.get_secret_value().encode())


if __name__ == "__main__":
    main(SipSubsystem)
