"""What the SIP core itself costs: each message of a call and of a registration, without sockets.

`python -m benchmarks.sip.logic` pushes them through `Endpoint.received` with the real binding store, outbox and call
journal on disk, in batches as the transport reads them, and prints CPU µs per kind of message, the best of many rounds.
The messages are those that sipp sends in `benchmarks.sip.sipp_load`, Vias joined by commas included.
"""

from __future__ import annotations

import argparse
import cProfile
import gc
import hashlib
import pstats
import re
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from contract.dialplan import compile_plan
from contract.snapshot import DialPlan, InternalRule, Line, Site, Snapshot, User
from edge_agent.processes.child import Bell
from edge_agent.processes.reporting import GatheredReporting
from edge_agent.sip.config import Credential, SipConfig
from edge_agent.sip.endpoint import Endpoint
from edge_agent.sip.message import Flow, ha1
from edge_agent.sip.registrar.store import SqliteBindingStore
from edge_agent.sip.transport.peer import VerifiedPeer
from edge_agent.sip.transport.ports import Receiver
from edge_agent.tokens import SystemTokens

DOMAIN: Final = "demo.tandem.test"
REALM: Final = "realm-1"
USERS: Final = 1000
AT_ONCE: Final = 20
ROUNDS: Final = 160
_WARM_UP: Final = 70
_ROUND_SECONDS: Final = 0.5
"""So that after seventy rounds the timers of each round go off in another: 32 s is the longest that all calls have."""
_EDGE: Final = ("127.0.0.1", 5060)
_CALLER: Final = Flow("udp", "127.0.0.1", 6001)
_CALLEE: Final = Flow("udp", "127.0.0.1", 6002)
_SDP: Final = (
    "v=0\r\no=sipp 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 7000 RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
)
CALL: Final = ("INVITE→407", "ACK of 407", "INVITE+digest", "180", "200", "ACK", "BYE", "200 of BYE")
REGISTRATION: Final = ("REGISTER→401", "REGISTER+digest")
_BATCH_END: Final = "end of batch"
_TIMERS: Final = "timers"
_OUTBOX: Final = "into the outbox"

_NONCE: Final = re.compile(rb'nonce="([^"]+)"')


class _Clock:
    """Moved by the benchmark; the wall moves with it."""

    def __init__(self) -> None:
        self.at = 1000.0
        self._began = self._now = datetime.now(UTC)

    def advance(self, seconds: float) -> None:
        self.at += seconds
        self._now = self._began + timedelta(seconds=self.at)

    def monotonic(self) -> float:
        return self.at

    def now(self) -> datetime:
        return self._now


class _Wire:
    """The endpoint's transport; holds what is sent until it is taken."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, Flow]] = []
        self.receiver: Receiver | None = None
        self.send = self._send

    @property
    def local(self) -> dict[str, tuple[str, int]]:
        return {"udp": _EDGE, "tcp": _EDGE}

    @property
    def local_six(self) -> dict[str, tuple[str, int]]:
        return {}

    def attach(self, receiver: Receiver) -> None:
        self.receiver = receiver

    def _send(self, data: bytes, flow: Flow) -> None:
        self.sent.append((data, flow))

    def find(self, flow: Flow, found: Callable[[tuple[Flow, ...], float], None], now: float) -> None:
        del flow, found, now

    def failed(self, flow: Flow, hop: Flow, now: float, wished_seconds: float | None = None) -> None:
        del flow, hop, now, wished_seconds

    def answered(self, flow: Flow, hop: Flow) -> None:
        del flow, hop

    def peer(self, flow: Flow) -> VerifiedPeer | None:
        del flow
        return None

    def expect(self, flow: Flow, seconds: float) -> None:
        """Nobody is silent here."""
        del flow, seconds

    def reuse(self, flow: Flow, port: int) -> bool:
        del flow, port
        return False

    def take(self) -> list[tuple[bytes, Flow]]:
        sent = self.sent[:]
        self.sent.clear()
        return sent


def _config() -> SipConfig:
    names = [str(1000 + n) for n in range(USERS)]
    snapshot = Snapshot(
        version=1,
        site=Site(site_id="site-1", tenant_id="tenant-1", name="Office", domain=DOMAIN, realm=REALM),
        users=tuple(User(user_id=f"user-{n}", username=n, display_name=f"Desk {n}", extension=n) for n in names),
        lines=tuple(
            Line(line_id=f"line-{n}", user_id=f"user-{n}", auth_username=f"auth{n}", password=f"s-{n}:1") for n in names
        ),
        dial_plan=DialPlan(rules=(InternalRule(rule_id="internal"),)),
    )
    return SipConfig(
        domain=DOMAIN,
        realm=REALM,
        plan=compile_plan(snapshot),
        credentials={
            f"auth{n}": Credential(
                f"auth{n}", f"line-{n}", f"user-{n}", None, {"MD5": ha1("MD5", f"auth{n}", REALM, f"password-{n}")}
            )
            for n in names
        },
    )


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


def _digest(name: str, method: str, uri: str, challenge: bytes) -> str:
    found = _NONCE.search(challenge)
    assert found is not None, challenge
    nonce = found.group(1).decode()
    known = _md5(f"auth{name}:{REALM}:password-{name}")
    response = _md5(f"{known}:{nonce}:00000001:6b8b4567:auth:{_md5(f'{method}:{uri}')}")
    return (
        f'Digest username="auth{name}",realm="{REALM}",cnonce="6b8b4567",nc=00000001,qop=auth,uri="{uri}",'
        f'nonce="{nonce}",response="{response}",algorithm=MD5'
    )


def _header(message: bytes, name: bytes) -> list[bytes]:
    lines = message.partition(b"\r\n\r\n")[0].split(b"\r\n")[1:]
    return [line[len(name) + 2 :] for line in lines if line.startswith(name + b": ")]


class Bench:
    """One endpoint and those who talk to it.

    Args:
        folder: for the databases.
        at_once: calls or registrations in flight, and messages of a batch.
    """

    def __init__(self, folder: Path, at_once: int) -> None:
        self.clock, self.wire = _Clock(), _Wire()
        self._at_once = at_once
        self._number = 0
        tokens = SystemTokens()
        self._reporting = GatheredReporting(folder, "sip", Bell(), self.clock, tokens, self._set_timer)
        self.endpoint = Endpoint(
            _config(),
            clock=self.clock,
            tokens=tokens,
            reporter=self._reporting,
            journal=self._reporting,
            store=SqliteBindingStore(folder / "sip.db"),
            transport=self.wire,
            key=b"k" * 32,
        )
        self.endpoint.start()
        self.spent: dict[str, list[float]] = defaultdict(list)
        self._due: Callable[[], None] | None = None
        self.profile: cProfile.Profile | None = None

    # -- what is measured

    def calls(self) -> None:
        """`at_once` calls from INVITE to BYE, in step."""
        numbers = self._numbers()
        self._step("INVITE→407", [self._invite(n, 1, "") for n in numbers], _CALLER)
        refused = self._sent(407)
        acks = [self._ack_refused(n, one) for n, one in zip(numbers, refused, strict=True)]
        self._step("ACK of 407", acks, _CALLER)
        again = [self._invite(n, 2, one.decode()) for n, one in zip(numbers, refused, strict=True)]
        self._step("INVITE+digest", again, _CALLER)
        invites = [data for data, flow in self.wire.take() if data.startswith(b"INVITE") and flow == _CALLEE]
        assert len(invites) == len(numbers), len(invites)
        self._step("180", [_answer(one, 180) for one in invites], _CALLEE)
        self._sent(180)
        self._step("200", [_answer(one, 200, _SDP) for one in invites], _CALLEE)
        accepted = self._sent(200)
        self._step(
            "ACK", [self._in_dialog(n, one, "ACK", 2) for n, one in zip(numbers, accepted, strict=True)], _CALLER
        )
        assert all(data.startswith(b"ACK") for data, _ in self.wire.take())
        self._step(
            "BYE", [self._in_dialog(n, one, "BYE", 3) for n, one in zip(numbers, accepted, strict=True)], _CALLER
        )
        byes = [data for data, _ in self.wire.take()]
        assert all(data.startswith(b"BYE") for data in byes)
        self._step("200 of BYE", [_answer(one, 200) for one in byes], _CALLEE)
        self._sent(200)
        self._pass_time()

    def registrations(self) -> None:
        """`at_once` registrations, each user in turn."""
        numbers = self._numbers()
        self._step("REGISTER→401", [self._register(n, 1, b"") for n in numbers], _CALLER)
        challenges = self._sent(401)
        again = [self._register(n, 2, one) for n, one in zip(numbers, challenges, strict=True)]
        self._step("REGISTER+digest", again, _CALLER)
        self._sent(200)
        self._pass_time()

    def register_everybody(self) -> None:
        """Every user has a phone."""
        for _ in range(USERS // self._at_once + 1):
            self.registrations()
        self.spent.clear()

    def close(self) -> None:
        """Let go of the files."""
        self.endpoint.stop()
        self._reporting.close()

    # -- parts

    def _numbers(self) -> list[int]:
        self._number += self._at_once
        return list(range(self._number - self._at_once, self._number))

    def _step(self, kind: str, messages: list[bytes], flow: Flow) -> None:
        received, now = self.endpoint.received, self.clock.at
        if self.profile:
            self.profile.enable()
        began = time.process_time_ns()
        for data in messages:
            received(data, flow, now)
        between = time.process_time_ns()
        self.endpoint.batch_ended(now)
        ended = time.process_time_ns()
        if self.profile:
            self.profile.disable()
        self.spent[kind].append((between - began) / len(messages) / 1000)
        self.spent[f"{kind} {_BATCH_END}"].append((ended - between) / len(messages) / 1000)

    def _set_timer(self, seconds: float, function: Callable[[], None]) -> None:
        assert seconds < _ROUND_SECONDS
        self._due = function

    def _pass_time(self) -> None:
        self.clock.advance(_ROUND_SECONDS)
        if self.profile:
            self.profile.enable()
        began = time.process_time_ns()
        self.endpoint.advance(self.clock.at)
        self.endpoint.batch_ended(self.clock.at)
        between = time.process_time_ns()
        if self._due is not None:
            self._due()
        ended = time.process_time_ns()
        if self.profile:
            self.profile.disable()
        self.spent[_OUTBOX].append((ended - between) / self._at_once / 1000)
        self.spent[_TIMERS].append((between - began) / self._at_once / 1000)

    def _sent(self, status: int) -> list[bytes]:
        sent = [data for data, _ in self.wire.take()]
        assert all(data.startswith(b"SIP/2.0 %d" % status) for data in sent), sent[0]
        assert len(sent) == self._at_once, (status, len(sent), self.endpoint.drops)
        return sent

    def _invite(self, n: int, cseq: int, challenge: str) -> bytes:
        caller, callee = str(1000 + n % USERS), str(1000 + (n + 1) % USERS)
        uri = f"sip:{callee}@{DOMAIN}"
        credentials = (
            f"Proxy-Authorization: {_digest(caller, 'INVITE', uri, challenge.encode())}\r\n" if challenge else ""
        )
        return (
            f"INVITE {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:6001;branch=z9hG4bK-7-{n}-{cseq};rport\r\n"
            f"From: <sip:{caller}@{DOMAIN}>;tag=7c{n}\r\nTo: <sip:{callee}@{DOMAIN}>\r\nCall-ID: {n}-7@127.0.0.1\r\n"
            f"CSeq: {cseq} INVITE\r\nContact: <sip:{caller}@127.0.0.1:6001;transport=UDP>\r\nMax-Forwards: 70\r\n"
            f"{credentials}Content-Type: application/sdp\r\nContent-Length: {len(_SDP)}\r\n\r\n{_SDP}"
        ).encode()

    def _ack_refused(self, n: int, refused: bytes) -> bytes:
        caller, callee = str(1000 + n % USERS), str(1000 + (n + 1) % USERS)
        return (
            f"ACK sip:{callee}@{DOMAIN} SIP/2.0\r\nVia: {_header(refused, b'Via')[0].decode()}\r\n"
            f"From: <sip:{caller}@{DOMAIN}>;tag=7c{n}\r\nTo: {_header(refused, b'To')[0].decode()}\r\n"
            f"Call-ID: {n}-7@127.0.0.1\r\nCSeq: 1 ACK\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        ).encode()

    def _in_dialog(self, n: int, accepted: bytes, method: str, cseq: int) -> bytes:
        caller = str(1000 + n % USERS)
        target = _header(accepted, b"Contact")[0].strip(b"<>").decode()
        to = _header(accepted, b"To")[0].decode()
        routes = ", ".join(one.decode() for one in reversed(_header(accepted, b"Record-Route")))
        return (
            f"{method} {target} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:6001;branch=z9hG4bK-7-{n}-{method};rport\r\n"
            f"Route: {routes}\r\nFrom: <sip:{caller}@{DOMAIN}>;tag=7c{n}\r\nTo: {to}\r\n"
            f"Call-ID: {n}-7@127.0.0.1\r\nCSeq: {cseq} {method}\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"
        ).encode()

    def _register(self, n: int, cseq: int, challenge: bytes) -> bytes:
        name = str(1000 + n % USERS)
        uri = f"sip:{DOMAIN}"
        credentials = f"Authorization: {_digest(name, 'REGISTER', uri, challenge)}\r\n" if challenge else ""
        return (
            f"REGISTER {uri} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:6001;branch=z9hG4bK-7-{n}-r{cseq};rport\r\n"
            f"From: <sip:{name}@{DOMAIN}>;tag=7r{n}\r\nTo: <sip:{name}@{DOMAIN}>\r\nCall-ID: {n}-7r@127.0.0.1\r\n"
            f"CSeq: {cseq} REGISTER\r\nContact: <sip:{name}@127.0.0.1:6002;transport=UDP>\r\nExpires: 600\r\n"
            f"Max-Forwards: 70\r\nUser-Agent: sipp\r\n{credentials}Content-Length: 0\r\n\r\n"
        ).encode()


def _answer(request: bytes, status: int, body: str = "") -> bytes:
    """As sipp answers: all Vias on one line."""
    lines = [f"SIP/2.0 {status} {'Ringing' if status == 180 else 'OK'}".encode()]
    lines.append(b"Via: " + b", ".join(_header(request, b"Via")))
    lines += [b"Record-Route: " + one for one in _header(request, b"Record-Route")]
    to = _header(request, b"To")[0]
    lines.append(b"From: " + _header(request, b"From")[0])
    lines.append(b"To: " + (to if b";tag=" in to else to + b";tag=9a1"))
    lines += [b"Call-ID: " + _header(request, b"Call-ID")[0], b"CSeq: " + _header(request, b"CSeq")[0]]
    if not request.startswith(b"BYE"):
        lines.append(b"Contact: <sip:127.0.0.1:6002;transport=UDP>")
    if body:
        lines.append(b"Content-Type: application/sdp")
    lines.append(b"Content-Length: %d" % len(body))
    return b"\r\n".join(lines) + b"\r\n\r\n" + body.encode()


def best(spent: dict[str, list[float]], kinds: tuple[str, ...]) -> dict[str, float]:
    """The least µs of each kind, what its batch ends cost, and the timers; with a sum."""
    found = {kind: min(spent[kind]) for kind in kinds}
    found[_BATCH_END] = sum(min(spent[f"{kind} {_BATCH_END}"]) for kind in kinds)
    # Most rounds fire no timer; what a round leaves behind fires later, so the mean counts.
    found[_TIMERS] = sum(spent[_TIMERS]) / len(spent[_TIMERS])
    found[_OUTBOX] = min(spent[_OUTBOX])
    found["sum"] = sum(found.values())
    return found


def measure(rounds: int, at_once: int, profile: bool = False) -> tuple[dict[str, float], dict[str, float]]:
    """µs of a call's and of a registration's messages."""
    with tempfile.TemporaryDirectory(prefix="tandem-bench-") as folder:
        bench = Bench(Path(folder), at_once)
        bench.register_everybody()
        gc.collect()
        gc.freeze()
        found = []
        runs: tuple[tuple[Callable[[], None], tuple[str, ...]], ...] = (
            (bench.calls, CALL),
            (bench.registrations, REGISTRATION),
        )
        for work, kinds in runs:
            for _ in range(_WARM_UP):
                work()
            bench.spent.clear()
            bench.profile = cProfile.Profile() if profile else None
            for _ in range(rounds):
                work()
            found.append(best(bench.spent, kinds))
            if bench.profile:
                pstats.Stats(bench.profile).sort_stats("tottime").print_stats(45)
        bench.close()
        return found[0], found[1]


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.sip.logic", description="Measure the SIP core alone")
    parser.add_argument("--rounds", type=int, default=ROUNDS, help=f"default {ROUNDS}; the best counts")
    parser.add_argument("--at-once", type=int, default=AT_ONCE, help=f"messages of a batch, default {AT_ONCE}")
    parser.add_argument("--profile", action="store_true", help="print where the time goes, for each of the two")
    given = parser.parse_args()
    call, registration = measure(given.rounds, given.at_once, given.profile)
    for title, found in (("call", call), ("registration", registration)):
        print(f"{title}: {found['sum']:.1f} µs")
        for kind, micros in found.items():
            if kind != "sum":
                print(f"  {kind:16} {micros:6.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
