"""A SIP client of a few lines over a plain socket: says exactly what a test wants said, and shares no code of ours."""

import hashlib
import itertools
import re
import secrets
import socket
from dataclasses import dataclass, field
from typing import Self

_PARAMETER = re.compile(r'(\w+)=(?:"([^"]*)"|([^",\s]+))')


@dataclass(frozen=True)
class Answer:
    """One SIP response."""

    status: int
    text: str

    def header(self, name: str) -> str | None:
        """The first value of a header."""
        found = re.search(rf"(?im)^{re.escape(name)}\s*:\s*(.*?)\r?$", self.text)
        return found[1] if found else None


@dataclass
class RawPhone:
    """One UDP socket with one account.

    Args:
        target: address and port of the edge.
        timeout: seconds to wait for an answer before the request is sent again; three times at most.
        algorithm: `MD5` or `SHA-256`; of several challenges the one with this is answered.
        user_agent: what it says that it is; empty: nothing.
        reuse: whether to go on with the last nonce (or `nextnonce`) instead of waiting for a challenge.
    """

    target: tuple[str, int]
    username: str
    auth_username: str
    password: str = field(repr=False)
    domain: str = "demo.tandem.test"
    timeout: float = 1.0
    algorithm: str = "MD5"
    reuse: bool = False
    user_agent: str = ""
    statuses: list[int] = field(default_factory=list)
    """Every final status that it got."""

    def __post_init__(self) -> None:
        self._socket = socket.socket(type=socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(self.timeout)
        self._numbers = itertools.count(1)
        self.call_id = secrets.token_hex(8)
        self._challenge: dict[str, str] = {}
        self._uses = 0
        self.port: int = self._socket.getsockname()[1]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def register(self, expires: int = 600) -> Answer:
        """REGISTER, answering the challenge."""
        return self._authenticated("REGISTER", f"sip:{self.domain}", self.username, f"Expires: {expires}\r\n")

    def unregister_all(self) -> Answer:
        """Remove every binding of the user, whoever made it (RFC 3261 §10.2.2)."""
        headers = "Contact: *\r\nExpires: 0\r\n"
        return self._authenticated("REGISTER", f"sip:{self.domain}", self.username, headers, contact=False)

    def query(self) -> Answer:
        """REGISTER without a Contact: which bindings are there."""
        return self._authenticated("REGISTER", f"sip:{self.domain}", self.username, "", contact=False)

    def invite(self, dialled: str, sdp: str = "") -> Answer:
        """INVITE, answering the challenge; the final answer; a refusal is acknowledged."""
        headers = "Content-Type: application/sdp\r\n" if sdp else ""
        return self._authenticated("INVITE", f"sip:{dialled}@{self.domain}", dialled, headers, body=sdp)

    def cancel(self, dialled: str) -> None:
        """Take back the INVITE that another thread waits in."""
        uri = f"sip:{dialled}@{self.domain}"
        head = self._head("CANCEL", uri, f"<{uri}>", self._branch, self._number)
        self._socket.sendto(f"{head}Content-Length: 0\r\n\r\n".encode(), self.target)

    def acknowledge(self, answer: Answer) -> None:
        """Acknowledge the 2xx that an INVITE got, and say nothing more."""
        target, headers = self._way_of(answer)
        head = self._head("ACK", target, answer.header("To") or "", secrets.token_hex(8), self._number)
        self._socket.sendto(f"{head}{headers}Content-Length: 0\r\n\r\n".encode(), self.target)

    def hang_up(self, answer: Answer) -> Answer:
        """Acknowledge the 2xx that an INVITE got, then end the call; the answer to the BYE."""
        self.acknowledge(answer)
        target, headers = self._way_of(answer)
        return self._ask("BYE", target, answer.header("To") or "", headers, contact=False)

    def renew(self, answer: Answer, sdp: str) -> Answer:
        """Ask for another session in the call of this 2xx (re-INVITE), and acknowledge what comes."""
        target, headers = self._way_of(answer)
        headers += "Content-Type: application/sdp\r\n"
        renewed = self._ask("INVITE", target, answer.header("To") or "", headers, contact=True, body=sdp)
        head = self._head("ACK", target, answer.header("To") or "", secrets.token_hex(8), self._number)
        self._socket.sendto(f"{head}{self._way_of(answer)[1]}Content-Length: 0\r\n\r\n".encode(), self.target)
        return renewed

    def refer(self, answer: Answer, refer_to: str) -> Answer:
        """Ask the other end of the call of this 2xx to call somebody."""
        target, headers = self._way_of(answer)
        return self._ask("REFER", target, answer.header("To") or "", f"{headers}Refer-To: {refer_to}\r\n", contact=True)

    def replaces(self, answer: Answer) -> str:
        """Where the call of this 2xx is, and that its place is to be taken, for a Refer-To (RFC 3891 §6.1)."""
        theirs = (answer.header("To") or "").partition("tag=")[2]
        own = (answer.header("From") or "").partition("tag=")[2]
        named = f"{self.call_id}%3Bto-tag%3D{theirs}%3Bfrom-tag%3D{own}"
        return f"<{self._way_of(answer)[0]}?Replaces={named}>"

    def until(self, method: str) -> Answer:
        """Say yes to every request, and wait for one of this method."""
        while True:
            asked = self.receive()
            if asked.status or asked.text.startswith("ACK "):
                continue
            kept = re.findall(r"(?im)^(?:Via|From|To|Call-ID|CSeq)\s*:.*?$", asked.text)
            self.send("\r\n".join(["SIP/2.0 200 OK", *(line.rstrip() for line in kept), "Content-Length: 0", "", ""]))
            if asked.text.startswith(method + " "):
                return asked

    def _way_of(self, answer: Answer) -> tuple[str, str]:
        """Request-URI and Route headers of the dialog that a 2xx made."""
        target = (answer.header("Contact") or "").partition("<")[2].partition(">")[0]
        recorded = re.findall(r"(?im)^Record-Route\s*:\s*(.*?)\r?$", answer.text)
        routes = [route for line in recorded for route in re.findall(r"<[^>]*>", line)]
        return target, "".join(f"Route: {route}\r\n" for route in reversed(routes))

    def _authenticated(
        self, method: str, uri: str, to: str, headers: str, *, contact: bool = True, body: str = ""
    ) -> Answer:
        address = f"<sip:{to}@{self.domain}>"
        known = f"Authorization: {self._digest(method, uri)}\r\n" if self.reuse and self._challenge else ""
        answer = self._ask(method, uri, address, headers + known, contact, body)
        if answer.status not in {401, 407}:
            return answer
        if method == "INVITE":
            self._acknowledge(uri, address, answer)
        self._take_up(answer)
        name = "Authorization" if answer.status == 401 else "Proxy-Authorization"
        headers += f"{name}: {self._digest(method, uri)}\r\n"
        answer = self._ask(method, uri, address, headers, contact, body)
        if method == "INVITE" and answer.status >= 300:
            self._acknowledge(uri, address, answer)
        return answer

    def _take_up(self, answer: Answer) -> None:
        """The challenge with our algorithm, of those that came."""
        for value in re.findall(r"(?im)^(?:WWW|Proxy)-Authenticate\s*:\s*(.*?)\r?$", answer.text):
            said = {name.lower(): quoted or plain for name, quoted, plain in _PARAMETER.findall(value)}
            if said.get("algorithm", "MD5").upper() == self.algorithm:
                self._challenge, self._uses = said, 0
                return
        raise ValueError(f"no challenge with {self.algorithm}")

    def _digest(self, method: str, uri: str) -> str:
        said, cnonce = self._challenge, secrets.token_hex(8)
        self._uses += 1
        nc = f"{self._uses:08x}"

        def digest(text: str) -> str:
            make = hashlib.sha256 if self.algorithm == "SHA-256" else hashlib.md5
            return make(text.encode()).hexdigest()

        secret = digest(f"{self.auth_username}:{said['realm']}:{self.password}")
        response = digest(f"{secret}:{said['nonce']}:{nc}:{cnonce}:auth:{digest(f'{method}:{uri}')}")
        return (
            f'Digest username="{self.auth_username}", realm="{said["realm"]}", nonce="{said["nonce"]}", uri="{uri}", '
            f'response="{response}", algorithm={self.algorithm}, qop=auth, nc={nc}, cnonce="{cnonce}"'
        )

    def _head(self, method: str, uri: str, to: str, branch: str, number: int) -> str:
        tag = hashlib.sha256(self.call_id.encode()).hexdigest()[:8]
        return (
            f"{method} {uri} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK{branch};rport\r\n"
            f"From: <sip:{self.username}@{self.domain}>;tag={tag}\r\n"
            f"To: {to}\r\nCall-ID: {self.call_id}\r\nCSeq: {number} {method}\r\nMax-Forwards: 70\r\n"
        )

    def _ask(self, method: str, uri: str, to: str, headers: str, contact: bool, body: str = "") -> Answer:
        number = self._number = next(self._numbers)
        self._branch = secrets.token_hex(8)
        text = self._head(method, uri, to, self._branch, number) + headers
        if self.user_agent:
            text += f"User-Agent: {self.user_agent}\r\n"
        if contact:
            text += f"Contact: <sip:{self.username}@127.0.0.1:{self.port}>\r\n"
        text += f"Content-Length: {len(body)}\r\n\r\n{body}"
        for _ in range(3):
            self._socket.sendto(text.encode(), self.target)
            try:
                while True:
                    answer = self.receive()
                    if answer.status >= 200 and (answer.header("CSeq") or "").split() == [str(number), method]:
                        self.statuses.append(answer.status)
                        next_nonce = re.search(r'nextnonce="([^"]*)"', answer.header("Authentication-Info") or "")
                        if next_nonce:
                            self._challenge["nonce"], self._uses = next_nonce[1], 0
                        return answer
            except TimeoutError:
                continue
        raise TimeoutError(f"no answer to {method} from {self.target}")

    def send(self, text: str) -> None:
        """Send any message."""
        self._socket.sendto(text.encode(), self.target)

    def receive(self) -> Answer:
        """The next message, whatever it is; the status of a request is 0.

        Raises:
            TimeoutError: there was none for `timeout` seconds.
        """
        text = self._socket.recv(65536).decode("utf-8", "replace")
        found = re.match(r"SIP/2\.0 (\d{3})", text)
        return Answer(int(found[1]) if found else 0, text)

    def _acknowledge(self, uri: str, to: str, answer: Answer) -> None:
        head = self._head("ACK", uri, answer.header("To") or to, self._branch, self._number)
        self._socket.sendto(f"{head}Content-Length: 0\r\n\r\n".encode(), self.target)
