"""What sipp is to say and to expect, written as steps and turned into its XML.

Fields of sipp's input line, as in `tests.support.sipp`: user; authentication; dialled number; domain.
"""

from typing import Final, Self

_SDP: Final = """v=0
o=sipp 1 {version} IN IP4 [local_ip]
s=-
c=IN IP4 [local_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
a=rtpmap:0 PCMU/8000
a={direction}"""
_OWN_VIA: Final = "Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch];rport"
_FROM: Final = "From: <sip:[field0]@[field3]>;tag=[pid]s[call_number]"
_CONTACT: Final = "Contact: <sip:[field0]@[local_ip]:[local_port];transport=[transport]>"
_DIALLED: Final = "sip:[field2]@[field3]"


class Script:
    """Steps in their order; each method adds one and gives the script back."""

    def __init__(self) -> None:
        self._steps: list[str] = []
        self._number = 0
        self._version = 0

    # -- as client

    def ask(self, method: str, *headers: str, within: bool = False, direction: str = "") -> Self:
        """Send a request.

        Args:
            method: which.
            headers: further header lines.
            within: to the other end of the dialog, along its routes.
            direction: `sendrecv` or `sendonly`: with a session description that says so.
        """
        self._number += 1
        target, to = ("[next_url]", f"To: <{_DIALLED}>[peer_tag_param]") if within else (_DIALLED, f"To: <{_DIALLED}>")
        if method == "REGISTER":
            target, to = "sip:[field3]", "To: <sip:[field0]@[field3]>"
        routes = ("[routes]",) if within else ()
        return self._send(method, target, (_OWN_VIA, *routes, to, *headers), direction)

    def cancel(self) -> Self:
        """CANCEL the INVITE that rings."""
        return self._send("CANCEL", _DIALLED, ("[last_Via:]", f"To: <{_DIALLED}>"))

    def expect(self, status: int, *, attributes: str = "") -> Self:
        """Wait for a response; before a final one others may come."""
        for sooner in (100, 180, 183) if status >= 200 else (100,):
            self._steps.append(f'<recv response="{sooner}" optional="true"/>')
        self._steps.append(f'<recv response="{status}" {attributes}/>')
        return self

    def expect_challenge(self, status: int) -> Self:
        """401 or 407, whose challenge the next request's credentials answer."""
        return self.expect(status, attributes='auth="true"')

    def expect_answer(self) -> Self:
        """200 to INVITE, which makes the dialog, and its ACK."""
        self.expect(200, attributes='rrs="true"')
        return self._send("ACK", "[next_url]", (_OWN_VIA, "[routes]", "[last_To:]"))

    def expect_refusal(self, status: int) -> Self:
        """A final response to INVITE that is none, and its ACK, which belongs to the same transaction."""
        self.expect(status)
        return self._refused()

    def _refused(self) -> Self:
        return self._send("ACK", _DIALLED, ("[last_Via:]", "[last_To:]"))

    def expect_cancelled(self) -> Self:
        """200 to the CANCEL and 487 to the INVITE, in either order as the two may overtake each other."""
        self._steps.append('<recv response="200"/>')
        return self.expect_refusal(487)

    def invite(self, direction: str = "sendrecv") -> Self:
        """INVITE, and again with credentials."""
        self.ask("INVITE", direction=direction).expect_challenge(407)._refused()
        return self.ask("INVITE", "[field1]", direction=direction)

    def register(self) -> Self:
        """REGISTER for a minute, and again with credentials."""
        self.ask("REGISTER", "Expires: 60").expect_challenge(401)
        return self.ask("REGISTER", "Expires: 60", "[field1]").expect(200)

    def hang_up(self) -> Self:
        """BYE."""
        return self.ask("BYE", within=True).expect(200)

    # -- as server

    def hear(self, method: str) -> Self:
        """Wait for a request."""
        self._steps.append(f'<recv request="{method}" rrs="true"/>')
        return self

    def reply(self, status: str, *, direction: str = "") -> Self:
        """Answer the last request, such as with `180 Ringing`."""
        lines = [
            f"SIP/2.0 {status}",
            "[last_Via:]",
            "[last_Record-Route:]",
            "[last_From:]",
            "[last_To:];tag=[pid]a[call_number]",
            "[last_Call-ID:]",
            "[last_CSeq:]",
            "Contact: <sip:[local_ip]:[local_port];transport=[transport]>",
        ]
        return self._message(lines, direction)

    def reply_cancelled(self) -> Self:
        """200 to the CANCEL that came last, and 487 to its INVITE, of the same transaction."""
        self.reply("200 OK")
        self.reply("487 Request Terminated")
        self._steps[-1] = self._steps[-1].replace("[last_CSeq:]", "CSeq: [last_cseq_number] INVITE")
        return self

    def reply_within(self, status: str) -> Self:
        """Answer the last request of a dialog: its To has a tag already."""
        return self._message(
            [f"SIP/2.0 {status}", "[last_Via:]", "[last_From:]", "[last_To:]", "[last_Call-ID:]", "[last_CSeq:]"], ""
        )

    def wait(self, milliseconds: int) -> Self:
        """Do nothing for so long."""
        self._steps.append(f'<pause milliseconds="{milliseconds}"/>')
        return self

    # -- its text

    def xml(self) -> str:
        """As sipp reads it."""
        steps = "\n".join(self._steps)
        return f'<?xml version="1.0" encoding="UTF-8"?>\n<scenario name="script">\n{steps}\n</scenario>\n'

    def _send(self, method: str, target: str, headers: tuple[str, ...], direction: str = "") -> Self:
        via, *rest = headers
        lines = [
            f"{method} {target} SIP/2.0",
            via,
            _FROM,
            *rest,
            "Call-ID: [call_id]",
            f"CSeq: {self._number} {method}",
            "Max-Forwards: 70",
            *([_CONTACT] if method != "ACK" else []),
        ]
        return self._message(lines, direction, repeated=method != "ACK")

    def _message(self, lines: list[str], direction: str, *, repeated: bool = False) -> Self:
        body = ""
        if direction:
            self._version += 1
            lines.append("Content-Type: application/sdp")
            body = "\n" + _SDP.format(version=self._version, direction=direction)
        text = "\n".join([*lines, "Content-Length: [len]", body])
        self._steps.append(
            f"<send{' retrans=' + chr(34) + '500' + chr(34) if repeated else ''}><![CDATA[\n{text}\n]]></send>"
        )
        return self
