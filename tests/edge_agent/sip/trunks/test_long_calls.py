"""Session timers at the provider's side, whoever refreshes (RFC 4028 §7, §9, §10)."""

from tests.support.trunk_world import ANSWER, TrunkWorld, trunk

TIMER = "Supported: timer\r\nSession-Expires: 180;refresher={}\r\n"


def talking(refresher: str, *, allow: str = "") -> TrunkWorld:
    world = TrunkWorld(trunk(session_expires=180))
    world.call_out()
    assert world.provider.newest("INVITE").need(b"session-expires") == b"180"
    world.provider.reply(200, ANSWER, f"Session-Expires: 180;refresher={refresher}\r\nRequire: timer{allow}")
    world.edge_answer, world.provider_invite = world.edge.newest("200"), world.provider.newest("INVITE")
    world.edge.within(world.edge_answer, "ACK", cseq=1)
    world.edge.forget()
    world.provider.forget()
    return world


def test_we_refresh_a_call_for_hours_and_the_phone_hears_nothing_of_it() -> None:
    for allow, method in (("", "INVITE"), ("\r\nAllow: INVITE, UPDATE", "UPDATE")):
        world = talking("uac", allow=allow)
        for _ in range(40):
            world.wait(90.2)
            assert world.provider.kinds() == [method]
            body = ANSWER if method == "INVITE" else b""
            world.provider.reply(200, body, "Session-Expires: 180;refresher=uac\r\nRequire: timer", to=method)
            world.provider.forget()
        assert (world.edge.got, world.trunks.calls_of("first")) == ([], 1)


def test_the_provider_refreshes_and_the_phone_hears_nothing_of_it() -> None:
    world = talking("uas")
    for cseq in range(50, 60):
        world.wait(90)
        world.provider.within(world.provider_invite, "INVITE", ANSWER, TIMER.format("uac"), cseq=cseq)
        answer = world.provider.newest("200")
        assert (answer.need(b"session-expires"), b"m=audio 4000" in answer.body) == (b"180;refresher=uac", True)
        world.provider.within(world.provider_invite, "ACK", cseq=cseq)
        world.provider.forget()
    assert (world.edge.got, world.trunks.calls_of("first")) == ([], 1)


def test_a_provider_that_does_not_refresh_in_time_has_lost_the_call() -> None:
    world = talking("uas")
    world.wait(181)
    assert (world.provider.newest("BYE"), world.edge.newest("BYE"), world.trunks.calls_of("first"))[2] == 0


def test_a_refresh_that_finds_the_call_gone_ends_it_at_the_phone() -> None:
    world = talking("uac")
    world.wait(91)
    world.provider.reply(481)
    assert world.edge.newest("BYE")
    assert world.trunks.calls_of("first") == 0


def test_a_timer_that_is_too_short_is_asked_for_again_as_long_as_the_provider_wants_it() -> None:
    """RFC 4028 §7.3."""
    world = TrunkWorld(trunk(session_expires=180))
    world.call_out()
    world.provider.reply(422, headers="Min-SE: 900")
    again = world.provider.newest("INVITE")
    assert (again.need(b"session-expires"), again.need(b"min-se")) == (b"900", b"900")
