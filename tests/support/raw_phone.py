"""A phone of a few lines that can register: independent of our SIP stack, for tests of whole processes."""

import hashlib
import re
import socket


class RawPhone:
    """One account on one UDP socket, towards one edge."""

    def __init__(self, edge: tuple[str, int], domain: str, user: str, auth_username: str, password: str) -> None:
        self.edge, self.domain, self.user = edge, domain, user
        self._auth_username, self._password = auth_username, password
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(5)
        self.port: int = self.socket.getsockname()[1]
        self._cseq = 0

    def register(self, expires: int = 600) -> int:
        """Register, answering one challenge; the final status."""
        status, answer = self._round("")
        if status != 401:
            return status
        realm, nonce = (_parameter(name, answer) for name in ("realm", "nonce"))
        ha1 = _md5(f"{self._auth_username}:{realm}:{self._password}")
        ha2 = _md5(f"REGISTER:sip:{self.domain}")
        response = _md5(f"{ha1}:{nonce}:00000001:c0ffee:auth:{ha2}")
        return self._round(
            f'Authorization: Digest username="{self._auth_username}", realm="{realm}", nonce="{nonce}", '
            f'uri="sip:{self.domain}", response="{response}", algorithm=MD5, qop=auth, nc=00000001, '
            'cnonce="c0ffee"\r\n',
            expires,
        )[0]

    def close(self) -> None:
        """Let go of the socket."""
        self.socket.close()

    def _round(self, authorization: str, expires: int = 600) -> tuple[int, str]:
        self._cseq += 1
        request = (
            f"REGISTER sip:{self.domain} SIP/2.0\r\n"
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bK{self.port}{self._cseq};rport\r\n"
            f"Max-Forwards: 70\r\nFrom: <sip:{self.user}@{self.domain}>;tag=a{self.port}\r\n"
            f"To: <sip:{self.user}@{self.domain}>\r\nCall-ID: {self.port}@phone\r\nCSeq: {self._cseq} REGISTER\r\n"
            f"Contact: <sip:{self.user}@127.0.0.1:{self.port}>;expires={expires}\r\n"
            f"{authorization}Content-Length: 0\r\n\r\n"
        )
        self.socket.sendto(request.encode(), self.edge)
        answer = self.socket.recv(65_535).decode()
        return int(answer.split(" ", 2)[1]), answer


def _md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def _parameter(name: str, answer: str) -> str:
    found = re.search(f'{name}="([^"]*)"', answer)
    assert found, answer
    return found[1]
