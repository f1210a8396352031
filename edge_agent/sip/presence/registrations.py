"""The `reg` package: who is registered where (RFC 3680), with the phones' GRUUs (RFC 5628)."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from edge_agent.sip.config import SipConfig
from edge_agent.sip.gruu import Gruus
from edge_agent.sip.location import Binding, BindingEvent, Location
from edge_agent.sip.presence.package import Changes, Document, View
from edge_agent.sip.presence.watching import AboutOneself
from edge_agent.sip.xml_text import escape, quoteattr

_TYPE: Final = b"application/reginfo+xml"
_HEAD: Final = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<reginfo xmlns="urn:ietf:params:xml:ns:reginfo" xmlns:gr="urn:ietf:params:xml:ns:gruuinfo" '
)

_GONE: Final = frozenset({"expired", "deactivated", "unregistered"})


@dataclass(frozen=True, slots=True)
class ContactChange:
    """One binding, and what happened to it."""

    binding: Binding
    event: BindingEvent


class RegistrationPackage(AboutOneself):
    """Tells watchers of an address of record its contacts.

    A user may watch himself; administrators and services of the site may watch everybody (RFC 3680 §4.7: registrations
    tell where people are).

    Args:
        location: bindings.
        gruus: names of single phones.
        config: of the site.
        changes: told of contacts that came, changed and went.
    """

    name = b"reg"
    content_types = (_TYPE,)
    default_expires = 3761
    pause_seconds = 5.0
    """§4.8."""

    def __init__(self, location: Location, gruus: Gruus, config: SipConfig, changes: Changes) -> None:
        super().__init__(config)
        self._location = location
        self._gruus = gruus
        self._changes = changes
        self._watched: set[str] = set()

    def watch(self, resource: str, watched: bool) -> None:
        """Note whose changes matter."""
        if watched:
            self._watched.add(resource)
        else:
            self._watched.discard(resource)
        self._location.watch(resource, watched)

    def contact_changed(self, change: ContactChange) -> None:
        """The registrar changed a binding."""
        if change.binding.user_id in self._watched:
            self._changes.changed(self.name, change.binding.user_id, change)

    def document(self, view: View, now: float) -> Document:
        """Everything, or the contacts that changed, each as it is now."""
        bindings = self._location.of_user(view.resource, now)
        if view.changes is None:
            contacts = [self._contact(one, "registered", now) for one in bindings]
        else:
            # The last thing that happened to a contact is what it is.
            last = {one.binding.contact: one for one in view.changes if isinstance(one, ContactChange)}
            contacts = [self._contact(one.binding, one.event, now) for one in last.values()]
        state = "active" if bindings else "init" if view.changes is None else "terminated"
        aor = self.address_of(view.resource)
        body = (
            f'{_HEAD}version="{view.version}" state="{"full" if view.changes is None else "partial"}">\n'
            f'<registration aor={quoteattr(aor)} id={quoteattr("r-" + view.resource)} state="{state}">\n'
            f"{''.join(contacts)}</registration>\n</reginfo>\n"
        )
        return Document(_TYPE, body.encode())

    def _contact(self, binding: Binding, event: BindingEvent, now: float) -> str:
        gone = event in _GONE
        name = sha256(binding.contact + binding.instance + b"%d" % binding.reg_id).hexdigest()[:16]
        left = "" if gone else f' expires="{max(0, round(binding.expires - now))}"'
        quality = "" if binding.q == 1000 else f' q="0.{binding.q:03d}"'
        state, call_id = "terminated" if gone else "active", quoteattr(_text(binding.call_id))
        lines = [
            f'<contact id="c-{name}" state="{state}" event="{event}"{left}{quality}',
            f'callid={call_id} cseq="{binding.cseq}">',
            f"<uri>{escape(_text(binding.contact))}</uri>",
        ]
        if binding.instance:
            lines.append(f'<unknown-param name="+sip.instance">{escape(_text(binding.instance))}</unknown-param>')
        if binding.reg_id:
            lines.append(f'<unknown-param name="reg-id">{binding.reg_id}</unknown-param>')
        if not gone and binding.user_id in self._config.users and (public := self._gruus.public(binding)):
            lines.append(f"<gr:pub-gruu uri={quoteattr(_text(public))}/>")
            temporary = _text(self._gruus.temporary(binding))
            lines.append(f'<gr:temp-gruu uri={quoteattr(temporary)} first-cseq="{binding.first_cseq}"/>')
        return "\n".join([*lines, "</contact>\n"])


def _text(value: bytes) -> str:
    """Bytes from a message as characters that XML may have."""
    return "".join(c if c >= " " or c == "\t" else " " for c in value.decode("utf-8", "replace")).replace("\x7f", " ")
