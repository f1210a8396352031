"""Who gets which file: known phones theirs, everyone else nothing, and unknown phones are reported."""

import logging

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from contract.devices import load_catalogue
from contract.sync.events import UnknownPhoneSeen
from edge_agent.provisioning.access import Refusal
from edge_agent.provisioning.firmware import StoredFile
from edge_agent.provisioning.identify import Identifier
from edge_agent.provisioning.render import Renderer
from edge_agent.provisioning.serve.desk import Desk, Question
from edge_agent.provisioning.serve.limits import GuessGuard
from tests.support.hand_clock import HandClock
from tests.support.site_phones import ADMIN_PASSWORD, PASSWORD, RecordedReporter, generic, site, yealink

CATALOGUE = load_catalogue()
IDENTIFIER = Identifier(CATALOGUE)
LIBRARY = Renderer(CATALOGUE).render(site(yealink(), generic()))


class Counter:
    """A desk with its surroundings."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.reporter = RecordedReporter()
        self.desk = Desk(IDENTIFIER, self.reporter, self.clock, GuessGuard(max_guesses=3))
        self.desk.serve(LIBRARY)

    @property
    def unknown(self) -> list[UnknownPhoneSeen]:
        """The unknown phones that were reported."""
        return [each for each in self.reporter.reports if isinstance(each, UnknownPhoneSeen)]

    def ask(self, name: str, user_agent: str = "", address: str = "192.0.2.50") -> str:
        """The name of the file given, or why not."""
        answer = self.desk.ask(Question(name, address, "http", user_agent))
        assert not isinstance(answer, StoredFile)
        return answer.value if isinstance(answer, Refusal) else answer.name


@pytest.mark.parametrize("name", ["805ec0000200.cfg", "805EC0000200.CFG", "/805ec0000200.cfg", "//805Ec0000200.cfg"])
def test_a_known_phone_gets_its_file_whatever_the_case(name: str) -> None:
    assert Counter().ask(name) == "805ec0000200.cfg"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "/",
        "..",
        "../805ec0000200.cfg",
        "x/805ec0000200.cfg",
        "805ec0000200.cfg/",
        "/etc/passwd",
        "805ec0000200.txt",
    ],
)
def test_a_name_is_whole_or_nothing_and_never_a_path(name: str) -> None:
    counter = Counter()
    assert counter.ask(name) == Refusal.NO_SUCH_FILE
    assert counter.unknown == []


def test_an_unknown_phone_gets_nothing_and_is_reported_with_what_it_said() -> None:
    counter = Counter()
    said = "Yealink SIP-T46S 66.84.0.15 80:5e:c0:99:99:99"
    assert counter.ask("805ec0999999.cfg", said) == Refusal.UNKNOWN_PHONE
    assert counter.unknown == [
        UnknownPhoneSeen(
            mac="805ec0999999",
            vendor="yealink",
            model="T46S",
            firmware="66.84.0.15",
            user_agent=said,
            address="192.0.2.50",
            protocol="http",
            certainty={"mac": "asked", "vendor": "claimed", "model": "claimed", "firmware": "claimed"},
        )
    ]


def test_a_phone_that_only_says_its_mac_address_in_its_user_agent_is_reported_too() -> None:
    counter = Counter()
    assert counter.ask("y000000000000.boot", "Yealink SIP-T46S 66.84.0.15 805ec0999999") == Refusal.UNKNOWN_PHONE
    assert len(counter.unknown) == 1


def test_an_unknown_phone_is_reported_again_only_after_some_minutes() -> None:
    counter = Counter()
    for _ in range(5):
        counter.ask("805ec0999999.boot")
        counter.ask("805ec0999999.cfg")
    assert len(counter.unknown) == 1
    counter.clock.advance(300)
    counter.ask("805ec0999999.cfg")
    assert len(counter.unknown) == 2


def test_who_guesses_mac_addresses_is_locked_out_even_where_the_guess_is_right() -> None:
    counter = Counter()
    for number in range(3):
        assert counter.ask(f"805ec099990{number}.cfg") == Refusal.UNKNOWN_PHONE
    assert counter.ask("805ec0999909.cfg") == Refusal.TOO_MANY_GUESSES
    assert counter.ask("805ec0000200.cfg") == Refusal.TOO_MANY_GUESSES
    assert counter.ask("y000000000096.cfg") == "y000000000096.cfg"
    assert counter.ask("805ec0000200.cfg", address="192.0.2.51") == "805ec0000200.cfg"
    counter.clock.advance(600)
    assert counter.ask("805ec0000200.cfg") == "805ec0000200.cfg"


def test_a_known_phone_asking_for_a_file_that_it_has_not_is_no_guess() -> None:
    counter = Counter()
    for name in ("805ec0000200-local.cfg", "805ec0000200-contact.xml", "805ec0000200.xml", "805ec0000200.enc"):
        assert counter.ask(name) == Refusal.NO_SUCH_FILE
    assert counter.ask("805ec0000200.cfg") == "805ec0000200.cfg"
    assert counter.unknown == []


def test_how_requests_ended_is_counted() -> None:
    counter = Counter()
    for name in ("805ec0000200.cfg", "nothing", "805ec0999999.cfg"):
        counter.ask(name)
    assert counter.desk.answers == {"found": 1, "no_such_file": 1, "unknown_phone": 1}


def test_neither_logs_nor_representations_hold_a_password_or_the_name_that_leads_to_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    counter = Counter()
    counter.ask("805ec0000200.cfg", "Yealink SIP-T54W")
    counter.ask("805ec0999999.cfg")
    texts = [repr(vars(record)) for record in caplog.records]
    file = LIBRARY.find("805ec0000200.cfg")
    assert file is not None
    assert PASSWORD.encode() in file.body
    texts += [repr(file), repr(LIBRARY), repr(site(yealink())), repr(yealink())]
    assert len(caplog.records) == 2
    for text in texts:
        assert PASSWORD not in text
        assert ADMIN_PASSWORD not in text
    assert "805ec0000200.cfg" not in "".join(texts[:2])


@settings(max_examples=200)
@given(st.text(max_size=300), st.text(max_size=300), st.text(max_size=20))
def test_whatever_is_asked_only_a_known_name_gets_a_file(name: str, user_agent: str, address: str) -> None:
    answer = Counter().ask(name, user_agent, address)
    assert answer in set(Refusal) or answer == name.lstrip("/").lower()
