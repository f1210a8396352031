"""Requests and their answers, without a socket."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.media.rtpengine.exchanges import MOST_WAITING, Exchanges, GaveUp, SendAgain, TooManyWait
from tests.support.counted_tokens import CountedTokens


def test_a_request_is_a_cookie_and_a_dictionary_and_its_answer_has_the_same_cookie() -> None:
    exchanges = Exchanges(CountedTokens())
    cookie, datagram = exchanges.ask({"command": "ping"}, 0.0)
    assert datagram == cookie + b" d7:command4:pinge"
    assert exchanges.receive(cookie + b" d6:result4:ponge") == (cookie, {b"result": b"pong"})
    assert (len(exchanges), exchanges.deadline, exchanges.strays) == (0, None, 0)


def test_an_unanswered_request_is_sent_again_after_a_quarter_and_half_a_second_and_given_up_after_a_whole_one() -> None:
    exchanges = Exchanges(CountedTokens())
    cookie, datagram = exchanges.ask({"command": "ping"}, 10.0)
    log = []
    while (due := exchanges.deadline) is not None:
        assert exchanges.advance(due - 0.01) == []
        log += [(due, action) for action in exchanges.advance(due)]
    assert log == [(10.25, SendAgain(datagram)), (10.75, SendAgain(datagram)), (11.75, GaveUp(cookie))]


def test_what_answers_nothing_or_is_no_answer_is_counted_and_changes_nothing() -> None:
    exchanges = Exchanges(CountedTokens())
    cookie, _ = exchanges.ask({"command": "ping"}, 0.0)
    for data in (b"", b"other d6:result2:oke", cookie, cookie + b" ", cookie + b" i1e", cookie + b" d6:result"):
        assert exchanges.receive(data) is None
    assert (exchanges.strays, len(exchanges)) == (6, 1)
    assert exchanges.receive(cookie + b" d6:result4:ponge") is not None
    assert exchanges.receive(cookie + b" d6:result4:ponge") is None  # the answer to one that was sent again


def test_no_more_requests_wait_than_are_allowed() -> None:
    exchanges = Exchanges(CountedTokens())
    cookie, _ = exchanges.ask({}, 0.0)
    for _ in range(MOST_WAITING - 1):
        exchanges.ask({}, 0.0)
    with pytest.raises(TooManyWait):
        exchanges.ask({}, 0.0)
    exchanges.forget(cookie)
    exchanges.ask({}, 0.0)


@given(st.binary(max_size=200), st.booleans())
def test_any_datagram_is_an_answer_or_counted(data: bytes, ours: bool) -> None:
    exchanges = Exchanges(CountedTokens())
    cookie, _ = exchanges.ask({"command": "ping"}, 0.0)
    found = exchanges.receive(cookie + b" " + data if ours else data)
    assert (found is None) == (exchanges.strays == 1) == (len(exchanges) == 1)
