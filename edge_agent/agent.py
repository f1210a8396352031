"""The agent: puts its parts together, starts from the last good snapshot, and keeps everything going.

Neighbours may rely on: nothing that the cloud, a process, a file or the network does ends the agent; calls go on
whatever the channel does. The order at the start: close what a kill left open, start the processes, configure them
with what is on disk, then dial the cloud.
"""

import asyncio
import contextlib
import logging
import os
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import asdict, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from contract.snapshot import Snapshot
from contract.sync.events import Happening
from contract.sync.messages import Command
from contract.sync.questions import (
    FIGURES,
    EdgeFigures,
)
from contract.sync.state import StateRecord
from edge_agent.clock import Clock
from edge_agent.health.alarms import Alarms
from edge_agent.health.certificate_expiry import CertificateExpiry
from edge_agent.health.check import Check
from edge_agent.health.free_space import FreeSpace
from edge_agent.network.own_addresses import own_addresses, reachable_host
from edge_agent.ports import MessagesWaiting, Notice, NoticeOutcome, RelayedStream
from edge_agent.processes.call_recording_telling import TELL_CALL_RECORDINGS
from edge_agent.processes.engine_identity import EngineIdentity
from edge_agent.processes.link import Answer
from edge_agent.processes.media_relay import KEY_PRESSED
from edge_agent.processes.message_lamps import ProcessMessageLamps
from edge_agent.processes.notifier import ProcessNotifier
from edge_agent.processes.orbit_lamps import ProcessOrbitLamps
from edge_agent.processes.roles import MODULES, ORDERS, QUESTIONS, SERVICES
from edge_agent.processes.rtpengine import SiteRelay
from edge_agent.processes.supervisor import ProcessGone, ProcessStatus, Supervised
from edge_agent.processes.voicemail import TELL_MAILBOXES
from edge_agent.readiness import Readiness
from edge_agent.rollout import Rollout, Surroundings
from edge_agent.settings import ServiceManager, Settings
from edge_agent.sip.transport.own_certificate import OWN_CERTIFICATE
from edge_agent.site_blobs import SiteBlobs
from edge_agent.site_recordings import SiteRecordings
from edge_agent.status import ProcessLine, Status, read_status, write_status
from edge_agent.sync.client import Channel
from edge_agent.sync.held_events import take_all_left_over
from edge_agent.sync.identity import Identity
from edge_agent.sync.outbox import Outbox
from edge_agent.sync.secret_store import SecretStore
from edge_agent.sync.site import (
    ChannelSettings,
    ChannelState,
    CommandOutcome,
    Connection,
    Refused,
    Running,
    Verdict,
)
from edge_agent.sync.state_store import StateStore
from edge_agent.sync.store import SnapshotStore
from edge_agent.tokens import Tokens

log = logging.getLogger(__name__)

TICK_SECONDS: Final = 1.0
"""How often the watchdog is fed and the status renewed."""
START_TOGETHER_SECONDS: Final = 5.0
"""How long the first configuration waits for a process that is not up; it must not hold up the others for longer."""
CHANNEL_PAUSE_SECONDS: Final = 5.0
CHANNEL_STOP_SECONDS: Final = 2.0


def agent_version() -> str:
    """The version of this program."""
    try:
        return version("tandem")
    except PackageNotFoundError:
        return "0"


class Agent:
    """One edge agent.

    Args:
        settings: of this machine.
        identity: from the enrollment.
        manager: what the environment said about the service manager.
        announce: given each announcement for programs that started the agent (`ready_line`'s arguments).
        modules: what to run as processes.
        make_channel: called with the arguments of `Channel`.
    """

    def __init__(
        self,
        settings: Settings,
        identity: Identity,
        clock: Clock,
        tokens: Tokens,
        manager: ServiceManager | None = None,
        announce: Callable[[Mapping[str, int], int | None], None] | None = None,
        modules: Mapping[str, str] = MODULES,
        make_channel: Callable[..., Connection] = Channel,
    ) -> None:
        folder = settings.state_dir
        self._settings, self._identity, self._clock, self._tokens = settings, identity, clock, tokens
        self._announce = announce
        self._manager = manager or ServiceManager()
        self._readiness = Readiness(self._manager)
        self._store = SnapshotStore(folder / "snapshot")
        self._secrets = SecretStore(folder / "secrets.bin", identity.storage_key(), tokens)
        self._outbox = Outbox.open(folder / "outbox.db", clock, tokens)
        self._state_store = StateStore.open(folder / "state.db", identity.edge_id, clock)
        self._alarms = Alarms(self)
        shown = Path(settings.sip.tls_certificate) if settings.sip.tls_certificate else folder / OWN_CERTIFICATE
        self._checks: tuple[Check, ...] = (
            FreeSpace(folder, settings.health.free_space_minimum_mb),
            CertificateExpiry(shown, self._site_certificate, clock),
        )
        self._processes = {name: Supervised(name, module, settings, self, clock) for name, module in modules.items()}
        self.notifier = ProcessNotifier(self._order_sip, self._notice_told)
        """Tells phones things they did not subscribe to (edge_agent.ports.Notifier)."""
        self._lamps = ProcessMessageLamps(self._order_sip)
        self._orbits = ProcessOrbitLamps(self._order_sip)
        self._engine = EngineIdentity(self._order_sip, settings.media.engine)
        self._relay = SiteRelay(
            settings,
            self._order_sip,
            self._processes["media"].order,
            self._alarms,
            clock,
            tokens,
            self._renew_status,
            self.report,
        )
        self._rollout = Rollout(
            tuple(self._processes.values()),
            self._store,
            self._surroundings,
            self._state_store.records,
            self._running_version_refused,
        )
        self._blobs = SiteBlobs(folder, settings.blobs.limit_mb * 1024 * 1024, self, clock, tokens)
        self._blobs.fetcher.on_came = self._blob_came
        self._recordings = SiteRecordings(folder, self._tell_mailboxes, clock, tokens, self._tell_call_recordings)
        self._channel: Connection = make_channel(
            identity,
            self,
            self._outbox,
            self._secrets,
            self._state_store,
            clock=clock,
            tokens=tokens,
            agent_version=agent_version(),
            settings=ChannelSettings(quic=settings.channel.transport == "auto"),
            blobs=self._blobs.fetcher,
            recordings=self._recordings.sender,
        )
        self._telling: set[asyncio.Task[None]] = set()
        self._stopping = asyncio.Event()
        self._state = "starting"
        self._rejected: tuple[int, tuple[str, ...]] | None = None
        self._announced: tuple[dict[str, int], int | None] | None = None
        self._shown: Status | None = None

    # The agent's life

    async def run(self) -> None:
        """Start everything, and return when `stop` was called and everything has stopped."""
        self._close_what_was_left_open()
        processes = [asyncio.create_task(process.run()) for process in self._processes.values()]
        processes.append(asyncio.create_task(self._relay.run()))
        beside: list[asyncio.Task[None]] = []
        try:
            snapshot = self._store.load()
            self._blobs.begin(snapshot, self._store.kept_blobs())
            self._recordings.runs(snapshot)
            await self._until_stopped(self._rollout.begin(snapshot, self._secrets.values(), START_TOGETHER_SECONDS))
            beside = [asyncio.create_task(self._keep_channel()), asyncio.create_task(self._look_after())]
            self._state = "running"
            self._renew_status()
            self._readiness.ready(self._summary())
            log.info("agent_ready", extra={"version": snapshot.version if snapshot else None})
            await self._stopping.wait()
        finally:
            await self._stop_everything(processes, beside)

    def stop(self) -> None:
        """Ask the agent to stop; for signal handlers."""
        self._stopping.set()

    @property
    def ports(self) -> dict[str, int]:
        """Everything that is bound, by name."""
        bound = {name: port for process in self._processes.values() for name, port in process.ports.items()}
        media = self._settings.media
        return {**bound, "rtp_first": media.rtp_first_port, "rtp_last": media.rtp_last_port}

    def _close_what_was_left_open(self) -> None:
        closed = self._close_interrupted()
        if closed:
            log.warning("calls_were_interrupted", extra={"calls": closed})
        before = read_status(self._settings.state_dir)
        for alarm in before.alarms if before else ():
            self._alarms.forget(alarm)

    def _close_interrupted(self) -> int:
        take_all_left_over(self._outbox, self._settings.state_dir)
        return self._outbox.close_interrupted(self._clock.now())

    async def _stop_everything(self, processes: list[asyncio.Task[None]], beside: list[asyncio.Task[None]]) -> None:
        log.info("agent_stopping")
        self._stopping.set()
        self._state = "stopping"
        self._readiness.stopping()
        await self._channel.stop()
        await asyncio.gather(*(process.stop() for process in self._processes.values()), self._relay.stop())
        if beside:
            await asyncio.wait(beside, timeout=CHANNEL_STOP_SECONDS)
        for task in beside:
            task.cancel()
        await asyncio.gather(*processes, *beside, return_exceptions=True)
        self._state = "stopped"
        self._renew_status()
        self._outbox.close()
        self._state_store.close()
        self._recordings.close()
        log.info("agent_stopped")

    async def _until_stopped(self, work: Coroutine[Any, Any, None]) -> None:
        """Do this, but not beyond the moment at which the agent is asked to stop."""
        doing, stopping = asyncio.create_task(work), asyncio.create_task(self._stopping.wait())
        await asyncio.wait((doing, stopping), return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not doing.done():
            doing.cancel()
            return
        doing.result()

    async def _keep_channel(self) -> None:
        """The channel, whatever happens to it: a fault in it must not end calls."""
        while not self._stopping.is_set():
            try:
                await self._channel.run()
            except Exception as error:  # the channel's outermost loop
                log.exception("channel_failed")
                self._alarms.begin("channel_failed", "warning", f"the channel ended unexpectedly: {error}")
            await self._pause(CHANNEL_PAUSE_SECONDS)

    async def _look_after(self) -> None:
        """Once a second: feed the watchdog, renew the status; now and then, the checks."""
        check_at = 0.0
        while not self._stopping.is_set():
            if self._clock.monotonic() >= check_at:
                check_at = self._clock.monotonic() + self._settings.health.interval_seconds
                self._run_checks()
                await self._rollout.refresh()
            self._readiness.alive()
            self._renew_status()
            await self._pause(TICK_SECONDS)

    def _run_checks(self) -> None:
        for check in self._checks:
            finding = check.run()
            if finding is None:
                self._alarms.end(check.alarm)
            else:
                self._alarms.begin(check.alarm, finding.severity, finding.text)

    def _site_certificate(self) -> bytes | None:
        """The chain that the site's configuration has, unless this machine's settings go before."""
        running = self._rollout.current
        certificate = running.site.sip_certificate if running is not None else None
        if certificate is None or self._settings.sip.tls_certificate:
            return None
        return certificate.chain.encode()

    async def _pause(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        except TimeoutError:
            return

    # What the channel asks (edge_agent.sync.site.SiteHandlers)

    def running(self) -> Snapshot | None:
        """The snapshot that runs now."""
        return self._rollout.current

    async def on_snapshot(self, snapshot: Snapshot, secrets: Mapping[str, SecretStr]) -> Verdict:
        """Put it in the place of the one that runs, or refuse it."""
        waits = self._blobs.problems(snapshot)
        problems = waits or await self._rollout.apply(snapshot, secrets)
        if problems:
            self._rejected = (snapshot.version, problems)
            self._alarms.begin(
                "snapshot_rejected", "critical", f"version {snapshot.version} does not run here: {'; '.join(problems)}"
            )
            verdict: Verdict = Refused(problems, waits=bool(waits))
        else:
            self._blobs.runs(snapshot)
            self._recordings.runs(snapshot)
            self._rejected = None
            self._alarms.end("snapshot_rejected")
            verdict = Running()
        self._renew_status()
        return verdict

    def _blob_came(self) -> None:
        """What waited for it goes on: a snapshot here, firmware at the process that hands it out."""
        self._channel.blobs_came()
        self._order_provisioning("blobs_came", {})

    def _tell_mailboxes(self) -> None:
        """A hub that takes messages is there after one that did not."""
        if (media := self._processes.get("media")) is not None:
            self._order_aside(media, TELL_MAILBOXES, {})

    def _tell_call_recordings(self) -> None:
        """As `_tell_mailboxes`, of recordings of calls."""
        if (media := self._processes.get("media")) is not None:
            self._order_aside(media, TELL_CALL_RECORDINGS, {})

    def _order_provisioning(self, name: str, arguments: dict[str, str]) -> None:
        if (provisioning := self._processes.get("provisioning")) is not None:
            self._order_aside(provisioning, name, arguments)

    async def on_state(self, records: tuple[StateRecord, ...]) -> None:
        """Tell the processes."""
        self._rollout.set_state(records)

    async def on_command(self, command: Command) -> CommandOutcome:
        """Have a process do it."""
        if command.name == FIGURES:
            return CommandOutcome(ok=True, content=self._figures().model_dump_json())
        process = self._processes.get((ORDERS | QUESTIONS).get(command.name, ""))
        if process is None:
            return CommandOutcome(ok=False, text=f"this agent knows no command {command.name}")
        try:
            answer = await process.order(command.name, command.arguments)
        except ProcessGone as error:
            return CommandOutcome(ok=False, text=str(error))
        if answer.ok and command.name in QUESTIONS:
            return CommandOutcome(ok=True, content=answer.text)
        return CommandOutcome(ok=answer.ok, text=answer.text)

    def on_channel(self, state: ChannelState) -> None:
        """Show it."""
        log.info("channel_online" if state.online else "channel_offline", extra={"problem": state.problem})
        if state.online:
            self._alarms.end("channel_failed")
        self._renew_status()

    # What processes do (edge_agent.processes.supervisor.Watcher)

    async def process_started(self, process: Supervised) -> None:
        """Bring it to the version that runs."""
        await self._rollout.configure(process)
        if process.name == "sip":
            self._lamps.tell_again()
            self._orbits.tell_again()
            self._engine.tell_again()
            self._relay.sip_started()
        self._renew_status()

    def process_ended(self, process: Supervised, problem: str) -> None:
        """Raise an alarm, and close what it left open."""
        if process.name == "sip":
            self.notifier.process_ended()
            self._close_interrupted()
        if process.name == "media":
            self._orbits.orbits_taken({})
            self._engine.process_ended()
        self._alarms.begin("process_restarted", "warning", f"{process.name}: {problem}", process.name)
        self._channel.notify_outbox()
        self._renew_status()

    def process_reported(self, process: Supervised) -> None:
        """Wake the senders."""
        self._channel.notify_outbox()
        if process.name == "media":
            self._recordings.sender.look_again()

    def process_wants(self, process: Supervised, notice: Notice) -> None:
        """Send it, under a name by which its outcome finds back."""
        self.notifier.notify(replace(notice, notice_id=f"{process.name}:{notice.notice_id}"))

    def process_told(self, process: Supervised, outcome: NoticeOutcome) -> None:
        """The SIP process knows what became of a notice."""
        self.notifier.process_told(outcome)

    def messages_waiting(self, counts: MessagesWaiting) -> None:
        """Tell the SIP process, which knows the phones (edge_agent.ports.MessageLamps)."""
        self._lamps.messages_waiting(counts)

    def orbits_taken(self, waiting: Mapping[str, str]) -> None:
        """Tell the SIP process, which knows whose lamps they are."""
        self._orbits.orbits_taken(waiting)

    def carry(self, streams: tuple[RelayedStream, ...]) -> None:
        """Tell rtpengine and the media process (edge_agent.ports.MediaRelay)."""
        self._relay.carry(streams)

    def key_pressed(self, call_id: str, key: str) -> None:
        """Tell the SIP process, whose call it is."""
        self._order_aside(self._processes["sip"], KEY_PRESSED, {"call_id": call_id, "key": key})

    def engine_is(self, engine_id: str) -> None:
        """Tell the SIP process, which ends the calls of another one."""
        self._engine.engine_is(engine_id)

    def phone_showed(self, device_id: str, user_agent: str) -> None:
        """Tell the process that hands out firmware."""
        self._order_provisioning("phone_showed", {"device_id": device_id, "user_agent": user_agent})

    def process_wrote(self, process: Supervised, values: Mapping[str, str | bool]) -> None:
        """Keep it on disk, tell every process, and the cloud when it is there."""
        log.info("state_written", extra={"subsystem": process.name, "keys": sorted(values)})
        self._rollout.set_state(tuple(self._state_store.write(key, value) for key, value in values.items()))
        self._channel.notify_state()

    async def _order_sip(self, name: str, arguments: dict[str, str]) -> Answer:
        return await self._processes["sip"].order(name, arguments)

    def _notice_told(self, outcome: NoticeOutcome) -> None:
        log.info("notice_told", extra={"notice_id": outcome.notice_id, "state": outcome.state, "text": outcome.text})
        owner, separator, notice_id = outcome.notice_id.partition(":")
        process = self._processes.get(owner) if separator else None
        if process is not None:
            told = asdict(replace(outcome, notice_id=notice_id))
            self._order_aside(process, "notice_told", {name: str(value) for name, value in told.items()})

    def _order_aside(self, process: Supervised, name: str, arguments: dict[str, str]) -> None:
        """Tell a process without waiting for its answer; one that ended meanwhile does without."""

        async def tell() -> None:
            with contextlib.suppress(ProcessGone):
                await process.order(name, arguments)

        task = asyncio.get_running_loop().create_task(tell())
        self._telling.add(task)
        task.add_done_callback(self._telling.discard)

    def process_steady(self, process: Supervised) -> None:
        """It has recovered."""
        self._alarms.end("process_restarted", process.name)

    def report(self, what: Happening) -> None:
        """Keep an event of the agent's own, and wake the sender (edge_agent.ports.Reporter)."""
        self._outbox.report(what)
        self._channel.notify_outbox()

    def _running_version_refused(self, name: str, problems: tuple[str, ...]) -> None:
        self._alarms.begin("snapshot_rejected", "critical", f"{name} does not run it: {'; '.join(problems)}", name)

    # What others see

    def _surroundings(self) -> Surroundings:
        sip, media = self._settings.sip, self._processes["media"].ports.get("media_sip")
        bound = self._processes["sip"].ports
        return Surroundings(
            services={name: f"sip:{user}@127.0.0.1:{media}" for name, user in SERVICES.items()} if media else {},
            sip_host=reachable_host(sip.address, sip.advertised_host),
            sip_ports={
                "udp": bound.get("sip_udp", sip.udp_port),
                "tcp": bound.get("sip_tcp", sip.tcp_port),
                **{kind: bound[f"sip_{kind}"] for kind in ("tls", "ws", "wss") if f"sip_{kind}" in bound},
            },
            own_hosts=tuple(dict.fromkeys((*sip.hosts, *own_addresses()))),
        )

    def _figures(self) -> EdgeFigures:
        told = {status.name: dict(status.figures) for status in self._statuses()}
        return EdgeFigures(processes={**told, "agent": {"events_waiting": len(self._outbox)}})

    def _statuses(self) -> list[ProcessStatus]:
        found = [process.status for process in self._processes.values()]
        return [*found, self._relay.status] if self._relay.status is not None else found

    def _summary(self) -> str:
        if self._state != "running":
            return self._state
        return "running" if self._rollout.current else "waiting for first configuration"

    def _renew_status(self) -> None:
        """Write the status file if it would say something new, and announce what programs wait for."""
        channel, current = self._channel.state, self._rollout.current
        status = Status(
            state=self._summary(),
            at=self._shown.at if self._shown else self._clock.now(),
            pid=os.getpid(),
            agent_version=agent_version(),
            edge_id=self._identity.edge_id,
            site_id=self._identity.site_id,
            online=channel.online and self._state == "running",
            transport=channel.transport,
            channel_since=channel.since,
            channel_problem=channel.problem,
            running_version=current.version if current else None,
            rejected_version=self._rejected[0] if self._rejected else None,
            rejected_problems=self._rejected[1] if self._rejected else (),
            events_waiting=len(self._outbox),
            processes=tuple(_process_line(status) for status in self._statuses()),
            alarms=self._alarms.active(),
        )
        if status != self._shown:
            self._shown = status.model_copy(update={"at": self._clock.now()})
            try:
                write_status(self._settings.state_dir, self._shown)
            except OSError as error:
                log.warning("status_not_written", extra={"reason": error.strerror})
        self._readiness.status(self._summary())
        self._announce_if_new()

    def _announce_if_new(self) -> None:
        if self._announce is None or self._state != "running":
            return
        current = self._rollout.current
        configured = all(process.status.state == "configured" for process in self._processes.values())
        announcement = (self.ports, current.version if current else None)
        if (current is None or configured) and announcement != self._announced:
            self._announced = announcement
            self._announce(*announcement)


def _process_line(status: ProcessStatus) -> ProcessLine:
    return ProcessLine(
        name=status.name,
        state=status.state,
        pid=status.pid,
        version=status.version,
        restarts=status.restarts,
        ports=dict(status.ports),
        figures=dict(status.figures),
        problem=status.problem,
    )
