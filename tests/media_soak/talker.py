"""A light phone that talks: a soak's phone (`tests.soak.phone`) with a session description, RTP both ways, and keys.

It follows a transfer (REFER), as a phone does: it calls where it is sent, tells how that went, and is hung up on. It
ends no call whose other end was killed: that it is over, the edge has to tell it (BYE).
"""

from __future__ import annotations

import asyncio
import contextlib
import re
import socket
import struct
from dataclasses import dataclass
from typing import Final

import numpy as np

from tests.soak.phone import DOMAIN, HOST, Answer, Dialog, NoAnswer, Phone, Refused

_PAYLOAD: Final = bytes((0x9A, 0x1A) * 80)
"""Something that is no silence: a tone of 4 kHz at half of the full scale, in G.711 mu-law."""
_AUDIO, _EVENTS = 0, 101
_ENDS: Final = {200: "ended", 481: "gone"}
"""What the answer to a BYE means: that it was taken, or that nobody knows the call, whose other end was killed."""
TOLD_SECONDS: Final = 10.0
"""By then after a kill, and once the edge is back, each phone in a lost call has been told."""
_KEY_PACKETS, _END_PACKETS = 6, 3
"""A key lasts 120 ms; its last packet is sent three times (RFC 4733 §2.5.1.4)."""
_FRAME: Final = 160
_HEADER_BYTES: Final = 12
_LOUD: Final = 0x30
"""Mu-law is the louder the smaller it is: this is a twelfth of the full scale."""
_BEFORE_KEY_SECONDS: Final = 1.0
_SENT_ON_SECONDS: Final = 20.0
"""By then an attendant has said that it connects, and asked for the transfer."""
_BEEP_SECONDS: Final = 60.0
"""Whoever heard no beep by then hangs up."""
_BEEP_CROSSINGS: Final = range(39, 42)
"""How often 20 ms of the beep, 1 kHz, cross zero."""
_BEEP_PACKETS: Final = 8
"""Of the 22 that it has, one after the other: no speech goes on like that."""
_LET_GO_SECONDS: Final = 10.0
"""By then it has ended the call that it sent on."""


@dataclass
class Talker(Phone):
    """A phone that sends voice while it is in a call, one call at a time."""

    heard: int = 0
    """Packets that came in this call; of one that was sent on, where it was sent to."""
    beeped: bool = False
    """Whether the beep after which callers speak was heard in this call."""

    def __post_init__(self) -> None:
        self._media = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._media.bind((HOST, 0))
        self._media.setblocking(False)
        self._to: tuple[str, int] | None = None
        self._talks_in = ""
        self._sent = 0
        self._beep = asyncio.Event()
        self._beep_packets = 0
        self._told = 0
        self._keys: list[tuple[int, int, bytes]] = []
        self._over: dict[str, asyncio.Event] = {}
        """Of each call that is up, by Call-ID: set when the edge ends it."""
        self._lost: dict[str, asyncio.Event] = {}
        """Of each whose other end was killed: set when it need not be waited for any longer."""
        self._sent_on: dict[str, asyncio.Future[str]] = {}
        self._let_go: dict[str, asyncio.Event] = {}

    async def stop(self) -> None:
        """Let go of everything."""
        await super().stop()
        self._media.close()

    def tick(self) -> None:
        """20 ms have passed: send a packet where a call is, and count what came."""
        while True:
            try:
                packet = self._media.recv(2048)
            except OSError:
                break
            self.heard += 1
            if not self._beep.is_set():
                self._beep_packets = self._beep_packets + 1 if _is_beep(packet) else 0
                if self._beep_packets == _BEEP_PACKETS:
                    self._beep.set()
        if self._to is not None:
            self._sent += 1
            kind, timestamp, payload = self._keys.pop(0) if self._keys else (_AUDIO, _FRAME * self._sent, _PAYLOAD)
            header = struct.pack("!BBHII", 0x80, kind, self._sent & 0xFFFF, timestamp, int(self.number))
            self._media.sendto(header + payload, self._to)

    @property
    def up(self) -> frozenset[str]:
        """Call-IDs of the calls that it is in."""
        return frozenset(self._over)

    def lose(self) -> None:
        """What it is in a call with was killed: it waits to be told, and hangs up no sooner."""
        for call_id in self.up:
            self._lost.setdefault(call_id, asyncio.Event())

    async def talk(self, callee: str, seconds: float, *, after_beep: bool = False) -> str:
        """A call of that length; what became of it: `told` where the edge ended it because it was lost.

        Args:
            callee: whom.
            seconds: how long, from the answer or from the beep on.
            after_beep: a message is left: it begins with the beep.
        """
        self._listens()
        try:
            dialog = await self.begin(f"sip:{callee}@{DOMAIN}", self.new_call())
            return await self._talk_on(dialog, seconds, after_beep=after_beep)
        except NoAnswer as error:
            return f"no answer {error}"
        except Refused as error:
            return str(error)
        finally:
            self._to = None

    def _listens(self) -> None:
        self.heard, self._beep_packets = 0, 0
        self._beep.clear()

    async def begin(self, uri: str, call_id: str) -> Dialog:
        """As any phone's; it is in that call from then on."""
        dialog = await super().begin(uri, call_id)
        self._over[call_id] = asyncio.Event()
        return dialog

    async def hang_up(self, dialog: Dialog) -> str:
        """As any phone's."""
        try:
            return await super().hang_up(dialog)
        finally:
            self._leave(dialog.call_id)

    def _leave(self, call_id: str) -> None:
        for one in (self._over.pop(call_id, None), self._lost.pop(call_id, None)):
            if one is not None:
                one.set()

    async def _talk_on(self, dialog: Dialog, seconds: float, *, after_beep: bool) -> str:
        over = self._over[dialog.call_id]
        if after_beep:
            waiting = [asyncio.ensure_future(one.wait()) for one in (over, self._beep)]
            await asyncio.wait(waiting, timeout=_BEEP_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            for one in waiting:
                one.cancel()
            seconds = seconds if self._beep.is_set() else 0.0
        self.beeped = self._beep.is_set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), seconds)
        if (lost := self._lost.get(dialog.call_id)) is not None:
            # However long the edge takes to be back: who watches the kill says when that was too long.
            await lost.wait()
        if over.is_set():
            self._established.discard(dialog.call_id)
            return "told"
        return await self.hang_up(dialog)

    def give_up(self) -> None:
        """Nobody told it: it hangs up after all."""
        for one in self._lost.values():
            one.set()
        self._lost.clear()

    async def talk_sent_on(self, attendant: str, key: str, seconds: float, *, after_beep: bool = False) -> str:
        """Call an attendant, press a key, and talk for so long where that leads, as by `talk`; what became of it."""
        first = self.new_call()
        self._sent_on[first], self._let_go[first] = asyncio.get_running_loop().create_future(), asyncio.Event()
        try:
            dialog = await self.begin(f"sip:{attendant}@{DOMAIN}", first)
            await asyncio.sleep(_BEFORE_KEY_SECONDS)
            self._press(key)
            try:
                target = await asyncio.wait_for(self._sent_on[first], _SENT_ON_SECONDS)
            except TimeoutError:
                return f"not sent on, {await self.hang_up(dialog)}"
            return await self._follow(dialog, target, seconds, after_beep=after_beep)
        except NoAnswer as error:
            return f"no answer {error}"
        except Refused as error:
            return str(error)
        finally:
            self._to = None
            del self._sent_on[first], self._let_go[first]

    async def _follow(self, before: Dialog, target: str, seconds: float, *, after_beep: bool) -> str:
        """Call where a transfer leads, tell its outcome (RFC 3515 §2.4.5), and let the call before it be ended."""
        try:
            dialog = await self.begin(target, self.new_call())
        except Refused as error:
            await self._tell(before, error.status)
            return f"sent on and {error}, {await self.hang_up(before)}"
        self._listens()
        telling = asyncio.create_task(self._tell(before, 200))
        try:
            outcome = await self._talk_on(dialog, seconds, after_beep=after_beep)
        finally:
            await telling
        try:
            await asyncio.wait_for(self._let_go[before.call_id].wait(), _LET_GO_SECONDS)
        except TimeoutError:
            return f"{outcome}, and the attendant did not let go: {await self.hang_up(before)}"
        self._established.discard(before.call_id)
        return outcome

    async def _tell(self, dialog: Dialog, status: int) -> None:
        self._told = status
        headers = "Event: refer\r\nSubscription-State: terminated;reason=noresource\r\n"
        try:
            await self._ask("NOTIFY", dialog.target, dialog.to, dialog.call_id, dialog.routes + headers, 50)
        except NoAnswer:
            return  # its end is told by what becomes of the call

    def _press(self, key: str) -> None:
        """Send a key from the next tick on (RFC 4733)."""
        event, begun = "0123456789*#".index(key), _FRAME * (self._sent + 1)
        lasted = [*range(1, _KEY_PACKETS + 1), *(_END_PACKETS * [_KEY_PACKETS])]
        for number, frames in enumerate(lasted):
            marker = 0x80 if number == 0 else 0
            end = 0x80 if number >= _KEY_PACKETS else 0
            self._keys.append((_EVENTS | marker, begun, struct.pack("!BBH", event, end | 10, frames * _FRAME)))

    def arrived(self, text: str) -> None:
        """A message came: learn where media goes from each description of a call, and forget it at the end."""
        message = Answer(0, text)
        call_id = (message.all("Call-ID") or [""])[0]
        if text.startswith("ACK "):
            self._over.setdefault(call_id, asyncio.Event())
        if text.startswith("BYE "):
            if call_id == self._talks_in:
                self._to = None
            self._leave(call_id)
            if (let_go := self._let_go.get(call_id)) is not None:
                let_go.set()
        elif text.startswith("REFER "):
            sent_on = self._sent_on.get(call_id)
            target = re.search(r"<([^>]+)>", message.all("Refer-To")[0])
            if sent_on is not None and not sent_on.done() and target is not None:
                sent_on.set_result(target[1])
        elif "INVITE" in text and (port := re.search(r"m=audio (\d+) ", text)) is not None:
            host = re.search(r"c=IN IP4 ([\d.]+)", text)
            self._to, self._talks_in = (host[1] if host else HOST, int(port[1])), call_id
        super().arrived(text)

    async def _end(self, dialog: Dialog, number: int) -> str:
        answer = await self._ask("BYE", dialog.target, dialog.to, dialog.call_id, dialog.routes, number)
        return _ENDS.get(answer.status, f"BYE {answer.status}")

    def _request(self, method: str, uri: str, to: str, call_id: str, number: int, headers: str) -> str:
        text = super()._request(method, uri, to, call_id, number, headers)
        if method == "NOTIFY":
            return _with_body(text, "message/sipfrag;version=2.0", f"SIP/2.0 {self._told} Told\r\n")
        return self._described(text) if method == "INVITE" else text

    def _response(self, request: Answer, status: str) -> str:
        text = super()._response(request, status)
        is_answer = status.startswith("200") and request.all("CSeq")[0].endswith(" INVITE")
        return self._described(text) if is_answer else text

    def _described(self, text: str) -> str:
        port = self._media.getsockname()[1]
        return _with_body(
            text,
            "application/sdp",
            f"v=0\r\no=- 1 1 IN IP4 {HOST}\r\ns=-\r\nc=IN IP4 {HOST}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0 101\r\n"
            "a=rtpmap:101 telephone-event/8000\r\n",
        )


def _is_beep(packet: bytes) -> bool:
    """Whether a packet of mu-law has nothing but a loud tone of the beep's frequency."""
    sound = np.frombuffer(packet, np.uint8)[_HEADER_BYTES:]
    if len(sound) != _FRAME or int((sound & 0x7F).min()) > _LOUD:
        return False
    return int(np.count_nonzero(np.diff(sound >> 7))) in _BEEP_CROSSINGS


def _with_body(text: str, kind: str, body: str) -> str:
    head = f"Content-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    return text.replace("Content-Length: 0\r\n\r\n", head + body)
