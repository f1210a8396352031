"""An office full of phones with busy lamps, on one UDP socket: each watches others, some call each other."""

from __future__ import annotations

import asyncio
import re
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Final

from edge_agent.sip.message import (
    Message,
    SipError,
    ha1,
    parse,
    parse_credentials,
    response_bytes,
    response_value,
)

_AT_ONCE: Final = 16
"""Transactions of our own that wait for an answer at one time."""
_ANSWER_SECONDS: Final = 20.0
_RESEND_SECONDS: Final = 1.0
_DIALOG: Final = re.compile(rb'entity="sip:(\d+)@|<dialog [^>]*call-id="([^"]+)"|<state>(\w+)</state>')


@dataclass
class Call:
    """When each thing of one call happened (seconds, monotonic), and who was told of it."""

    caller: int
    callee: int
    happened: dict[str, float] = field(default_factory=dict)
    told: dict[tuple[int, int], list[tuple[str, float]]] = field(default_factory=dict)
    """By watcher and whom he watches: what his lamp showed, and when it did."""


class Office(asyncio.DatagramProtocol):
    """The phones of users `first`, `first + 1`, …; user n watches the next `watched` ones.

    Args:
        edge: host and UDP port of the edge.
        domain: of the site.
        first: number of the first user; the digest user name is `auth<number>`, the password `password-<number>`.
        users: how many.
        watched: how many each watches.
    """

    def __init__(self, edge: tuple[str, int], domain: str, first: int, users: int, watched: int) -> None:
        self.edge, self.domain, self.first, self.users, self.watched = edge, domain, first, users, watched
        self.notifies: Counter[str] = Counter()
        """NOTIFYs by the state of their subscription."""
        self.notified_at: list[float] = []
        self._notified_of: set[tuple[bytes, int]] = set()
        self.shed = 0
        """Requests that the edge put off because too much came at once."""
        self.calls: dict[bytes, Call] = {}
        self._ringing: dict[int, tuple[Call, float]] = {}
        """By callee: the call that is on its way to him, and how long he lets it ring."""
        self._transport: asyncio.DatagramTransport | None = None
        self._room = asyncio.Semaphore(_AT_ONCE)
        self._waiting: dict[bytes, asyncio.Future[Message]] = {}
        self._nonces: dict[int, tuple[dict[bytes, bytes], int]] = {}
        self._locks = [asyncio.Lock() for _ in range(users)]
        self._dialogs: dict[bytes, tuple[int, int]] = {}
        """Watcher and watched by Call-ID of the subscription."""
        self._count = 0
        self._port = 0

    async def open(self) -> None:
        """Take a free port of the loopback."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(lambda: self, local_addr=("127.0.0.1", 0))
        self._port = self._transport.get_extra_info("sockname")[1]
        receiving = self._transport.get_extra_info("socket")
        receiving.setsockopt(1, 8, 8 * 1024 * 1024)  # SOL_SOCKET, SO_RCVBUF: a lamp that is lost is not a lamp late

    def close(self) -> None:
        """Let go of the port."""
        if self._transport is not None:
            self._transport.close()

    # What the test asks for

    async def subscribe(self) -> None:
        """Every lamp is switched on."""
        await asyncio.gather(*(self._subscribe(user) for user in range(self.users)))

    async def register(self, users: list[int]) -> None:
        """These phones can be called."""
        for user in users:
            answer = await self._ask(user, "REGISTER", f"sip:{self.domain}", "Expires: 600\r\n", to=user)
            assert answer.status == 200, answer.status

    async def call(self, caller: int, callee: int, ring_seconds: float, talk_seconds: float) -> Call:
        """One call from its INVITE to its BYE; the callee answers after `ring_seconds`."""
        call = Call(caller, callee)
        headers = "Content-Type: application/sdp\r\n"
        self._ringing[callee] = (call, ring_seconds)
        answer = await self._ask(caller, "INVITE", self._uri(callee), headers, to=callee, call=call)
        assert answer.status == 200, answer.status
        self._follow(caller, "ACK", answer)
        await asyncio.sleep(talk_seconds)
        call.happened["terminated"] = time.monotonic()
        self._follow(caller, "BYE", answer)
        return call

    def watchers(self, user: int) -> list[int]:
        """Who has a lamp for a user."""
        return [(user - step) % self.users for step in range(1, self.watched + 1)]

    # Requests

    def _uri(self, user: int) -> str:
        return f"sip:{self.first + user}@{self.domain}"

    async def _subscribe(self, user: int) -> None:
        for step in range(1, self.watched + 1):
            watched = (user + step) % self.users
            call_id = f"lamp-{user}-{watched}"
            self._dialogs[call_id.encode()] = (user, watched)
            headers = "Event: dialog\r\nExpires: 600\r\nAccept: application/dialog-info+xml\r\n"
            answer = await self._ask(user, "SUBSCRIBE", self._uri(watched), headers, to=watched, call_id=call_id)
            assert answer.status == 200, answer.status

    async def _ask(
        self, user: int, method: str, uri: str, headers: str, to: int, call_id: str = "", call: Call | None = None
    ) -> Message:
        """Send a request with credentials, and again when the nonce is spent; the final response."""
        async with self._locks[user]:
            self._count += 1
            call_id = call_id or f"own-{self._count}"
            for _ in range(20):
                if call is not None:
                    self.calls[call_id.encode()] = call
                async with self._room:
                    answer = await self._transaction(user, method, uri, headers, to, call_id, call)
                if answer.status == 503 and method != "INVITE":
                    self.shed += 1
                    await asyncio.sleep(1)  # Retry-After
                    continue
                if answer.status not in (401, 407):
                    return answer
                if method == "INVITE":
                    self._follow(user, "ACK", answer, refused=True)
                name = b"proxy-authenticate" if answer.status == 407 else b"www-authenticate"
                self._nonces[user] = (parse_credentials(answer.need(name)), 0)
            raise AssertionError(f"{method} of {user} is challenged or put off again and again")

    async def _transaction(
        self, user: int, method: str, uri: str, headers: str, to: int, call_id: str, call: Call | None
    ) -> Message:
        self._count += 1
        branch = f"z9hG4bK{self._count}"
        body = "v=0\r\n" if method == "INVITE" else ""
        text = (
            f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{self._port};branch={branch};rport\r\n"
            f"Max-Forwards: 70\r\nFrom: <{self._uri(user)}>;tag=f{user}\r\nTo: <{self._uri(to)}>\r\n"
            f"Call-ID: {call_id}\r\nCSeq: {self._count} {method}\r\n"
            f"Contact: <sip:{self.first + user}@127.0.0.1:{self._port}>\r\n{headers}{self._proof(user, method, uri)}"
            f"Content-Length: {len(body)}\r\n\r\n{body}"
        ).encode()
        answered: asyncio.Future[Message] = asyncio.get_running_loop().create_future()
        self._waiting[branch.encode()] = answered
        if call is not None:
            call.happened["trying"] = time.monotonic()
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                while True:
                    self._send(text)
                    done, _ = await asyncio.wait([answered], timeout=_RESEND_SECONDS if method != "INVITE" else None)
                    if done:
                        return answered.result()
        finally:
            del self._waiting[branch.encode()]

    def _proof(self, user: int, method: str, uri: str) -> str:
        if user not in self._nonces:
            return ""
        given, count = self._nonces[user]
        self._nonces[user] = (given, count + 1)
        number = self.first + user
        nc = b"%08x" % (count + 1)
        secret = ha1("MD5", f"auth{number}", given[b"realm"].decode(), f"password-{number}").encode()
        proof = response_value(b"MD5", secret, method.encode(), uri.encode(), given[b"nonce"], nc, b"c", b"auth")
        value = (
            f'Digest username="auth{number}", realm="{given[b"realm"].decode()}", nonce="{given[b"nonce"].decode()}", '
            f'uri="{uri}", response="{proof.decode()}", algorithm=MD5, qop=auth, nc={nc.decode()}, cnonce="c"'
        )
        return f"{'Authorization' if method == 'REGISTER' else 'Proxy-Authorization'}: {value}\r\n"

    def _follow(self, user: int, method: str, answer: Message, *, refused: bool = False) -> None:
        """ACK or BYE of a call; the ACK of a refusal goes by the branch of its INVITE."""
        self._count += 1
        branch = answer.via.branch.decode() if refused else f"z9hG4bKf{self._count}"
        routes = (
            "" if refused else "".join(f"Route: {one.decode()}\r\n" for one in answer.values(b"record-route")[::-1])
        )
        target = answer.need(b"to").decode().partition("<")[2].partition(">")[0]
        if not refused:
            target = answer.values(b"contact")[0].decode().partition("<")[2].partition(">")[0]
        number = answer.cseq[0] + (method == "BYE")
        self._send(
            (
                f"{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{self._port};branch={branch};rport\r\n"
                f"{routes}Max-Forwards: 70\r\nFrom: {answer.need(b'from').decode()}\r\n"
                f"To: {answer.need(b'to').decode()}\r\nCall-ID: {answer.call_id.decode()}\r\n"
                f"CSeq: {number} {method}\r\nContent-Length: 0\r\n\r\n"
            ).encode()
        )

    def _send(self, data: bytes) -> None:
        assert self._transport is not None
        self._transport.sendto(data, self.edge)

    # What arrives

    def datagram_received(self, data: bytes, addr: tuple[str | int, ...]) -> None:
        """See `asyncio.DatagramProtocol`."""
        del addr
        try:
            message = parse(data)
        except SipError:
            self.notifies["unreadable"] += 1
            return
        if message.status:
            waiting = self._waiting.get(message.via.branch)
            if waiting is not None and message.status >= 200 and not waiting.done():
                waiting.set_result(message)
        elif message.method == b"NOTIFY":
            self._notified(message)
        elif message.method == b"INVITE":
            self._invited(message)
        elif message.method != b"ACK":
            self._send(response_bytes(message, 200, b"", (), b"t"))

    def _invited(self, invite: Message) -> None:
        user = int(invite.request_uri().user) - self.first
        call, ring_seconds = self._ringing[user]
        tag = b"t%d" % user
        headers = [(b"Record-Route", value) for value in invite.values(b"record-route")]
        headers.append((b"Contact", b"<sip:%d@127.0.0.1:%d>" % (self.first + user, self._port)))
        if "early" not in call.happened:
            self.calls[invite.call_id] = call
            call.happened["early"] = time.monotonic()
            self._send(response_bytes(invite, 180, b"", headers, tag))

            def answer() -> None:
                call.happened["confirmed"] = time.monotonic()
                self._send(response_bytes(invite, 200, b"", headers, tag))

            asyncio.get_running_loop().call_later(ring_seconds, answer)

    def _notified(self, notify: Message) -> None:
        now = time.monotonic()
        self._send(response_bytes(notify, 200, b"", ()))
        name = (notify.call_id, notify.cseq[0])
        if name in self._notified_of:
            return  # the same again: our answer was late or lost
        self._notified_of.add(name)
        self.notified_at.append(now)
        self.notifies[(notify.get(b"subscription-state") or b"").partition(b";")[0].decode()] += 1
        lamp = self._dialogs.get(notify.call_id)
        if lamp is None:
            return
        call: Call | None = None
        for _, call_id, state in _DIALOG.findall(notify.body):
            if call_id:
                call = self.calls.get(call_id)
            elif state and call is not None:
                call.told.setdefault(lamp, []).append((state.decode(), now))


_ORDER: Final = ("trying", "early", "confirmed", "terminated")


def delays(office: Office, calls: list[Call]) -> tuple[list[float], int]:
    """How long after it happened each lamp showed that a call rings, is answered and is over; and how many never did.

    A lamp that shows a later state instead has shown this one as well: changes within a pause are told together.
    """
    found, missing = list[float](), 0
    for call in calls:
        for user, states in ((call.callee, _ORDER[1:]), (call.caller, _ORDER[1:])):
            for watcher in office.watchers(user):
                told = call.told.get((watcher, user), [])
                for state in states:
                    later = _ORDER[_ORDER.index(state) :]
                    at = [moment for shown, moment in told if shown in later]
                    if at:
                        found.append(max(0.0, min(at) - call.happened[state]))
                    else:
                        missing += 1
    return found, missing
