"""A phone that goes on whatever becomes of its edge: it sends again, connects again, registers again.

It shares no code with the edge. Any number of calls go through one phone at a time.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import re
import ssl
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Literal

Kind = Literal["udp", "tcp", "tls"]
HOST: Final = "127.0.0.1"
DOMAIN: Final = "demo.tandem.test"
_PARAMETER: Final = re.compile(r'(\w+)=(?:"([^"]*)"|([^",\s]+))')
_GIVE_UP_SECONDS: Final = 32.0
_RECONNECT_SECONDS: Final = 0.25
_PATIENCE_SECONDS: Final = 35.0


@dataclass
class Answer:
    """A response: its status and its text."""

    status: int
    text: str

    def all(self, name: str) -> list[str]:
        """The values of every header line of that name."""
        return re.findall(rf"(?im)^{name}\s*:\s*(.*?)\r?$", self.text)


class NoAnswer(Exception):
    """Nothing came within 32 seconds."""


class Refused(Exception):
    """A call was refused; `status` is why."""

    def __init__(self, status: int) -> None:
        super().__init__(f"refused {status}")
        self.status = status


@dataclass(frozen=True)
class Dialog:
    """An answered call, as its caller goes on in it.

    Args:
        call_id: its Call-ID.
        target: the other end's Contact.
        to: the other end, with its tag.
        routes: header lines that lead there.
        number: CSeq of the INVITE.
    """

    call_id: str
    target: str
    to: str
    routes: str
    number: int


@dataclass
class Phone:
    """One account.

    Args:
        number: user name; its digest user is `auth<number>`, its password `password-<number>`.
        kind: what it speaks.
        edge: port of the edge for that.
        context: for TLS.
        back: told how long after the loss of a connection the phone was registered again.
    """

    number: str
    kind: Kind
    edge: int
    context: ssl.SSLContext | None = None
    back: Callable[[float], None] = lambda seconds: None
    answered: int = 0
    _waiting: dict[tuple[str, str], asyncio.Queue[Answer]] = field(default_factory=dict)
    _count: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _challenge: dict[str, str] = field(default_factory=dict)
    _uses: int = 0
    _udp: asyncio.DatagramTransport | None = None
    _writer: asyncio.StreamWriter | None = None
    _connected: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None
    _ending: dict[str, asyncio.Task[str]] = field(default_factory=dict)
    """Calls that were answered too late, by Call-ID."""
    _established: set[str] = field(default_factory=set)
    """Calls that are answered; a further 200 of one is a repetition."""
    port: int = 0

    @property
    def contact(self) -> str:
        """Always the same, as a phone's that listens at one port."""
        transport = "" if self.kind == "udp" else f";transport={self.kind}"
        return f"sip:{self.number}@{HOST}:{self.port}{transport}"

    # -- life

    async def start(self) -> None:
        """Connect and register."""
        if self.kind == "udp":
            loop = asyncio.get_running_loop()
            self._udp, _ = await loop.create_datagram_endpoint(lambda: _Datagrams(self), (HOST, 0))
            self.port = self._udp.get_extra_info("sockname")[1]
            self._connected.set()
            await self.register()
        else:
            self.port = 20_000 + int(self.number)
            registered = asyncio.Event()
            self._task = asyncio.create_task(self._stay_connected(registered))
            await registered.wait()

    async def stop(self) -> None:
        """Let go of everything."""
        tasks = [*self._ending.values(), *([self._task] if self._task is not None else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._writer is not None:
            self._writer.close()
        if self._udp is not None:
            self._udp.close()

    async def _stay_connected(self, registered: asyncio.Event) -> None:
        lost: float | None = None
        while True:
            try:
                reader, self._writer = await asyncio.open_connection(HOST, self.edge, ssl=self.context)
            except OSError:
                await asyncio.sleep(_RECONNECT_SECONDS)
                continue
            self._connected.set()
            reading = asyncio.create_task(self._read(reader))
            if await self._registers(reading):
                if lost is not None:
                    self.back(time.monotonic() - lost)
                    lost = None
                registered.set()
            else:
                await asyncio.sleep(_RECONNECT_SECONDS)
                self._writer.close()
            await reading
            self._connected.clear()
            self._writer.close()
            lost = lost or time.monotonic()

    async def _registers(self, reading: asyncio.Task[None]) -> bool:
        """Register; False when that fails or the connection breaks meanwhile, which brings no answer then."""
        registering = asyncio.create_task(self.register())
        try:
            await asyncio.wait({registering, reading}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            registering.cancel()
        (outcome,) = await asyncio.gather(registering, return_exceptions=True)
        if isinstance(outcome, BaseException) and not isinstance(outcome, (NoAnswer, OSError, asyncio.CancelledError)):
            raise outcome
        return isinstance(outcome, Answer)

    async def _read(self, reader: asyncio.StreamReader) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                length = re.search(rb"(?i)content-length\s*:\s*(\d+)", head)
                body = await reader.readexactly(int(length[1]) if length else 0)
                self.arrived((head + body).decode())
        except (OSError, asyncio.IncompleteReadError, ssl.SSLError):
            return

    def send(self, text: str) -> None:
        """One message; what cannot be sent is sent again later, as on any network."""
        if self._udp is not None:
            self._udp.sendto(text.encode(), (HOST, self.edge))
        elif self._writer is not None and self._connected.is_set() and not self._writer.is_closing():
            self._writer.write(text.encode())

    # -- asking

    async def register(self) -> Answer:
        """REGISTER for an hour."""
        answer = await self._ask(
            "REGISTER", f"sip:{DOMAIN}", f"<sip:{self.number}@{DOMAIN}>", self.new_call(), "Expires: 3600\r\n"
        )
        if answer.status != 200:
            raise NoAnswer(f"REGISTER {answer.status}")
        return answer

    def new_call(self) -> str:
        return f"{self.number}-{next(self._count)}-{time.time_ns():x}"

    async def call(self, callee: str, talk: float, talking: set[str], name: str = "") -> str:
        """One call from INVITE to BYE; what became of it: `ended`, or why not.

        Args:
            callee: whom.
            talk: seconds between ACK and BYE.
            talking: holds the call while it is answered.
            name: of the call.
        """
        call_id = name or self.new_call()
        try:
            dialog = await self.begin(f"sip:{callee}@{DOMAIN}", call_id)
            talking.add(call_id)
            try:
                await asyncio.sleep(talk)
                return await self.hang_up(dialog)
            finally:
                talking.discard(call_id)
        except NoAnswer as error:
            return f"no answer {error}"
        except Refused as error:
            return str(error)

    async def begin(self, uri: str, call_id: str) -> Dialog:
        """INVITE somebody and acknowledge the answer; whoever begins a call ends it by `hang_up`.

        Raises:
            NoAnswer: nothing came.
            Refused: the answer is no 200.
        """
        answer = await self._ask("INVITE", uri, f"<{uri}>", call_id, "")
        if answer.status != 200:
            raise Refused(answer.status)
        self.answered += 1
        dialog = _dialog(call_id, answer)
        self._established.add(call_id)
        self._acknowledged(dialog)
        return dialog

    async def hang_up(self, dialog: Dialog) -> str:
        """End a call; what became of it."""
        try:
            return await self._end(dialog, dialog.number + 100)
        finally:
            self._established.discard(dialog.call_id)

    def _acknowledged(self, dialog: Dialog) -> None:
        self.send(self._request("ACK", dialog.target, dialog.to, dialog.call_id, dialog.number, dialog.routes))

    async def _end(self, dialog: Dialog, number: int) -> str:
        """BYE, and again while the other phone's connection is not back yet."""
        until = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                answer = await self._ask("BYE", dialog.target, dialog.to, dialog.call_id, dialog.routes, number)
            except NoAnswer:
                status = 408
            else:
                status = answer.status
            if status == 200:
                return "ended"
            if time.monotonic() > until:
                return f"BYE {status}"
            number += 1
            await asyncio.sleep(1.0)

    async def _ask(self, method: str, uri: str, to: str, call_id: str, headers: str, number: int = 1) -> Answer:
        """A request with credentials, and again with others when they are asked for."""
        queue = self._waiting[call_id, method] = asyncio.Queue()
        try:
            for _ in range(4):
                credentials = "" if method == "BYE" else self._credentials(method, uri)
                text = self._request(method, uri, to, call_id, number, headers + credentials)
                answer = await self._final(queue, text, number, method)
                if answer.status not in (401, 407):
                    if method == "INVITE" and answer.status >= 300:
                        self._acknowledge(text, answer)
                    return answer
                if method == "INVITE":
                    self._acknowledge(text, answer)
                value = (answer.all("WWW-Authenticate") or answer.all("Proxy-Authenticate"))[0]
                self._challenge = {name: a or b for name, a, b in _PARAMETER.findall(value)}
                self._uses = 0
                number += 1
            return answer
        finally:
            del self._waiting[call_id, method]

    async def _final(self, queue: asyncio.Queue[Answer], text: str, number: int, method: str) -> Answer:
        until, pause = time.monotonic() + _GIVE_UP_SECONDS, 0.5
        await self._connected.wait()
        self.send(text)
        while (left := until - time.monotonic()) > 0:
            try:
                answer = await asyncio.wait_for(queue.get(), min(pause, left))
            except TimeoutError:
                pause = min(2 * pause, 4.0)
                self.send(text)
                continue
            if answer.status >= 200 and answer.all("CSeq")[0].split()[0] == str(number):
                return answer
            if answer.status < 200 and self.kind != "udp":
                pause = 4.0
        raise NoAnswer(method)

    def _request(self, method: str, uri: str, to: str, call_id: str, number: int, headers: str) -> str:
        branch = f"z9hG4bK{call_id}-{method}-{number}"
        return (
            f"{method} {uri} SIP/2.0\r\n"
            f"Via: SIP/2.0/{self.kind.upper()} {HOST}:{self.port};branch={branch};rport\r\n"
            f"Max-Forwards: 70\r\n"
            f"From: <sip:{self.number}@{DOMAIN}>;tag=f{call_id}\r\n"
            f"To: {to}\r\nCall-ID: {call_id}\r\nCSeq: {number} {method}\r\n"
            f"Contact: <{self.contact}>\r\n{headers}Content-Length: 0\r\n\r\n"
        )

    def _acknowledge(self, invite: str, answer: Answer) -> None:
        uri = invite.split(" ", 2)[1]
        branch = Answer(0, invite).all("Via")[0]
        of, call_id = Answer(0, invite).all("From")[0], Answer(0, invite).all("Call-ID")[0]
        number = answer.all("CSeq")[0].split()[0]
        self.send(
            f"ACK {uri} SIP/2.0\r\nVia: {branch}\r\nMax-Forwards: 70\r\nFrom: {of}\r\nTo: {answer.all('To')[0]}\r\n"
            f"Call-ID: {call_id}\r\nCSeq: {number} ACK\r\nContent-Length: 0\r\n\r\n"
        )

    def _credentials(self, method: str, uri: str) -> str:
        if not self._challenge:
            return ""
        self._uses += 1
        realm, nonce, nc = self._challenge["realm"], self._challenge["nonce"], f"{self._uses:08x}"
        name = f"auth{self.number}"
        first = _md5(f"{name}:{realm}:password-{self.number}")
        proof = _md5(f"{first}:{nonce}:{nc}:c:auth:{_md5(f'{method}:{uri}')}")
        header = "Authorization" if method == "REGISTER" else "Proxy-Authorization"
        return (
            f'{header}: Digest username="{name}", realm="{realm}", nonce="{nonce}", uri="{uri}", response="{proof}", '
            f'algorithm=MD5, qop=auth, nc={nc}, cnonce="c"\r\n'
        )

    # -- answering

    def arrived(self, text: str) -> None:
        """A message came."""
        message = Answer(0, text)
        if text.startswith("SIP/2.0 "):
            message.status = int(text[8:11])
            queue = self._waiting.get((message.all("Call-ID")[0], message.all("CSeq")[0].split()[1]))
            if queue is not None:
                queue.put_nowait(message)
            elif message.status == 200 and message.all("CSeq")[0].endswith(" INVITE"):
                self._end_late(message)
            return
        method = text.split(" ", 1)[0]
        if method == "INVITE":
            self.send(self._response(message, "180 Ringing"))
        if method != "ACK":
            self.send(self._response(message, "200 OK"))

    def _end_late(self, answer: Answer) -> None:
        """Somebody answered a call that was given up (RFC 3261 §13.2.2.4, §15): ACK each time, BYE until heard."""
        call_id = answer.all("Call-ID")[0]
        dialog = _dialog(call_id, answer)
        self._acknowledged(dialog)
        if call_id not in self._ending and call_id not in self._established:
            ending = asyncio.create_task(self._end(dialog, dialog.number + 200))
            self._ending[call_id] = ending
            ending.add_done_callback(lambda _: self._ending.pop(call_id, None))

    def _response(self, request: Answer, status: str) -> str:
        via = "".join(f"Via: {one}\r\n" for one in request.all("Via"))
        record = "".join(f"Record-Route: {one}\r\n" for one in request.all("Record-Route"))
        to = request.all("To")[0]
        tag = "" if ";tag=" in to else f";tag=t{self.number}"
        return (
            f"SIP/2.0 {status}\r\n{via}{record}From: {request.all('From')[0]}\r\nTo: {to}{tag}\r\n"
            f"Call-ID: {request.all('Call-ID')[0]}\r\nCSeq: {request.all('CSeq')[0]}\r\nContact: <{self.contact}>\r\n"
            f"Content-Length: 0\r\n\r\n"
        )


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, phone: Phone) -> None:
        self._phone = phone

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        del addr
        if data[:1] < b"\x80":  # else the RTCP of a talker whose RTP has the port below this one
            self._phone.arrived(data.decode())


def _dialog(call_id: str, answer: Answer) -> Dialog:
    return Dialog(
        call_id,
        answer.all("Contact")[0].partition("<")[2].partition(">")[0],
        answer.all("To")[0],
        "".join(f"Route: {one}\r\n" for one in reversed(answer.all("Record-Route"))),
        int(answer.all("CSeq")[0].split()[0]),
    )


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()
