"""A small caller over real UDP: it knows just enough SIP and RTP to call a media server, and shares no code with it."""

import asyncio
import itertools
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from tests.support.waiting import eventually_async

FRAME_SECONDS = 0.02
OPUS = 111
"""Its payload type here."""
_numbers = itertools.count(1)


@dataclass
class Heard:
    """What came by RTP."""

    payloads: list[bytes] = field(default_factory=list)
    timestamps: list[int] = field(default_factory=list)
    sources: set[tuple[str, int]] = field(default_factory=set)


class MediaCaller:
    """One call. `async with` gives its sockets back."""

    def __init__(self, server_port: int, payload_type: int = 0, user: str = "echo") -> None:
        self._server, self._user, self._payload_type = ("127.0.0.1", server_port), user, payload_type
        self._sip, self._rtp = _udp(), _udp()
        self._call_id = f"media-caller-{next(_numbers)}-{self._sip.getsockname()[1]}"
        self._to_tag, self._cseq, self._branch = "", 0, 0
        self._invite_branch = ""
        self._frames: Callable[[int], bytes] | None = None
        self._sent_frames = 0
        self._due = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self.remote_rtp: tuple[str, int] | None = None
        self.responses: list[tuple[int, str, str]] = []
        """Status, CSeq method, body."""
        self.requests: list[str] = []
        """Methods that the server sent us."""
        self.heard = Heard()

    async def __aenter__(self) -> Self:
        loop = asyncio.get_running_loop()
        loop.add_reader(self._sip, self._sip_readable)
        loop.add_reader(self._rtp, self._rtp_readable)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stop_sending()
        for each in (self._sip, self._rtp):
            asyncio.get_running_loop().remove_reader(each)
            each.close()

    # -- SIP

    async def invite(self, direction: str = "sendrecv", offer: bool = True) -> int:
        """Send an INVITE (a re-INVITE in a call), acknowledge its final response, and give its status."""
        before = len(self.responses)
        body = self._description(direction) if offer else ""
        self._send("INVITE", body)
        self._invite_branch = f"z9hG4bK{self._call_id}-{self._branch}"
        await eventually_async(lambda: any(s >= 200 and m == "INVITE" for s, m, _ in self.responses[before:]))
        status, _, answer = next(r for r in self.responses[before:] if r[0] >= 200 and r[1] == "INVITE")
        if status < 300:
            self._send("ACK", "" if offer else self._description(direction))
            self._learn_media(answer)
        else:
            self._send("ACK", branch=self._invite_branch)
        return status

    def start_invite(self) -> None:
        """Send an INVITE and wait for nothing."""
        self._send("INVITE", self._description("sendrecv"))

    async def bye(self) -> int:
        """Hang up."""
        return await self._ask("BYE")

    async def _ask(self, method: str) -> int:
        before = len(self.responses)
        self._send(method)
        await eventually_async(lambda: any(m == method for _, m, _ in self.responses[before:]))
        return next(status for status, m, _ in self.responses[before:] if m == method)

    def _send(self, method: str, body: str = "", branch: str = "") -> None:
        if method not in ("ACK", "CANCEL"):
            self._cseq += 1
        if not branch:
            self._branch += 1
            branch = f"z9hG4bK{self._call_id}-{self._branch}"
        port = self._sip.getsockname()[1]
        lines = [
            f"{method} sip:{self._user}@{self._server[0]}:{self._server[1]} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{port};branch={branch};rport",
            "Max-Forwards: 70",
            f"From: <sip:200@demo.tandem.test>;tag=f{port}",
            f"To: <sip:{self._user}@demo.tandem.test>" + (f";tag={self._to_tag}" if self._to_tag else ""),
            f"Call-ID: {self._call_id}",
            f"CSeq: {self._cseq} {method}",
            f"Contact: <sip:200@127.0.0.1:{port}>",
            *(["Content-Type: application/sdp"] if body else []),
            f"Content-Length: {len(body)}",
            "",
            body,
        ]
        self._sip.sendto("\r\n".join(lines).encode(), self._server)

    def _description(self, direction: str) -> str:
        lines = [
            "v=0",
            "o=- 1 1 IN IP4 127.0.0.1",
            "s=-",
            "c=IN IP4 127.0.0.1",
            "t=0 0",
            f"m=audio {self._rtp.getsockname()[1]} RTP/AVP {self._payload_type} 101",
            *([f"a=rtpmap:{OPUS} opus/48000/2"] if self._payload_type == OPUS else []),
            "a=rtpmap:101 telephone-event/8000",
            f"a={direction}",
            "",
        ]
        return "\r\n".join(lines)

    def _learn_media(self, description: str) -> None:
        lines = description.split("\r\n")
        address = next(line for line in lines if line.startswith("c=")).split()[-1]
        self.remote_rtp = address, int(next(line for line in lines if line.startswith("m=audio")).split()[1])

    def _sip_readable(self) -> None:
        while (got := _received(self._sip)) is not None:
            head, _, body = got[0].decode().partition("\r\n\r\n")
            lines = head.split("\r\n")
            fields = [line.partition(": ")[::2] for line in lines[1:]]
            headers = dict(fields)
            if lines[0].startswith("SIP/2.0"):
                self.responses.append((int(lines[0].split()[1]), headers["CSeq"].split()[1], body))
                if ";tag=" in headers["To"]:
                    self._to_tag = headers["To"].partition(";tag=")[2]
            else:
                self.requests.append(lines[0].split()[0])
                kept = [
                    f"{name}: {value}" for name, value in fields if name in ("Via", "From", "To", "Call-ID", "CSeq")
                ]
                answer = "\r\n".join(["SIP/2.0 200 OK", *kept, "Content-Length: 0", "", ""])
                self._sip.sendto(answer.encode(), got[1])

    # -- RTP

    @property
    def rtp(self) -> socket.socket:
        """Its socket for RTP, for who sends by other means than `start_sending`."""
        return self._rtp

    def start_sending(self, frame: Callable[[int], bytes]) -> None:
        """Send `frame(n)`, 20 ms of encoded audio, every 20 ms."""
        self._frames, self._due = frame, asyncio.get_running_loop().time()
        self._send_frame()

    def stop_sending(self) -> None:
        """Send no more."""
        self._frames = None
        if self._timer is not None:
            self._timer.cancel()

    def _send_frame(self) -> None:
        loop = asyncio.get_running_loop()
        while self._frames is not None and self.remote_rtp is not None and self._due <= loop.time():
            number, self._sent_frames = self._sent_frames, self._sent_frames + 1
            ticks = 960 if self._payload_type == OPUS else 160
            self.send_packet(self._payload_type, number, ticks * number, self._frames(number))
            self._due += FRAME_SECONDS
        self._timer = loop.call_at(self._due, self._send_frame)

    def send_packet(self, payload_type: int, sequence: int, timestamp: int, payload: bytes) -> None:
        """Send one RTP packet."""
        assert self.remote_rtp is not None
        header = struct.pack("!BBHII", 0x80, payload_type, sequence & 0xFFFF, timestamp & 0xFFFFFFFF, 0x1234)
        self._rtp.sendto(header + payload, self.remote_rtp)

    def _rtp_readable(self) -> None:
        while (got := _received(self._rtp)) is not None:
            data, source = got
            assert data[0] == 0x80
            assert data[1] & 0x7F == self._payload_type
            self.heard.payloads.append(data[12:])
            self.heard.timestamps.append(struct.unpack_from("!I", data, 4)[0])
            self.heard.sources.add(source)


def _udp() -> socket.socket:
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    made.setblocking(False)
    return made


def _received(from_socket: socket.socket) -> tuple[bytes, tuple[str, int]] | None:
    try:
        data, source = from_socket.recvfrom(4096)
    except OSError:
        return None
    return data, (source[0], source[1])
