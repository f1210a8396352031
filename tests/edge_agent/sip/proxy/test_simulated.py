"""What the simulator says of a call is what the edge then does, on generated plans."""

from collections import Counter
from dataclasses import replace

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from contract.dialplan import Call, Outcome, Reject, Ring, SiteState, Step, compile_plan
from contract.dialplan.simulate import simulate
from contract.snapshot import Snapshot
from edge_agent.sip.config import Credential
from edge_agent.sip.message import ha1
from edge_agent.sip.proxy.responses import BranchEnd, best_of
from tests.contract.dialplan.test_properties import IDS, NUMBERS, plans, states
from tests.support.memory_network import Address
from tests.support.memory_site import EDGE, MemorySite, uri
from tests.support.sip_phone import SipPhone
from tests.support.sip_site import REALM, MemoryRows, password_of, sip_config

SILENT = 0
UNREGISTERED = -1
phone_answers = st.sampled_from([200, 404, 480, 486, 600, 603, UNREGISTERED])
gateway_answers = st.sampled_from([200, 403, 404, 486, 500, 503, 603, SILENT])
GATEWAYS: dict[str, Address] = {
    "pri": ("192.0.2.10", 5060),
    "fxo": ("192.0.2.11", 5060),
    "cell": ("192.0.2.12", 5060),
}


class World:
    """One site with every phone and gateway, each of which answers always the same."""

    def __init__(self, snapshot: Snapshot, state: SiteState, answers: dict[str, int]) -> None:
        self.answers = answers
        credentials = {
            f"auth{user.username}": Credential(
                f"auth{user.username}",
                f"line-{user.username}",
                user.user_id,
                None,
                {"MD5": ha1("MD5", f"auth{user.username}", REALM, password_of(user.username))},
            )
            for user in snapshot.users
        }
        self.plan = compile_plan(snapshot)
        config = replace(sip_config(), plan=self.plan, state=state, credentials=credentials, emergency_numbers=("112",))
        rows = {("hunt_rotation", key): str(value) for key, value in state.rotation.items()}
        rows |= {("idle_since", key): repr(value) for key, value in state.last_call_ended.items()}
        self.site = MemorySite(config=config, kept=MemoryRows(kept=rows))
        self.site._next = 50
        self.names: dict[Address, str] = {}
        for user in snapshot.users:
            answer = answers[user.user_id]
            if answer != UNREGISTERED and user.enabled:
                self.names[self.site.phone(user.username, answer).address] = user.user_id
        for gateway_id, address in GATEWAYS.items():
            answer = answers[gateway_id]
            SipPhone(self.site.network, address, EDGE, gateway_id, (answer,) if answer != SILENT else ())
            self.names[address] = gateway_id

    def ends(self, step: Step) -> Outcome:
        """How a step comes out here."""
        if not isinstance(step, Ring):
            return Outcome(503, reached=False)
        there = [self.answers[user_id] for user_id in step.user_ids if user_id in self.names.values()]
        there += [self.answers[one.gateway_id] for one in step.numbers]
        if not there:
            return Outcome(480 if step.user_ids else 503, reached=False)
        best = best_of([BranchEnd(status or 503) for status in there]) if 200 not in there else BranchEnd(200)
        return Outcome(best.status, reached=any(there))

    def called(self) -> list[str]:
        """Who was sent an INVITE, in order."""
        seen: set[bytes] = set()
        found = []
        for one in self.site.network.log:
            if one.source == EDGE and one.start == "INVITE" and one.message.via.branch not in seen:
                seen.add(one.message.via.branch)
                found.append(self.names[one.target])
        return found


@given(
    plans(),
    states,
    st.fixed_dictionaries({**dict.fromkeys(IDS, phone_answers), **dict.fromkeys(GATEWAYS, gateway_answers)}),
    st.sampled_from([*IDS, "pri"]),
    st.sampled_from(NUMBERS),
)
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_the_edge_does_what_the_simulator_says(
    snapshot: Snapshot, state: SiteState, answers: dict[str, int], caller: str, dialled: str
) -> None:
    world = World(snapshot, state, answers)
    by_gateway = caller == "pri"
    call = Call(None, dialled, gateway_id="pri") if by_gateway else Call(caller, dialled)
    expected: list[Counter[str]] = []
    final = 0

    def answer(step: Step) -> Outcome:
        nonlocal final
        outcome = world.ends(step)
        if isinstance(step, Ring) and final != 200:
            # One gateway may be called for several numbers of a step.
            there = Counter(user_id for user_id in step.user_ids if user_id in world.names.values())
            there.update(one.gateway_id for one in step.numbers)
            if there:
                expected.append(there)
        if outcome.status == 200:
            final = 200
        return outcome

    walked = simulate(world.plan, state, call, world.site.network.clock.now(), answer)
    last = walked.decisions[-1].step
    assert isinstance(last, Reject)

    if by_gateway:
        asking = SipPhone(world.site.network, GATEWAYS["pri"], EDGE, "pri", ())
        answered = answers["pri"]
        asking.answers = (answered,) if answered != SILENT else ()
    else:
        username = world.plan.users[caller].username
        asking = SipPhone(world.site.network, ("192.0.2.200", 5060), EDGE, username, ())
    asking.request("INVITE", uri(dialled))
    world.site.network.run(0.5)
    if asking.statuses == [407]:
        headers = asking.credentials(asking.responses[-1], "INVITE", uri(dialled))
        asking.request("INVITE", uri(dialled), headers=headers)
    world.site.network.run(40.0)
    called = world.called()
    for there in expected:
        assert Counter(called[: there.total()]) == there, (called, expected)
        called = called[there.total() :]
    assert called == []
    final = final or last.status
    assert asking.statuses[-1] == (final if final != 503 else asking.statuses[-1])
    assert final != 503 or asking.statuses[-1] in (500, 503)
