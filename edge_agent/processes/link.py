"""The link between the agent and each of its processes: JSON lines over an inherited socketpair.

A conversation: ↓Start · ↑Started (sockets that need no configuration are bound) · then, at any time, ↓Prepare answered
by ↑Prepared or ↑Refused, ↓Commit answered by ↑Committed, ↓SetState, ↓Order answered by ↑Answer, ↓AskHealth
answered by ↑Health, ↑Reported when the outbox has something new · at last ↓Stop, or ↑Failed. `↓` goes from the agent
to a process. End of file on either side: the other is gone; a process stops, the agent starts it again.

Secret values cross this link in clear, because it never leaves the two processes; in memory they are `SecretStr`.
"""

import asyncio
import socket
from typing import Annotated, Final, Literal, TypeVar

from pydantic import Field, PlainSerializer, SecretStr, TypeAdapter, ValidationError

from contract.snapshot import Snapshot
from contract.sync.state import StateRecord
from contract.values import Frozen, Id, SecretRef
from edge_agent.errors import EdgeError
from edge_agent.ports import MessagesWaiting, Notice, NoticeOutcome, RelayedStream
from edge_agent.settings import Settings

MAX_LINE_BYTES: Final = 96 * 1024 * 1024
"""One message; the largest snapshot with its secrets fits."""
MAX_UNSENT_BYTES: Final = 2 * MAX_LINE_BYTES
"""What may wait for a process that does not read."""

ClearSecret = Annotated[
    SecretStr, PlainSerializer(lambda secret: secret.get_secret_value(), return_type=str, when_used="json")
]
"""A secret that is written out on the link, and nowhere else."""

Ports = dict[str, int]
"""Bound ports by name: `sip_udp`, `sip_tcp`, `tftp`, `http`, `media_sip`, `media_events`."""


class LinkError(EdgeError):
    """The link is broken or what came over it is no message; the text does not repeat what came."""


class Start(Frozen):
    """↓ The first message: what the machine's settings are."""

    type: Literal["start"] = "start"
    settings: Settings
    ports: Ports = Field(default_factory=dict)
    """Ports that an earlier run of this process had where the settings leave the choice open."""


class Started(Frozen):
    """↑ The process is up and waits for a configuration."""

    type: Literal["started"] = "started"
    ports: Ports = Field(default_factory=dict)


class Prepare(Frozen):
    """↓ Get ready for this configuration, without using it yet."""

    type: Literal["prepare"] = "prepare"
    version: int
    snapshot: Snapshot
    secrets: dict[SecretRef, ClearSecret]
    state: tuple[StateRecord, ...] = ()
    services: dict[str, str] = Field(default_factory=dict)
    """Voice services of the site by name, with the URI that each is reached at."""
    sip_host: str = ""
    """The name or address that phones register with."""
    sip_ports: Ports = Field(default_factory=dict)
    """`udp` and `tcp`, as phones reach them."""
    own_hosts: tuple[str, ...] = ()
    """Every further name and address that means this edge."""


class Prepared(Frozen):
    """↑ Ready to commit."""

    type: Literal["prepared"] = "prepared"
    version: int


class Refused(Frozen):
    """↑ This configuration cannot be used here, and why."""

    type: Literal["refused"] = "refused"
    version: int
    problems: Annotated[tuple[str, ...], Field(min_length=1)]


class Commit(Frozen):
    """↓ Use what was prepared, from now on."""

    type: Literal["commit"] = "commit"
    version: int


class Committed(Frozen):
    """↑ In use; `ports` names everything bound now."""

    type: Literal["committed"] = "committed"
    version: int
    ports: Ports = Field(default_factory=dict)


class SetState(Frozen):
    """↓ Site state records that are new or changed."""

    type: Literal["set_state"] = "set_state"
    records: tuple[StateRecord, ...]


class Order(Frozen):
    """↓ Something to do at once, such as `report_registrations`."""

    type: Literal["order"] = "order"
    order_id: Id
    name: str
    arguments: dict[str, str] = Field(default_factory=dict)


class Answer(Frozen):
    """↑ What came of an order; an unknown order is answered, not dropped."""

    type: Literal["answer"] = "answer"
    order_id: Id
    ok: bool
    text: str = ""


class Failed(Frozen):
    """↑ The last message of a process that cannot go on, and why; the agent starts it again."""

    type: Literal["failed"] = "failed"
    problem: Annotated[str, Field(max_length=4096)]


class Reported(Frozen):
    """↑ Something new lies in the outbox."""

    type: Literal["reported"] = "reported"


class Told(Frozen):
    """↑ What became of a notice at one phone (order `notify`), or that it waits."""

    type: Literal["told"] = "told"
    outcome: NoticeOutcome


class Wanted(Frozen):
    """↑ A notice for a phone, please; what becomes of it comes back as the order `notice_told`."""

    type: Literal["wanted"] = "wanted"
    notice: Notice


class Waits(Frozen):
    """↑ A mailbox has so many messages now; the SIP process hears it as the order `messages_waiting`."""

    type: Literal["waits"] = "waits"
    counts: MessagesWaiting


class OrbitsTaken(Frozen):
    """↑ Who waits in each taken orbit of call park; the SIP process hears it as the order `orbits_taken`."""

    type: Literal["orbits_taken"] = "orbits_taken"
    waiting: Annotated[dict[str, str], Field(max_length=10_000)]
    """By orbit."""


class Carries(Frozen):
    """↑ Exactly these streams of media are to be relayed; the media process hears it as the order `carry`."""

    type: Literal["carries"] = "carries"
    streams: Annotated[tuple[RelayedStream, ...], Field(max_length=10_000)]


class Pressed(Frozen):
    """↑ Whose keys are watched pressed one in a relayed call; the SIP process hears it as the order `key_pressed`."""

    type: Literal["pressed"] = "pressed"
    call_id: Annotated[str, Field(max_length=65_535)]
    key: Annotated[str, Field(pattern=r"^[0-9*#A-D]$")]


class EngineIs(Frozen):
    """↑ The media engine has this id, and with another one its calls are over; the SIP process hears it as an order."""

    type: Literal["engine_is"] = "engine_is"
    engine_id: Annotated[str, Field(max_length=64)]
    """Empty: it is gone."""


class Showed(Frozen):
    """↑ A phone said what it is when it registered; provisioning hears it as the order `phone_showed`."""

    type: Literal["showed"] = "showed"
    device_id: Id
    user_agent: Annotated[str, Field(max_length=255)]


class Wrote(Frozen):
    """↑ A user changed site state at a phone; it counts once it comes back by `SetState`."""

    type: Literal["wrote"] = "wrote"
    values: Annotated[dict[str, str | bool], Field(max_length=16)]
    """By the key of the record."""


class AskHealth(Frozen):
    """↓ Are you there?"""

    type: Literal["ask_health"] = "ask_health"


class Health(Frozen):
    """↑ Yes, and some figures for people."""

    type: Literal["health"] = "health"
    figures: dict[str, int] = Field(default_factory=dict)


class Stop(Frozen):
    """↓ Finish what is quick to finish and end."""

    type: Literal["stop"] = "stop"


ToProcess = Annotated[
    Start | Prepare | Commit | SetState | Order | AskHealth | Stop,
    Field(discriminator="type"),
]
FromProcess = Annotated[
    Started
    | Prepared
    | Refused
    | Committed
    | Answer
    | Failed
    | Reported
    | Told
    | Wanted
    | Waits
    | OrbitsTaken
    | Carries
    | Pressed
    | EngineIs
    | Showed
    | Wrote
    | Health,
    Field(discriminator="type"),
]

T = TypeVar("T")

_to_process: TypeAdapter[ToProcess] = TypeAdapter(ToProcess)
_from_process: TypeAdapter[FromProcess] = TypeAdapter(FromProcess)


class _Lines:
    """Lines on a stream, each at most `MAX_LINE_BYTES` long."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def write(self, line: bytes) -> None:
        if len(line) > MAX_LINE_BYTES:
            raise LinkError(f"a message of {len(line)} bytes, at most {MAX_LINE_BYTES} are allowed")
        if self._writer.is_closing():
            raise LinkError("the other end of the link is gone")
        if self._writer.transport.get_write_buffer_size() + len(line) > MAX_UNSENT_BYTES:
            raise LinkError("the other end of the link does not read")
        self._writer.write(line + b"\n")

    async def read(self) -> bytes | None:
        try:
            line = await self._reader.readline()
        except ValueError:
            raise LinkError(f"a line longer than {MAX_LINE_BYTES} bytes") from None
        except OSError:
            return None
        return line if line.endswith(b"\n") else None

    async def close(self) -> None:
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            return


class AgentEnd:
    """The agent's end of a link."""

    def __init__(self, lines: _Lines) -> None:
        self._lines = lines

    def send(self, message: ToProcess) -> None:
        """Send without waiting.

        Raises:
            LinkError: the process is gone, or does not read.
        """
        self._lines.write(message.model_dump_json().encode())

    async def receive(self) -> FromProcess | None:
        """The next message; None when the process is gone.

        Raises:
            LinkError: what came is no message of this protocol.
        """
        line = await self._lines.read()
        return None if line is None else _checked(_from_process, line)

    async def close(self) -> None:
        """Close; the process sees the end of file."""
        await self._lines.close()


class ProcessEnd:
    """A process's end of its link."""

    def __init__(self, lines: _Lines) -> None:
        self._lines = lines

    def send(self, message: FromProcess) -> None:
        """Send without waiting.

        Raises:
            LinkError: the agent is gone, or does not read.
        """
        self._lines.write(message.model_dump_json().encode())

    async def receive(self) -> ToProcess | None:
        """The next message; None when the agent is gone.

        Raises:
            LinkError: what came is no message of this protocol.
        """
        line = await self._lines.read()
        return None if line is None else _checked(_to_process, line)

    async def close(self) -> None:
        """Close; the agent sees the end of file."""
        await self._lines.close()


def _checked(adapter: TypeAdapter[T], line: bytes) -> T:
    try:
        return adapter.validate_json(line)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise LinkError(
            f"no message of the link: {first['type']} at {'.'.join(map(str, first['loc']))[:200]}"
        ) from None


async def _lines_of(end: socket.socket) -> _Lines:
    reader, writer = await asyncio.open_connection(sock=end, limit=MAX_LINE_BYTES)
    return _Lines(reader, writer)


async def agent_end(end: socket.socket) -> AgentEnd:
    """The agent's end on its socket of the pair."""
    return AgentEnd(await _lines_of(end))


async def process_end(end: socket.socket) -> ProcessEnd:
    """A process's end on the socket that it inherited."""
    return ProcessEnd(await _lines_of(end))
