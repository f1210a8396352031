"""Forking: all contacts ring, the first to answer gets the call, and losses on the way are made good."""

from dataclasses import replace

from edge_agent.sip.message import NameAddr
from edge_agent.sip.transaction import Timers
from tests.support.memory_network import Address
from tests.support.memory_site import EDGE, MemorySite, uri


def test_all_phones_of_a_user_ring_and_the_first_to_answer_gets_the_call(site: MemorySite) -> None:
    caller, first, second = site.phone("200"), site.phone("201", 180), site.phone("201", 180)
    caller.authenticated("INVITE", uri("201"))
    assert caller.statuses == [407, 100, 180, 180]
    second.answer(200)
    site.network.run()
    assert caller.statuses[4:] == [200]
    assert first.methods == ["INVITE", "CANCEL", "ACK"]
    assert second.methods == ["INVITE"]
    assert len(site.log.open_calls) == 1


def test_two_phones_that_answer_at_once_both_reach_the_caller(site: MemorySite) -> None:
    caller, first, second = site.phone("200"), site.phone("201", 180), site.phone("201", 180)
    caller.authenticated("INVITE", uri("201"))
    first.answer(200)
    second.answer(200)
    site.network.run()
    assert caller.statuses[4:] == [200, 200]
    assert len({one.to_tag for one in caller.responses[4:]}) == 2
    assert len(site.log.open_calls) == 1


def test_a_repeated_2xx_is_forwarded_each_time(site: MemorySite) -> None:
    caller, callee = site.phone("200"), site.phone("201", 180)
    caller.authenticated("INVITE", uri("201"))
    for _ in range(3):
        callee.answer(200)
        site.network.run()
    assert caller.statuses == [407, 100, 180, 200, 200, 200]


def test_phones_of_lower_q_ring_when_those_above_refuse(site: MemorySite) -> None:
    caller, low, high = site.phone("200"), site.phone("201", 200, q="0.2"), site.phone("201", 180, q="0.9")
    caller.authenticated("INVITE", uri("201"))
    assert (high.methods, low.methods) == (["INVITE"], [])
    high.answer(486)
    site.network.run()
    assert low.methods == ["INVITE"]
    assert caller.statuses[-1] == 200


def test_phones_of_lower_q_ring_when_those_above_do_not_answer_in_time(site: MemorySite) -> None:
    caller, low, high = site.phone("200"), site.phone("201", 200, q="0.2"), site.phone("201", 180, q="0.9")
    caller.authenticated("INVITE", uri("201"))
    site.network.run(19)
    assert low.methods == []
    site.network.run(2)
    assert high.methods == ["INVITE", "CANCEL", "ACK"]
    assert low.methods == ["INVITE"]
    assert caller.statuses[-1] == 200


def test_busy_says_more_than_unavailable(site: MemorySite) -> None:
    caller = site.phone("200")
    site.phone("201", 480), site.phone("201", 486), site.phone("201", 404)
    caller.authenticated("INVITE", uri("201"))
    assert caller.statuses[-1] == 486


def test_a_6xx_ends_the_ringing_everywhere(site: MemorySite) -> None:
    caller, first, second = site.phone("200"), site.phone("201", 180), site.phone("201", 180)
    caller.authenticated("INVITE", uri("201"))
    first.answer(603)
    site.network.run()
    assert second.methods == ["INVITE", "CANCEL", "ACK"]
    assert caller.statuses[-1] == 603


def test_challenges_of_all_branches_go_up_together(site: MemorySite) -> None:
    caller, first, second = site.phone("200"), site.phone("201", 180), site.phone("201", 180)
    caller.authenticated("INVITE", uri("201"))
    first.answer(401, headers=((b"WWW-Authenticate", b'Digest realm="one", nonce="1"'),))
    second.answer(407, headers=((b"Proxy-Authenticate", b'Digest realm="two", nonce="2"'),))
    site.network.run()
    final = caller.responses[-1]
    assert final.status == 401
    assert final.all(b"www-authenticate") == [b'Digest realm="one", nonce="1"']
    assert final.all(b"proxy-authenticate") == [b'Digest realm="two", nonce="2"']


def test_a_caller_who_gives_up_stops_the_ringing_and_gets_487(site: MemorySite) -> None:
    caller, first, second = site.phone("200"), site.phone("201", 180), site.phone("201", 180)
    invite = caller.authenticated("INVITE", uri("201"))
    caller.cancel(invite)
    site.network.run()
    assert caller.statuses[4:] == [200, 487]
    assert first.methods == second.methods == ["INVITE", "CANCEL", "ACK"]
    assert (site.record.disposition, site.record.status) == ("cancelled", 487)


def test_a_cancel_before_the_first_sign_of_the_phone_waits_for_it(site: MemorySite) -> None:
    caller, callee = site.phone("200"), site.phone("201")
    invite = caller.authenticated("INVITE", uri("201"))
    caller.cancel(invite)
    site.network.run()
    assert callee.methods == ["INVITE"]
    callee.answer(180)
    site.network.run()
    assert callee.methods == ["INVITE", "CANCEL", "ACK"]
    assert caller.statuses[2:] == [200, 180, 487]


def test_a_phone_that_answers_while_the_cancel_is_on_its_way_still_gets_the_call(site: MemorySite) -> None:
    caller, callee = site.phone("200"), site.phone("201", 180)
    invite = caller.authenticated("INVITE", uri("201"))
    caller.cancel(invite)
    callee.answer(200)
    site.network.run()
    assert caller.statuses.count(200) == 2
    assert 487 not in caller.statuses
    assert len(site.log.open_calls) == 1


def test_a_cancelled_call_to_a_phone_that_is_gone_ends_at_32_seconds(site: MemorySite) -> None:
    caller = site.phone("200")
    site.phone("201")
    invite = caller.authenticated("INVITE", uri("201"))
    caller.cancel(invite)
    site.network.run(33)
    assert caller.statuses[-1] == 487
    assert site.record.disposition == "cancelled"


def test_a_phone_that_never_answers_ends_in_a_timeout(site: MemorySite) -> None:
    caller, callee = site.phone("200"), site.phone("201")
    caller.authenticated("INVITE", uri("201"))
    site.network.run(33)
    assert callee.methods == ["INVITE"] * 7
    assert caller.statuses[-1] == 408
    assert (site.record.disposition, site.record.status) == ("failed", 408)


def test_a_phone_that_rings_for_ever_is_stopped_by_timer_c(site: MemorySite) -> None:
    caller, callee = site.phone("200"), site.phone("201", 180)
    caller.authenticated("INVITE", uri("201"))
    site.network.run(100)
    callee.answer(180)
    site.network.run(100)
    assert callee.methods == ["INVITE"]
    site.network.run(100)
    assert callee.methods == ["INVITE", "CANCEL", "ACK"]
    assert caller.statuses[-1] == 408
    assert site.record.disposition == "no_answer"


def test_a_loop_is_found_and_a_spiral_is_let_through(site: MemorySite) -> None:
    caller, callee = site.phone("200"), site.phone("201")
    caller.authenticated("INVITE", uri("201"))
    for target, status in ((uri("201"), 482), (uri("202"), 407)):
        looped = callee.ringing.copy()
        looped.set_uri(target.encode())
        looped.remove(b"record-route")
        looped.insert(1, b"Via", f"SIP/2.0/UDP 192.0.2.99:5060;branch=z9hG4bKback{status}".encode())
        site.network.join(("192.0.2.99", 5060), callee)
        site.network.send(bytes(looped), ("192.0.2.99", 5060), EDGE)
        site.network.run()
        assert callee.statuses[-1] == status


def test_every_lost_packet_of_a_call_is_made_good_within_seconds(site: MemorySite) -> None:
    caller, callee = site.phone("200"), site.phone("201", 180, 486)
    seen: set[tuple[bytes, Address, Address]] = set()

    def first_copy_is_lost(data: bytes, source: Address, target: Address) -> bool:
        if target != EDGE or data.startswith(b"SIP/2.0 1"):
            known = (data, source, target) in seen
            seen.add((data, source, target))
            return not known and source == EDGE and target == callee.address
        return False

    site.network.loses = first_copy_is_lost
    caller.authenticated("INVITE", uri("201"))
    site.network.run(5)
    assert caller.statuses[-1] == 486
    assert callee.methods == ["INVITE"]
    callee.answer(486)
    site.network.run()
    assert callee.methods == ["INVITE", "ACK"]
    assert caller.statuses.count(486) > 1, "the caller never acknowledged, so it was told again"


def test_a_dead_phone_does_not_keep_the_others_from_being_heard(site: MemorySite) -> None:
    config = replace(site.config, timers=Timers(timer_c=200))
    site.configure(config)
    caller, dead, alive = site.phone("200"), site.phone("201"), site.phone("201", 180, 200)
    caller.authenticated("INVITE", uri("201"))
    assert caller.statuses[-1] == 200
    site.network.run(40)
    assert "CANCEL" not in dead.methods
    assert alive.methods == ["INVITE"]
    assert NameAddr.parse(caller.responses[-1].values(b"contact")[0]).uri.text == alive.contact.encode()
