"""From an HTTP request to its response: methods, names, conditions and ranges."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.devices import load_catalogue
from edge_agent.provisioning.identify import Identifier
from edge_agent.provisioning.render import Renderer
from edge_agent.provisioning.serve.desk import Desk
from edge_agent.provisioning.serve.http.answer import HttpRequest, HttpResponse, Service, respond
from tests.support.hand_clock import HandClock
from tests.support.site_phones import RecordedReporter, site, yealink

CATALOGUE = load_catalogue()
IDENTIFIER = Identifier(CATALOGUE)
LIBRARY = Renderer(CATALOGUE).render(site(yealink()))
_FILE = LIBRARY.find("805ec0000200.cfg")
assert _FILE is not None
BODY, ETAG = _FILE.body, _FILE.etag
TARGET = "/805ec0000200.cfg"


def ask(target: str = TARGET, method: str = "GET", **headers: str) -> HttpResponse:
    desk = Desk(IDENTIFIER, RecordedReporter(), HandClock())
    desk.serve(LIBRARY)
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return respond(HttpRequest(method, target, "192.0.2.50", named), Service(desk))


def header(response: HttpResponse, name: str) -> str:
    return dict(response.headers).get(name, "")


@pytest.mark.parametrize(
    "target",
    [
        TARGET,
        "/805EC0000200.CFG",
        "//805ec0000200.cfg",
        "/805ec0000200.cfg?x=1",
        "/%3805ec0000200.cfg",
        "http://edge.example:8090/805ec0000200.cfg",
    ],
)
def test_a_known_phone_gets_its_file_however_it_writes_the_name(target: str) -> None:
    response = ask(target)
    assert (response.status, response.body, response.body_length) == (200, BODY, len(BODY))
    assert header(response, "etag") == ETAG
    assert header(response, "content-type") == "text/plain; charset=utf-8"
    assert header(response, "cache-control") == "private, no-cache"


@pytest.mark.parametrize(
    "target",
    [
        "/",
        "*",
        "",
        "/nothing",
        "/805ec0999999.cfg",
        "/../805ec0000200.cfg",
        "/%00805ec0000200.cfg",
        "/a%0d%0ab",
        "/" + "a" * 2000,
        "/%ff%fe",
        "/%",
        "edge:443",
    ],
)
def test_what_is_not_there_is_not_found_and_does_not_come_back_in_the_answer(target: str) -> None:
    response = ask(target)
    assert (response.status, response.body) == (404, b"Not Found\n")
    assert all(target not in value for _, value in response.headers) or len(target) < 2


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "get", "TRACE"])
def test_another_method_is_not_allowed_and_told_which_are(method: str) -> None:
    response = ask(method=method)
    assert (response.status, header(response, "allow")) == (405, "GET, HEAD")


def test_head_says_how_long_the_file_is_and_sends_nothing_of_it() -> None:
    response = ask(method="HEAD")
    assert (response.status, response.body, response.body_length) == (200, b"", len(BODY))


@pytest.mark.parametrize("condition", [ETAG, f"W/{ETAG}", "*", f'"other", {ETAG}'])
def test_a_file_that_the_phone_has_is_not_sent_again(condition: str) -> None:
    response = ask(if_none_match=condition)
    assert (response.status, response.body, header(response, "etag")) == (304, b"", ETAG)


@pytest.mark.parametrize("condition", ['"other"', ETAG.strip('"'), "", '"'])
def test_a_file_that_changed_is_sent(condition: str) -> None:
    assert ask(if_none_match=condition).status == 200


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("bytes=0-9", 0, 9),
        ("bytes=10-", 10, len(BODY) - 1),
        ("bytes=-5", len(BODY) - 5, len(BODY) - 1),
        ("bytes=5-999999", 5, len(BODY) - 1),
        ("bytes=-999999", 0, len(BODY) - 1),
    ],
)
def test_a_range_gives_that_part(text: str, first: int, last: int) -> None:
    response = ask(range=text)
    assert (response.status, response.body) == (206, BODY[first : last + 1])
    assert header(response, "content-range") == f"bytes {first}-{last}/{len(BODY)}"


@pytest.mark.parametrize("text", ["bytes=999999-", "bytes=999999-9999999", "bytes=-0"])
def test_a_range_beyond_the_end_cannot_be_satisfied(text: str) -> None:
    response = ask(range=text)
    assert (response.status, header(response, "content-range")) == (416, f"bytes */{len(BODY)}")


@pytest.mark.parametrize("text", ["bytes=", "bytes=-", "lines=1-2", "bytes=1-2,4-5", "bytes=9-1", "bytes=x-y"])
def test_a_range_that_is_not_understood_is_ignored(text: str) -> None:
    assert ask(range=text).status == 200


def test_a_range_of_a_file_that_changed_meanwhile_gives_the_whole_file() -> None:
    assert ask(range="bytes=0-9", if_range='"other"').status == 200
    assert ask(range="bytes=0-9", if_range=ETAG).status == 206


def test_who_guesses_too_much_is_told_to_wait() -> None:
    desk = Desk(IDENTIFIER, RecordedReporter(), HandClock())
    desk.serve(LIBRARY)
    requests = [HttpRequest("GET", f"/805ec09999{n:02x}.cfg", "192.0.2.50") for n in range(31)]
    responses = [respond(request, Service(desk)) for request in requests]
    assert [response.status for response in responses] == [404] * 30 + [429]
    assert header(responses[-1], "retry-after") == "600"


_texts = st.text(st.characters(max_codepoint=255), max_size=60)


@settings(max_examples=200)
@given(_texts, st.sampled_from(["GET", "HEAD"]) | _texts, _texts, _texts)
def test_whatever_is_asked_the_answer_is_whole_and_holds_no_line_break(
    target: str, method: str, condition: str, range_: str
) -> None:
    response = ask(target, method, if_none_match=condition, range=f"bytes={range_}", user_agent=condition)
    assert response.status in {200, 206, 304, 404, 405, 416}
    assert len(response.body) in {0, response.body_length}
    assert all("\r" not in value and "\n" not in value for _, value in response.headers)
