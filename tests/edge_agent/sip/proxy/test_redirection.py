"""A 3xx of a phone: followed to the site's own users only (RFC 3261 §16.5, §16.7 step 4)."""

from tests.support.memory_site import MemorySite, uri
from tests.support.sip_phone import SipPhone


def redirect(phone: SipPhone, *targets: str, status: int = 302) -> None:
    """Answer the call with a redirection, in place of the phone's own Contact."""
    answer = phone.answer(status, headers=()).copy()
    answer.remove(b"contact")
    for target in targets:
        answer.append(b"Contact", f"<{target}>".encode())
    phone.network._queue.pop()
    phone.network.send(bytes(answer), phone.address, ("192.0.2.1", 5060))
    phone.network.run()


def test_a_redirection_to_a_user_of_the_site_is_followed(site: MemorySite) -> None:
    caller, first, second = site.phone("200"), site.phone("201"), site.phone("202", 180, 200)
    caller.authenticated("INVITE", uri("201"))
    redirect(first, uri("202"))
    assert caller.statuses == [407, 100, 180, 200]
    assert first.methods == ["INVITE", "ACK"]
    assert second.ringing.uri == second.contact.encode()
    (call,) = site.log.open_calls.values()
    assert (call.callee, call.callee_user_id) == ("201", "user-202")


def test_a_redirection_beyond_the_site_goes_up_to_the_caller(site: MemorySite) -> None:
    caller, callee = site.phone("200"), site.phone("201")
    caller.authenticated("INVITE", uri("201"))
    redirect(callee, "sip:someone@203.0.113.9")
    assert caller.statuses[-1] == 302
    assert caller.responses[-1].get(b"contact") == b"<sip:someone@203.0.113.9>"


def test_of_several_contacts_the_first_that_leads_somewhere_is_followed(site: MemorySite) -> None:
    caller, callee, third = site.phone("200"), site.phone("201"), site.phone("203", 200)
    caller.authenticated("INVITE", uri("201"))
    redirect(callee, "sip:someone@203.0.113.9", uri("202"), uri("203"))
    assert caller.statuses[-1] == 200
    assert third.methods == ["INVITE"]


def test_phones_that_redirect_to_each_other_do_not_go_round(site: MemorySite) -> None:
    caller, first, second = site.phone("200"), site.phone("201"), site.phone("202")
    caller.authenticated("INVITE", uri("201"))
    redirect(first, uri("202"))
    redirect(second, uri("201"))
    assert caller.statuses[-1] == 302
    assert (first.methods.count("INVITE"), second.methods.count("INVITE")) == (1, 1)


def test_a_user_behind_a_redirection_who_is_busy_ends_the_call(site: MemorySite) -> None:
    caller, first = site.phone("200"), site.phone("201")
    site.phone("202", 486)
    caller.authenticated("INVITE", uri("201"))
    redirect(first, uri("202"))
    assert caller.statuses[-1] == 486
    assert site.record.disposition == "busy"


def test_a_redirection_that_cannot_be_read_goes_up_to_the_caller(site: MemorySite) -> None:
    caller, callee = site.phone("200"), site.phone("201")
    caller.authenticated("INVITE", uri("201"))
    redirect(callee, "nowhere")
    assert caller.statuses[-1] == 302
    assert site.record.status == 302
