"""The two messages of plug and play that come from phones: SUBSCRIBE for `ua-profile`, and the answer to our NOTIFY.

Any bytes give a value or `MessageRefused`. Only what plug and play needs is read (RFC 3261 §7, RFC 6080 §4.1); the
registrar's own parser belongs to another process.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import unquote

from edge_agent.provisioning.errors import ProvisioningError

MAX_BYTES: Final = 4096
MAX_HEADERS: Final = 64

_COMPACT: Final = {
    "v": "via",
    "f": "from",
    "t": "to",
    "i": "call-id",
    "m": "contact",
    "o": "event",
    "l": "content-length",
}
_MAC = re.compile(r"(?<![0-9a-f])(?:[0-9a-f]{12}|[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5})(?![0-9a-f])", re.IGNORECASE)
_PARAMETER = re.compile(r";\s*([\w.-]{1,64})\s*=\s*(?:\"((?:[^\"\\]|\\.){0,255})\"|([^\s;\"]{0,255}))")
_CONTACT = re.compile(r"sips?:(?:[^@>\s]*@)?(\[[0-9a-fA-F:.]{2,45}\]|[^:;>\s\[\]]{1,255})(?::([0-9]{1,5}))?")
_SENT_BY = re.compile(
    r"SIP\s*/\s*2\.0\s*/\s*UDP\s+(\[[0-9a-fA-F:.]{2,45}\]|[^\s:;\[\]]{1,255})(?:\s*:\s*([0-9]{1,5}))?", re.IGNORECASE
)
_NO_PHONE: Final = frozenset({"000000000000", "ffffffffffff"})


class MessageRefused(ProvisioningError):
    """Bytes that are no message of plug and play; the text is the reason, for counting."""


@dataclass(frozen=True, slots=True)
class Subscribe:
    """A phone asks for its profile."""

    vias: tuple[str, ...]
    from_: str
    to: str
    call_id: str
    cseq: str
    contact_uri: str
    """Where the NOTIFY is addressed to."""
    contact: tuple[str, int]
    """Host and port of the contact."""
    sent_by_port: int
    """Where the answer goes (RFC 3261 §18.2.2), unless `rport` is asked for."""
    wants_rport: bool
    event: str
    """As it came, for the answer."""
    mac: str
    """Twelve lower-case digits; empty when the phone does not say it."""
    told: Mapping[str, str] = field(default_factory=dict)
    """Parameters of `Event`: `vendor`, `model`, `version`, `profile-type`."""


@dataclass(frozen=True, slots=True)
class Answer:
    """The final answer to a NOTIFY."""

    call_id: str
    status: int


def parse(data: bytes) -> Subscribe | Answer:
    """The message that these bytes are.

    Raises:
        MessageRefused: they are none of the two.
    """
    if len(data) > MAX_BYTES:
        raise MessageRefused("too_long")
    text = data.decode("utf-8", "replace")
    first, _, rest = text.replace("\r\n", "\n").partition("\n")
    headers = _headers(rest.partition("\n\n")[0])
    if first.startswith("SIP/2.0 "):
        status = first[8:11]
        if not (status.isascii() and status.isdigit()) or "notify" not in headers.get("cseq", [""])[0].lower():
            raise MessageRefused("no_answer_of_ours")
        return Answer(_one(headers, "call-id"), int(status))
    method, _, target = first.partition(" ")
    if method != "SUBSCRIBE" or not target.endswith("SIP/2.0"):
        raise MessageRefused("no_subscribe")
    return _subscribe(target, headers)


def _subscribe(target: str, headers: Mapping[str, list[str]]) -> Subscribe:
    event = _one(headers, "event")
    if event.partition(";")[0].strip().lower() != "ua-profile":
        raise MessageRefused("another_event")
    told = {
        found[1].lower(): _plain(found[2] if found[2] is not None else found[3]) for found in _PARAMETER.finditer(event)
    }
    if told.get("profile-type", "device").lower() != "device":
        raise MessageRefused("another_profile")
    contact = _CONTACT.search(_one(headers, "contact"))
    via = _SENT_BY.search(headers.get("via", [""])[0])
    if contact is None or via is None:
        raise MessageRefused("no_way_back")
    from_, to = _one(headers, "from"), _one(headers, "to")
    return Subscribe(
        vias=tuple(headers["via"]),
        from_=from_,
        to=to,
        call_id=_one(headers, "call-id"),
        cseq=_one(headers, "cseq"),
        contact_uri=contact[0],
        contact=(contact[1].strip("[]"), _port(contact[2])),
        sent_by_port=_port(via[2]),
        wants_rport="rport" in headers["via"][0].lower(),
        event=event,
        mac=_mac(target) or _mac(from_) or _mac(to),
        told=told,
    )


def _headers(text: str) -> dict[str, list[str]]:
    lines: list[str] = []
    for line in text.split("\n"):
        if line[:1] in (" ", "\t") and lines:
            lines[-1] += " " + line.strip()
        elif line:
            lines.append(line)
    if len(lines) > MAX_HEADERS:
        raise MessageRefused("too_many_headers")
    found: dict[str, list[str]] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        name = name.strip().lower()
        if not colon or not name:
            raise MessageRefused("no_header")
        if not value.strip().isprintable():
            raise MessageRefused("control_characters")
        found.setdefault(_COMPACT.get(name, name), []).append(value.strip())
    return found


def _one(headers: Mapping[str, list[str]], name: str) -> str:
    value = headers.get(name, [""])[0]
    if not value:
        raise MessageRefused(f"no_{name.replace('-', '_')}")
    return value


def _mac(text: str) -> str:
    found = _MAC.search(unquote(text))
    mac = re.sub("[:-]", "", found[0]).lower() if found else ""
    return "" if mac in _NO_PHONE else mac


def _port(text: str | None) -> int:
    port = int(text) if text else 5060
    if not 0 < port < 65536:
        raise MessageRefused("no_port")
    return port


def _plain(text: str) -> str:
    return re.sub(r"\\(.)", r"\1", text)[:64]
