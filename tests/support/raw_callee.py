"""A phone over a plain socket that answers an INVITE as a test says: rings, refuses, waits to be cancelled."""

import re
import threading
from typing import Self

from tests.support.raw_sip import RawPhone


class RawCallee:
    """Registers a `RawPhone` and answers what comes to it, in a thread of its own, until the block ends.

    Args:
        phone: with the account; registered here.
        answers: statuses given to each INVITE, at once and in this order; without a final one it rings on.
        registers: whether it does; a gateway does not.
    """

    def __init__(self, phone: RawPhone, answers: tuple[int, ...], *, registers: bool = True) -> None:
        self._phone = phone
        self._registers = registers
        self._answers = answers
        self._pending: dict[str, str] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.ringing = threading.Event()
        """Set once an INVITE has come."""
        self.cancelled = threading.Event()
        """Set once an INVITE was taken back."""

    def __enter__(self) -> Self:
        if self._registers:
            assert self._phone.register().status == 200
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(timeout=10)
        if self._registers:
            self._phone.register(expires=0)

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                text = self._phone.receive().text
            except TimeoutError:
                continue
            self._take(text)

    def _take(self, text: str) -> None:
        method = text.split(" ", 1)[0]
        call = _header(text, "Call-ID")
        if method == "INVITE":
            fresh = call not in self._pending
            self._pending[call] = text
            if fresh:
                for status in self._answers:
                    self._answer(text, status)
            self.ringing.set()
        elif method == "CANCEL":
            self._answer(text, 200)
            self._answer(self._pending[call], 487)
            self.cancelled.set()
        elif method == "BYE":
            self._answer(text, 200)

    def _answer(self, request: str, status: int) -> None:
        copied = re.findall(r"(?im)^(?:Via|Record-Route|From|Call-ID|CSeq)\s*:.*?\r$", request)
        to = _header(request, "To")
        tag = "" if ";tag=" in to else f";tag=callee{self._phone.port}"
        contact = f"Contact: <sip:{self._phone.username}@127.0.0.1:{self._phone.port}>"
        lines = [f"SIP/2.0 {status} Said", *(line.rstrip("\r") for line in copied), f"To: {to}{tag}", contact]
        self._phone.send("\r\n".join([*lines, "Content-Length: 0", "", ""]))


def _header(text: str, name: str) -> str:
    found = re.search(rf"(?im)^{name}\s*:\s*(.*?)\r?$", text)
    assert found, name
    return found[1]
