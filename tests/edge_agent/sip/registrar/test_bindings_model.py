"""The registrar against a simple model: whatever phones do in whatever order, it has the bindings that a dict has."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from edge_agent.sip.message import DropReason
from tests.support.memory_site import MemorySite
from tests.support.sip_phone import SipPhone

USERS = ("200", "201")
users = st.sampled_from(USERS)
places = st.integers(0, 2)
seconds = st.sampled_from([0, 10, 30, 60, 600, 3600, 7200])


class Bindings(RuleBasedStateMachine):
    """Two users with three phones each; one phone of each is on a stream."""

    def __init__(self) -> None:
        super().__init__()
        self.site = MemorySite()
        self.phones: dict[tuple[str, int], SipPhone] = {
            (user, place): self.site.phone(user, registered=False, tcp=place == 2)
            for user in USERS
            for place in range(3)
        }
        self.model: dict[str, tuple[str, float]] = {}
        """Contact → user and when it lapses."""
        self.number = 0

    def now(self) -> float:
        return self.site.network.clock.monotonic()

    def register(self, phone: SipPhone, contact: str, headers: str = "") -> int:
        self.number += 1
        return phone.register(contact=contact, headers=headers, cseq=str(self.number), call=f"r-{self.number}").status

    @rule(user=users, place=places, expires=seconds)
    def refresh(self, user: str, place: int, expires: int) -> None:
        phone = self.phones[user, place]
        status = self.register(phone, f"<{phone.contact}>;expires={expires}")
        if 0 < expires < 30:
            assert status == 423
            return
        assert status == 200
        if expires:
            self.model[phone.contact] = (user, self.now() + min(expires, 3600))
        else:
            self.model.pop(phone.contact, None)

    @rule(user=users, places=st.lists(places, min_size=2, max_size=3, unique=True), bad=st.booleans())
    def several_at_once(self, user: str, places: list[int], bad: bool) -> None:
        """All or nothing (RFC 3261 §10.3 step 7)."""
        sender = self.phones[user, 2]
        own = [f"<sip:{user}@{sender.address[0]}:{5070 + place};transport=tcp>" for place in places]
        contact = ", ".join([*own, *(["<sip:broken"] if bad else [])])
        status = self.register(sender, contact, "Expires: 600\r\n")
        if bad:
            assert status == 400
            return
        assert status == 200
        for one in own:
            self.model[one.strip("<>")] = (user, self.now() + 600)

    @rule(user=users, place=places)
    def remove_all(self, user: str, place: int) -> None:
        assert self.register(self.phones[user, place], "*", "Expires: 0\r\n") == 200
        self.model = {contact: one for contact, one in self.model.items() if one[0] != user}

    @rule(user=users, place=places, other=users)
    def for_somebody_else(self, user: str, place: int, other: str) -> None:
        if other != user:
            phone = self.phones[user, place]
            self.number += 1
            answer = phone.register(
                to=f"<sip:{other}@demo.tandem.test>", cseq=str(self.number), call=f"r-{self.number}"
            )
            assert answer.status == 403

    @rule(user=users)
    def stream_breaks(self, user: str) -> None:
        phone = self.phones[user, 2]
        self.site.network.disconnect(phone.address)
        self.site.network.run()
        self.site.network.connect(phone.address)
        self.model = {
            contact: one for contact, one in self.model.items() if one[0] != user or "transport=tcp" not in contact
        }

    @rule(pause=st.sampled_from([1.0, 29.0, 31.0, 61.0, 599.0, 3601.0]))
    def time_passes(self, pause: float) -> None:
        self.site.network.run(pause)

    @rule()
    def killed(self) -> None:
        """What a datagram can reach is there again; what went by a stream is not."""
        self.site.endpoint = self.site.started()
        self.model = {contact: one for contact, one in self.model.items() if "transport=tcp" not in contact}

    @invariant()
    def the_same_bindings(self) -> None:
        now = self.now()
        self.model = {contact: one for contact, one in self.model.items() if one[1] > now}
        location = self.site.endpoint.location
        found = {one.contact.decode(): user for user in USERS for one in location.of_user(f"user-{user}", now)}
        assert found == {contact: one[0] for contact, one in self.model.items()}
        assert self.site.endpoint.drops[DropReason.INTERNAL_ERROR] == 0


TestBindings = Bindings.TestCase
TestBindings.settings = settings(max_examples=25, stateful_step_count=20, deadline=None)
