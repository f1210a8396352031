"""The generator's phones: one who registers or calls, and one who answers; they do no I/O but by their wire."""

from collections.abc import Callable
from typing import Final

from benchmarks.sip.load.messages import (
    Digest,
    Identity,
    Malformed,
    contact_uri,
    header,
    headers,
    in_dialog,
    invite,
    ok,
    register,
    ringing_and_answer,
)
from benchmarks.sip.load.plan import Account, Outcome
from benchmarks.sip.load.wire import Wire

T1: Final = 0.5
"""After which a message without an answer is sent again over UDP, seconds (RFC 3261 §17.1.1.1)."""


class Phone:
    """One phone that does one thing at a time.

    Args:
        account: whose it is.
        domain: of its address of record.
        transport: `UDP`, `TCP` or `TLS`.
        wire: what it sends by.
        run: tells this run's Call-IDs from another's.
        outcome: counts.
        ended: called with the phone when what it began has ended, well or not.
    """

    def __init__(
        self,
        account: Account,
        domain: str,
        transport: str,
        wire: Wire,
        run: str,
        outcome: Outcome,
        ended: "Callable[[Phone], None]",
    ) -> None:
        self.who = Identity(account.user, domain, transport, wire.host, wire.port)
        self.wire = wire
        self._digest = Digest(account.auth_username, account.password)
        self._run = run
        self._outcome = outcome
        self._ended = ended
        self._resends = transport == "UDP"
        self._number = 0
        self._cseq = 0
        self._register_id = self.call_id = f"r-{account.user}-{run}".encode()
        self._registrations = 0
        self._expires = 0
        self.busy = False
        self._method = b""
        self._callee = b""
        self._ack = b""
        self._sent = b""
        self._sent_at = self._began = 0.0

    def register(self, now: float, expires: int = 3600) -> None:
        """Begin a registration; all of a phone have one Call-ID."""
        self._registrations += 1
        self.call_id, self._expires = self._register_id, expires
        self._begin(b"REGISTER", 2 * self._registrations - 1, now)
        self._send(register(self.who, self.call_id, self._cseq, expires), now)

    def call(self, callee: bytes, now: float) -> None:
        """Begin a call to an address of record."""
        self._number += 1
        self._ack, self._callee = b"", callee
        self.call_id = f"{self._number}-{self.who.user.decode()}-{self._run}".encode()
        self._begin(b"INVITE", 1, now)
        self._send(invite(self.who, callee, self.call_id, self._cseq), now)

    def received(self, message: bytes, now: float) -> None:
        """A message for this phone."""
        if not message.startswith(b"SIP/2.0 "):
            return
        status = int(message[8:11])
        number, method = header(message, b"CSeq").split()
        if not self.busy or method != self._method or int(number) != self._cseq:
            self._late(message, status, method)
        elif status < 200:
            self._sent = b""
        elif status in (401, 407) and self._cseq % 2:
            self._challenged(message, status, now)
        elif method == b"INVITE":
            self._answered(message, status, now)
        else:
            self._end("" if status == 200 else f"{status} to {method.decode()}")

    def look(self, now: float, give_up_seconds: float) -> None:
        """Send again what had no answer, give up what has none for long."""
        if not self.busy:
            return
        if now - self._began > give_up_seconds:
            self._end(f"no answer to {self._method.decode()}")
        elif self._resends and self._sent and now - self._sent_at > T1:
            self._outcome.retransmissions += 1
            self._send(self._sent, now)

    def _begin(self, method: bytes, cseq: int, now: float) -> None:
        """An odd `cseq`: even ones are of requests that answer a challenge."""
        self.busy, self._method, self._cseq, self._began = True, method, cseq, now

    def _send(self, message: bytes, now: float) -> None:
        self._sent, self._sent_at = message, now
        self.wire.send(message)

    def _challenged(self, message: bytes, status: int, now: float) -> None:
        names = (
            (b"WWW-Authenticate", b"Authorization")
            if status == 401
            else (b"Proxy-Authenticate", b"Proxy-Authorization")
        )
        uri = b"sip:" + self.who.domain if self._method == b"REGISTER" else self._callee
        line = b"%b: %b\r\n" % (names[1], self._digest.answer(header(message, names[0]), self._method, uri))
        if self._method == b"INVITE":
            self.wire.send(self._refused_ack(message))
        self._cseq += 1
        build = (
            register(self.who, self.call_id, self._cseq, self._expires, line)
            if self._method == b"REGISTER"
            else (invite(self.who, self._callee, self.call_id, self._cseq, line))
        )
        self._send(build, now)

    def _refused_ack(self, message: bytes) -> bytes:
        """The ACK of a final response that is no 2xx has the INVITE's branch (§17.1.1.3)."""
        branch = b"%b.%d" % (self.call_id, self._cseq)
        to = header(message, b"To")
        return in_dialog(self.who, b"ACK", self._callee, branch, to, self.call_id, self._cseq, b"")

    def _answered(self, message: bytes, status: int, now: float) -> None:
        if status != 200:
            self.wire.send(self._refused_ack(message))
            self._end(f"{status} to INVITE")
            return
        self._outcome.setups.append(round(now - self._began, 6))
        to, target = header(message, b"To"), contact_uri(message)
        routes = b"".join([b"Route: %b\r\n" % one for one in reversed(headers(message, b"Record-Route"))])
        branch = b"%b.%d" % (self.call_id, self._cseq)
        self._ack = in_dialog(self.who, b"ACK", target, branch + b"a", to, self.call_id, self._cseq, routes)
        self.wire.send(self._ack)
        self._method = b"BYE"
        self._cseq += 1
        self._send(in_dialog(self.who, b"BYE", target, branch + b"b", to, self.call_id, self._cseq, routes), now)

    def _late(self, message: bytes, status: int, method: bytes) -> None:
        if status < 200:
            return
        self._outcome.retransmissions += 1
        if method == b"INVITE" and self._ack and header(message, b"Call-ID") == self.call_id:
            self.wire.send(self._ack)

    def _end(self, failure: str) -> None:
        self.busy, self._sent = False, b""
        if failure:
            self._outcome.fail(failure)
        else:
            self._outcome.succeeded += 1
        self._ended(self)


class Answerer:
    """Every callee at one wire: rings and answers at once, hangs up when told.

    Args:
        contacts: the Contact line of each by its user part.
        wire: what they send by.
        resends: whether a 200 without ACK is sent again: over UDP.
        outcome: counts.
    """

    def __init__(self, contacts: dict[bytes, bytes], wire: Wire, resends: bool, outcome: Outcome) -> None:
        self._contacts = contacts
        self._wire = wire
        self._resends = resends
        self._outcome = outcome
        self._waiting: dict[bytes, tuple[float, bytes]] = {}

    def received(self, message: bytes, now: float) -> None:
        """A request for one of them."""
        if message.startswith(b"INVITE "):
            call_id = header(message, b"Call-ID")
            if call_id in self._waiting:
                self._outcome.retransmissions += 1
                self._wire.send(self._waiting[call_id][1])
                return
            user = message[message.index(b"sip:") + 4 : message.index(b"@")]
            if user not in self._contacts:
                raise Malformed("INVITE for nobody here")
            ringing, answer = ringing_and_answer(message, self._contacts[user])
            self._waiting[call_id] = now, answer
            self._wire.send(ringing)
            self._wire.send(answer)
        elif message.startswith(b"ACK "):
            self._waiting.pop(header(message, b"Call-ID"), None)
        elif not message.startswith(b"SIP/2.0 "):
            self._wire.send(ok(message))

    def look(self, now: float) -> None:
        """Send again each 200 that was not acknowledged."""
        for call_id, (sent_at, answer) in self._waiting.items():
            if self._resends and now - sent_at > T1:
                self._outcome.retransmissions += 1
                self._waiting[call_id] = now, answer
                self._wire.send(answer)
