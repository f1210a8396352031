"""Everything about events that an endpoint has, in one object: subscriptions, publications and the packages."""

from __future__ import annotations

from collections import Counter
from typing import Final

from edge_agent.clock import Clock
from edge_agent.ports import MessagesWaiting
from edge_agent.sip.config import SipConfig
from edge_agent.sip.gruu import Gruus
from edge_agent.sip.kept_rows import KeptRows
from edge_agent.sip.location import Binding, BindingEvent, Location
from edge_agent.sip.message import DropReason, Flow, Message
from edge_agent.sip.presence.dialogs import DialogPackage
from edge_agent.sip.presence.kept_dialogs import KeptDialogs
from edge_agent.sip.presence.messages import MessagePackage, Send
from edge_agent.sip.presence.orbits import OrbitLamps
from edge_agent.sip.presence.presence import PresencePackage
from edge_agent.sip.presence.publications import Publications
from edge_agent.sip.presence.registrations import ContactChange, RegistrationPackage
from edge_agent.sip.presence.server import SubscriptionServer
from edge_agent.sip.presence.shared_lines import SharedLines
from edge_agent.sip.presence.voice_quality import NAME as VOICE_QUALITY
from edge_agent.sip.presence.voice_quality import VoiceQuality
from edge_agent.sip.proxy.parties import Parties, Party
from edge_agent.sip.proxy.shared_calls import SharedCalls
from edge_agent.sip.transaction import TransactionLayer
from edge_agent.tokens import Tokens

SWEEP_SECONDS: Final = 5.0


class Events:
    """The events of one site.

    Args:
        layer: sends and answers.
        location: bindings.
        sent_by: `host:port` of this edge by transport.
        gruus: names of single phones.
        parties: who is in which call.
        store: keeps subscriptions and publications.
        config: of the site.
        clock: wall time, for what is kept, and the moment of what the registrar tells.
        tokens: tags.
        drops: what is malformed is counted here.
        send: sends NOTIFYs that no phone subscribed to.
        shared: calls of shared lines.
        quality: what phones report of their calls.
    """

    def __init__(
        self,
        layer: TransactionLayer,
        location: Location,
        sent_by: dict[str, bytes],
        gruus: Gruus,
        parties: Parties,
        store: KeptRows,
        config: SipConfig,
        clock: Clock,
        tokens: Tokens,
        drops: Counter[DropReason],
        send: Send,
        shared: SharedCalls,
        quality: VoiceQuality,
    ) -> None:
        self._clock = clock
        self.store = store
        self._quality = quality
        self.subscriptions = SubscriptionServer(layer, location, sent_by, store, config, clock, tokens, drops)
        self.publications = Publications(layer, store, config, clock, tokens, drops, self.subscriptions.changed)
        self._registrations = RegistrationPackage(location, gruus, config, self.subscriptions)
        self._presence = PresencePackage(location, self.publications, config, self.subscriptions)
        self._dialogs = DialogPackage(parties, config, self.subscriptions, KeptDialogs(store, clock, SWEEP_SECONDS))
        self.orbits = OrbitLamps(parties)
        """Lamps of call park."""
        self._messages = MessagePackage(
            location, store, config, self.subscriptions, send, self.subscriptions.is_subscribed
        )
        self._lines = SharedLines(shared, config, self.subscriptions)
        parties.told = self._party_told
        self.subscriptions.offer(
            (self._registrations, self._presence, self._dialogs, self._messages, *self._lines.packages)
        )
        self.publications.offer(self._presence)
        self.publications.offer(self._lines.published)

    @property
    def names(self) -> tuple[bytes, ...]:
        """Event packages that can be subscribed to."""
        return tuple(dict.fromkeys(name.partition(b";")[0] for name in self.subscriptions.events))

    def arrived(self, request: Message, caller: str | None, now: float) -> None:
        """A SUBSCRIBE or PUBLISH to us that was let in, or a SUBSCRIBE within a dialog."""
        if request.method == b"PUBLISH" and _is_quality(request):
            self._quality.arrived(request, caller, now)
        elif request.method == b"PUBLISH":
            self.publications.arrived(request, caller, now)
        else:
            self.subscriptions.arrived(request, caller, now)

    def _party_told(self, party: Party) -> None:
        self._dialogs.told(party)
        self._lines.told(party)

    def contact_changed(self, binding: Binding, event: BindingEvent) -> None:
        """The registrar changed a binding of a user whom somebody watches."""
        self._registrations.contact_changed(ContactChange(binding, event))
        self._presence.contact_changed(binding, self._clock.monotonic())
        if event == "registered":
            self._messages.phone_came(binding)

    def messages_waiting(self, counts: MessagesWaiting) -> None:
        """See `edge_agent.ports.MessageLamps`.

        Raises:
            ValueError: a count is negative.
        """
        self._messages.messages_waiting(counts, self._clock.monotonic())

    def restore(self, now: float) -> None:
        """Take up what was kept."""
        self._messages.restore()
        self._dialogs.restore(now)
        self.publications.restore(now)
        self.subscriptions.restore(now)

    def configure(self, config: SipConfig) -> None:
        """Go by another configuration."""
        self._registrations.configure(config)
        self._presence.configure(config)
        self._dialogs.configure(config)
        self._messages.configure(config)
        self._lines.configure(config)
        self._quality.configure(config)
        self.publications.configure(config)
        self.subscriptions.configure(config)

    def flow_failed(self, flow: Flow) -> None:
        """A connection is gone."""
        self.subscriptions.flow_failed(flow)

    def batch_ended(self, now: float) -> None:
        """Send what became due."""
        self.subscriptions.batch_ended(now)

    def sweep(self, now: float) -> None:
        """Let go what has lapsed; to be called every `SWEEP_SECONDS`."""
        self._dialogs.sweep()
        self.publications.sweep(now)
        self.subscriptions.sweep(now)


def _is_quality(request: Message) -> bool:
    values = request.all(b"event")
    return len(values) == 1 and values[0].partition(b";")[0].strip() == VOICE_QUALITY
