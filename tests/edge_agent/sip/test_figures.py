"""The counters that an operator sees: what happened, by reason, in a bounded number of figures."""

from edge_agent.sip.message import DropReason
from edge_agent.sip.transaction.counts import METHODS
from tests.support.memory_site import MemorySite, uri


def test_requests_and_answers_of_a_call_are_counted_once_each(site: MemorySite) -> None:
    caller, _ = site.phone("200"), site.phone("201", 180, 200)
    invite = caller.authenticated("INVITE", uri("201"))
    caller.in_dialog("ACK", invite, caller.responses[-1])
    site.network.run()
    found = site.endpoint.figures()
    assert {name: found[name] for name in ("registrations", "calls", "requests.REGISTER", "requests.INVITE")} == {
        "registrations": 2,
        "calls": 1,
        "requests.REGISTER": 4,
        "requests.INVITE": 2,
    }
    assert found["requests.ACK"] == 1  # that of the 2xx; the challenge's own ends at the edge
    assert found["answers.4xx"] == 3  # two registrations and the call were challenged
    assert found["answers.2xx"] == 3
    assert found["transactions.server"] > 0


def test_what_is_sent_again_is_counted_on_both_sides(site: MemorySite) -> None:
    caller, callee = site.phone("200"), site.phone("201")
    callee.answers = ()
    invite = caller.authenticated("INVITE", uri("201"))
    caller.send(invite)
    site.network.run(3.0)
    found = site.endpoint.figures()
    assert found["retransmissions.received"] == 1
    assert found["retransmissions.sent"] == 2  # Timer A after 0.5 and 1.5 seconds
    site.network.run(40.0)
    assert site.endpoint.figures()["transactions.timed_out"] == 1


def test_what_is_dropped_is_counted_by_its_reason(site: MemorySite) -> None:
    site.network.send(b"nonsense\r\n\r\n", ("192.0.2.99", 5060), site.address)
    site.network.run()
    found = site.endpoint.figures()
    assert found["dropped"] == sum(site.endpoint.drops.values()) == 1
    assert sum(found[f"dropped.{reason.value}"] for reason in site.endpoint.drops) == 1


def test_there_are_never_more_figures_however_many_methods_are_made_up(site: MemorySite) -> None:
    stranger = site.phone("200", registered=False)
    for number in range(200):
        stranger.request(f"METHOD{number}", uri("201"))
    site.network.run()
    found = site.endpoint.figures()
    assert found["requests.OTHER"] == 200
    assert len(found) < 20 + len(METHODS) + len(DropReason)
