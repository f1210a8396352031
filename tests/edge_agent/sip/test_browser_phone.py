"""A phone in a browser: registers and is called over WebSocket, with addresses that nobody can reach (RFC 7118 §5)."""

import asyncio
import hashlib
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect
from websockets.typing import Subprotocol

from edge_agent.clock import SystemClock
from edge_agent.sip.endpoint import Endpoint
from edge_agent.sip.message import DropReason
from edge_agent.sip.registrar import SqliteBindingStore
from edge_agent.sip.transport import SipTransport
from edge_agent.tokens import SystemTokens
from tests.support.sip_site import DOMAIN, KEY, REALM, SiteLog, password_of, sip_config
from tests.support.waiting import eventually_async

LOOPBACK = "127.0.0.1"


@asynccontextmanager
async def running(folder: Path, log: SiteLog) -> AsyncIterator[tuple[Endpoint, SipTransport]]:
    clock = SystemClock()
    transport = SipTransport(clock, udp=(LOOPBACK, 0), ws=(LOOPBACK, 0))
    await transport.open()
    store = SqliteBindingStore(folder / "sip.db")
    endpoint = Endpoint(
        sip_config(),
        clock=clock,
        tokens=SystemTokens(),
        reporter=log,
        journal=log,
        store=store,
        transport=transport,
        key=KEY,
    )
    endpoint.start()
    try:
        yield endpoint, transport
    finally:
        endpoint.stop()
        await transport.close()
        store.close()


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


class Browser:
    """One account in a browser; its host name is made up, as RFC 7118 §5.2.1 asks for."""

    def __init__(self, connection: ClientConnection, username: str) -> None:
        self._connection = connection
        self.username = username
        self.host = f"{username}.invalid"
        self._number = 0

    async def ask(self, method: str, uri: str, to: str, extra: str = "") -> str:
        """Send a request; the final answer, with its challenge answered."""
        answer = await self._round(method, uri, to, extra)
        challenge = re.search(r"(WWW|Proxy)-Authenticate: .*nonce=\"([^\"]+)\"", answer)
        if challenge is None:
            return answer
        name = "Authorization" if challenge[1] == "WWW" else "Proxy-Authorization"
        secret = md5(f"auth{self.username}:{REALM}:{password_of(self.username)}")
        response = md5(f"{secret}:{challenge[2]}:00000001:c0ffee:auth:{md5(f'{method}:{uri}')}")
        return await self._round(
            method,
            uri,
            to,
            f'{extra}{name}: Digest username="auth{self.username}", realm="{REALM}", nonce="{challenge[2]}", '
            f'uri="{uri}", response="{response}", algorithm=MD5, qop=auth, nc=00000001, cnonce="c0ffee"\r\n',
        )

    async def _round(self, method: str, uri: str, to: str, extra: str) -> str:
        self._number += 1
        await self._connection.send(
            f"{method} {uri} SIP/2.0\r\nVia: SIP/2.0/WS {self.host};branch=z9hG4bK{self.username}{self._number}\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:{self.username}@{DOMAIN}>;tag={self.username}\r\nTo: <{to}>\r\n"
            f"Call-ID: {self.username}\r\nCSeq: {self._number} {method}\r\n{extra}\r\n"
        )
        while (answer := await self.receive()).startswith("SIP/2.0 1"):
            pass
        return answer

    async def receive(self) -> str:
        """The next message."""
        said = await self._connection.recv()
        assert isinstance(said, str)
        return said

    async def register(self) -> str:
        """Register; the final answer."""
        contact = f"Contact: <sip:{self.username}@{self.host};transport=ws>;expires=600\r\n"
        return await self.ask("REGISTER", f"sip:{DOMAIN}", f"sip:{self.username}@{DOMAIN}", contact)

    async def answer(self, request: str) -> None:
        """200 to a request."""
        kept = [line for line in request.split("\r\n") if re.match(r"(?i)(via|from|call-id|cseq|to):", line)]
        head = "\r\n".join(f"{line};tag=b" if line.lower().startswith("to:") else line for line in kept)
        await self._connection.send(f"SIP/2.0 200 OK\r\n{head}\r\n\r\n")


async def test_two_browsers_reach_each_other_by_their_connections_and_bindings_end_with_them(tmp_path: Path) -> None:
    log = SiteLog()
    async with running(tmp_path, log) as (endpoint, transport):
        address = "ws://{}:{}/".format(*transport.local["ws"])
        offer = [Subprotocol("sip")]
        async with (
            connect(address, subprotocols=offer, proxy=None) as first,
            connect(address, subprotocols=offer, proxy=None) as second,
        ):
            caller, callee = Browser(first, "200"), Browser(second, "201")
            for one in (caller, callee):
                registered = await one.register()
                assert registered.startswith("SIP/2.0 200 ")
                assert "received=127.0.0.1" in registered
            contacts = {binding.contact for binding in endpoint.location.all()}
            assert contacts == {b"sip:%d@%d.invalid;transport=ws" % (user, user) for user in (200, 201)}

            asking = asyncio.ensure_future(
                caller.ask("MESSAGE", f"sip:201@{DOMAIN}", f"sip:201@{DOMAIN}", "Content-Type: text/plain\r\n")
            )
            request = await callee.receive()
            assert request.startswith("MESSAGE sip:201@201.invalid;transport=ws SIP/2.0\r\n")
            assert "\r\nVia: SIP/2.0/WS 127.0.0.1:" in request
            await callee.answer(request)
            assert (await asking).startswith("SIP/2.0 200 ")
        await eventually_async(lambda: not len(endpoint.location), what="no binding is left")
        assert endpoint.drops[DropReason.INTERNAL_ERROR] == 0
    assert {one.transport for one in log.registrations} == {"ws"}
