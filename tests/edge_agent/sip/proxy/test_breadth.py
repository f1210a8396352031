"""Amplification: Max-Breadth (RFC 5393 §5), loops and spirals (§4), merged requests (RFC 3261 §8.2.2.2)."""

import pytest

from tests.support.memory_site import EDGE, MemorySite, uri


def breadths(site: MemorySite, count: int, headers: str = "", q: str = "") -> tuple[int, list[bytes | None]]:
    """The final status of a call to a user with so many phones, and the Max-Breadth that each saw."""
    phones = [site.phone("201", 486, q=q and f"0.{at + 1}") for at in range(count)]
    caller = site.phone("200")
    caller.authenticated("INVITE", uri("201"), headers=headers)
    return caller.statuses[-1], [one.get(b"max-breadth") for phone in phones for one in phone.requests[:1]]


def test_a_request_without_max_breadth_gets_60(site: MemorySite) -> None:
    """RFC 5393 §5.3.3.1."""
    assert breadths(site, 1) == (486, [b"60"])


def test_a_fork_divides_the_breadth_among_its_branches(site: MemorySite) -> None:
    """RFC 5393 §5.3.3: the sum of what goes out is not more than what came in."""
    assert breadths(site, 3, "Max-Breadth: 10\r\n") == (486, [b"3"] * 3)


def test_serial_branches_share_the_breadth_too(site: MemorySite) -> None:
    assert breadths(site, 2, "Max-Breadth: 4\r\n", q="0.1") == (486, [b"2", b"2"])


@pytest.mark.parametrize(("breadth", "phones"), [(2, 3), (0, 1)])
def test_a_fork_wider_than_the_breadth_is_refused_440(site: MemorySite, breadth: int, phones: int) -> None:
    """RFC 5393 §5.3.3.2."""
    assert breadths(site, phones, f"Max-Breadth: {breadth}\r\n") == (440, [])
    assert site.record.status == 440


@pytest.mark.parametrize("value", ["x", "256", "-1", "1\r\nMax-Breadth: 2"])
def test_a_malformed_max_breadth_is_answered_400(site: MemorySite, value: str) -> None:
    phone = site.phone("200")
    phone.request("INVITE", uri("201"), headers=f"Max-Breadth: {value}\r\n")
    site.network.run()
    assert phone.statuses == [400]
    assert phone.responses[-1].reason.endswith(b"Max-Breadth")


def test_a_register_that_comes_by_two_ways_is_merged(site: MemorySite) -> None:
    """RFC 3261 §8.2.2.2: same From tag, Call-ID and CSeq, another branch."""
    phone = site.phone("201", registered=False)
    phone.register()
    first = next(one for one in reversed(site.network.log) if one.source == phone.address)
    site.network.send(first.data.replace(b"branch=z9hG4bK", b"branch=z9hG4bKother"), phone.address, EDGE)
    site.network.run()
    assert (phone.statuses[-1], phone.responses[-1].reason) == (482, b"Merged Request")
    assert len(site.endpoint.location) == 1


def test_the_memory_of_merged_requests_ends_with_their_transactions(site: MemorySite) -> None:
    for _ in range(5):
        site.phone("201")
    site.network.run(60)
    assert site.endpoint._registering == {}


def test_a_spiral_to_another_user_is_no_loop(site: MemorySite) -> None:
    """RFC 5393 §4.2.1: a request that comes back with another Request-URI is challenged as any other."""
    caller, callee = site.phone("200"), site.phone("202", 486)
    forwarder = site.phone("201")
    caller.authenticated("INVITE", uri("201"))
    spiral = forwarder.ringing.copy()
    spiral.set_uri(uri("202").encode())
    host = forwarder.address[0]
    spiral.insert(1, b"Via", f"SIP/2.0/UDP {host}:5060;branch=z9hG4bKspiral;rport".encode())
    spiral.remove(b"record-route")
    forwarder.send(spiral)
    site.network.run()
    assert forwarder.statuses[-1] == 407
    assert callee.methods == []


def test_a_request_that_comes_back_unchanged_is_a_loop(site: MemorySite) -> None:
    """RFC 3261 §16.3 step 4, RFC 5393 §4.2."""
    caller, mirror = site.phone("200"), site.phone("201")
    caller.authenticated("INVITE", uri("201"))
    loop = mirror.ringing.copy()
    loop.set_uri(uri("201").encode())
    loop.insert(1, b"Via", f"SIP/2.0/UDP {mirror.address[0]}:5060;branch=z9hG4bKloop;rport".encode())
    loop.remove(b"record-route")
    mirror.send(loop)
    site.network.run()
    assert mirror.statuses[-1] == 482
