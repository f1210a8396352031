"""Who may fetch what: by network, by password, by factory certificate; and what the portal hears of it."""

import base64
import hashlib
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.devices import load_catalogue
from contract.sync.events import PhoneFetched, PhoneRefused, UnknownPhoneSeen
from edge_agent.provisioning.access import Access, Refusal, networks, phone_password
from edge_agent.provisioning.firmware import StoredFile
from edge_agent.provisioning.identify import Identifier
from edge_agent.provisioning.neighbours import Neighbours
from edge_agent.provisioning.render import RenderedFile, Renderer
from edge_agent.provisioning.serve.desk import Desk, Question
from edge_agent.provisioning.serve.http.answer import HttpRequest, HttpResponse, Service, respond
from edge_agent.provisioning.serve.http.credentials import NONCE_SECONDS, Claim, Passwords
from edge_agent.provisioning.serve.http.tls import mac_in
from edge_agent.provisioning.serve.limits import RateLimit
from tests.support.hand_clock import HandClock
from tests.support.site_phones import RecordedReporter, generic, site, yealink

CATALOGUE = load_catalogue()
IDENTIFIER = Identifier(CATALOGUE)
LIBRARY = Renderer(CATALOGUE).render(site(yealink(), generic()))
MAC, FILE = "805ec0000200", "805ec0000200.cfg"
NEAR, FAR = "192.168.1.50", "203.0.113.50"
PRIVATE = Access(clear_text=networks(["192.168.0.0/16", "fe80::/10"]))
PASSWORDS = Passwords(b"k" * 32)


class World:
    def __init__(self, access: Access = PRIVATE) -> None:
        self.clock, self.reporter = HandClock(), RecordedReporter()
        self.desk = Desk(IDENTIFIER, self.reporter, self.clock)
        self.desk.serve(LIBRARY, access, version=7)

    def ask(self, address: str = NEAR, protocol: str = "http", name: str = FILE, **more: object) -> str:
        answer = self.desk.ask(Question(name, address, protocol, **more))  # type: ignore[arg-type]
        assert not isinstance(answer, StoredFile)
        return answer.name if isinstance(answer, RenderedFile) else answer.value

    def http(self, address: str = FAR, secure: bool = True, method: str = "GET", **headers: str) -> HttpResponse:
        named = tuple(headers.items())
        request = HttpRequest(method, f"/{FILE}", address, named, secure=secure)
        return respond(request, Service(self.desk, PASSWORDS), now=1000.0)

    @property
    def reasons(self) -> list[str]:
        return [each.reason for each in self.reporter.reports if isinstance(each, PhoneRefused)]


@pytest.mark.parametrize("protocol", ["tftp", "ftp", "http"])
def test_passwords_go_out_in_clear_only_where_the_site_allows_it(protocol: str) -> None:
    world = World()
    assert world.ask(NEAR, protocol) == FILE
    assert world.ask(FAR, protocol) == Refusal.CLEAR_TEXT
    assert world.ask(FAR, protocol, password_of=MAC) == Refusal.CLEAR_TEXT
    assert world.ask("fe80::1%eth0", protocol) == FILE
    assert world.ask("::ffff:192.168.1.9", protocol) == FILE
    assert world.ask("nonsense", protocol) == Refusal.CLEAR_TEXT
    assert set(world.reasons) == {"clear_text"}


def test_a_file_without_passwords_goes_everywhere() -> None:
    assert World().ask(FAR, "tftp", "y000000000096.cfg") == "y000000000096.cfg"


@pytest.mark.parametrize("proof", ["password_of", "certificate_of"])
def test_elsewhere_a_phone_proves_itself_by_password_or_certificate_over_https(proof: str) -> None:
    world = World()
    assert world.ask(FAR, "https") == Refusal.PROOF_NEEDED
    assert world.ask(FAR, "https", **{proof: MAC}) == FILE
    (fetched,) = [each for each in world.reporter.reports if isinstance(each, PhoneFetched)]
    assert (fetched.proof, fetched.version, fetched.address) == (proof.removesuffix("_of"), 7, FAR)


def test_a_phone_with_another_ones_proof_gets_nothing() -> None:
    world = World()
    assert world.ask(NEAR, "https", certificate_of="020000000201") == Refusal.WRONG_CERTIFICATE
    assert world.ask(NEAR, "https", password_of="020000000201") == Refusal.WRONG_PASSWORD
    assert world.ask(NEAR, "https", wrong_password=True) == Refusal.WRONG_PASSWORD
    assert world.reasons == ["wrong_certificate", "wrong_password"]


def test_where_proof_is_required_the_network_alone_is_not_enough() -> None:
    world = World(Access(proof_required=True))
    assert world.ask(NEAR, "tftp") == Refusal.CLEAR_TEXT
    assert world.ask(NEAR, "http") == Refusal.PROOF_NEEDED
    assert world.ask(NEAR, "http", password_of=MAC) == FILE


def test_only_the_voice_network_is_served_where_the_site_says_so() -> None:
    world = World(Access(served=networks(["10.20.0.0/16"])))
    assert world.ask("10.20.1.1") == FILE
    assert world.ask(NEAR) == Refusal.NETWORK_NOT_SERVED
    assert world.ask(NEAR, name="805ec0999999.cfg") == Refusal.NETWORK_NOT_SERVED
    assert world.reasons == ["network_not_served"] * 2


def test_requests_are_limited_by_address_and_by_phone() -> None:
    world = World(Access(requests_per_address=100, requests_per_phone=20))
    answers = [world.ask() for _ in range(30)]
    assert answers.count(FILE) == 20
    assert world.ask("192.168.1.51") == Refusal.TOO_MANY_REQUESTS
    assert world.ask("192.168.1.51", name="020000000201.conf") == "020000000201.conf"
    for _ in range(80):
        world.ask(name="y000000000096.cfg")
    assert world.ask(name="y000000000096.cfg") == Refusal.TOO_MANY_REQUESTS
    world.clock.advance(61)
    assert world.ask() == FILE


def test_a_limit_forgets_the_oldest_of_too_many_askers() -> None:
    limit = RateLimit(max_keys=3)
    assert limit.allows("a", 0.0, 1)
    assert not limit.allows("a", 0.0, 1)
    for key in "bcd":
        limit.allows(key, 1.0, 1)
    assert limit.allows("a", 2.0, 1)


def test_thirty_wrong_passwords_lock_the_address_out() -> None:
    world = World()
    answers = [world.ask(FAR, "https", wrong_password=True) for _ in range(31)]
    assert answers[:30] == [Refusal.WRONG_PASSWORD] * 30
    assert answers[30] == Refusal.TOO_MANY_GUESSES
    assert world.ask(FAR, "https", password_of=MAC) == Refusal.TOO_MANY_GUESSES


def test_a_fetch_is_reported_once_for_each_version() -> None:
    world = World()
    for _ in range(3):
        world.ask()
    world.desk.serve(LIBRARY, PRIVATE, version=8)
    world.ask()
    assert [each.version for each in world.reporter.reports if isinstance(each, PhoneFetched)] == [7, 8]


def test_a_refusal_is_not_explained_to_the_phone() -> None:
    refused = World().http(FAR, secure=False)
    missing = respond(HttpRequest("GET", "/no-such.cfg", FAR), Service(World().desk))
    assert (refused.status, refused.body) == (404, b"Not Found\n") == (missing.status, missing.body)


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


@pytest.mark.parametrize("user", [MAC, MAC.upper(), "80:5e:c0:00:02:00", "80-5E-C0-00-02-00"])
def test_a_phone_shows_its_password_by_basic_however_it_writes_its_mac_address(user: str) -> None:
    assert World().http(authorization=basic(user, PASSWORDS.of(MAC))).status == 200


@pytest.mark.parametrize("algorithm", ["MD5", "SHA-256"])
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_phone_answers_the_challenge_by_digest(algorithm: str, method: str) -> None:
    world = World()
    asked = world.http()
    assert asked.status == 401
    challenge = next(value for name, value in asked.headers if f"algorithm={algorithm}" in value)
    nonce = re.search('nonce="([^"]+)"', challenge)
    assert nonce is not None
    header = digest(nonce[1], algorithm, PASSWORDS.of(MAC), method)
    assert world.http(method=method, authorization=header).status == 200
    assert world.http(address="203.0.113.51", method=method, authorization=header).status == 401
    assert world.http(method=method, authorization=digest(nonce[1], algorithm, "wrong", method)).status == 401
    assert world.reasons.count("wrong_password") == 1


def digest(nonce: str, algorithm: str, password: str, method: str = "GET", qop: bool = True) -> str:
    hashed = hashlib.md5 if algorithm == "MD5" else hashlib.sha256

    def h(text: str) -> str:
        return hashed(text.encode()).hexdigest()

    middle = f"{nonce}:00000001:abc:auth" if qop else nonce
    response = h(f"{h(f'{MAC}:phone files:{password}')}:{middle}:{h(f'{method}:/{FILE}')}")
    more = ', qop=auth, nc=00000001, cnonce="abc"' if qop else ""
    return (
        f'Digest username="{MAC}", realm="phone files", nonce="{nonce}", uri="/{FILE}", '
        f'algorithm={algorithm}, response="{response}"{more}'
    )


def test_a_password_is_never_asked_for_in_clear_over_plain_http() -> None:
    world = World(Access(proof_required=True))
    schemes = {value.split()[0] for name, value in world.http(NEAR, secure=False).headers if name == "www-authenticate"}
    assert schemes == {"Digest"}


def test_an_old_nonce_is_asked_for_again_and_counts_as_no_wrong_password() -> None:
    nonce = re.search('nonce="([^"]+)"', PASSWORDS.challenges(FAR, 1000.0)[0])
    assert nonce is not None
    header = digest(nonce[1], "SHA-256", PASSWORDS.of(MAC))
    assert PASSWORDS.check(header, "GET", f"/{FILE}", FAR, 1000.0 + NONCE_SECONDS) == Claim(MAC)
    assert PASSWORDS.check(header, "GET", f"/{FILE}", FAR, 1002.0 + NONCE_SECONDS) == Claim()
    assert PASSWORDS.check(header, "GET", "/another", FAR, 1000.0) == Claim(wrong=True)
    old_form = digest(nonce[1], "MD5", PASSWORDS.of(MAC), qop=False)
    assert PASSWORDS.check(old_form, "GET", f"/{FILE}", FAR, 1000.0) == Claim(MAC)


@given(st.text(max_size=80) | st.builds("Digest {}".format, st.text(max_size=80)))
def test_any_authorization_proves_nothing_unless_it_is_right(header: str) -> None:
    assert PASSWORDS.check(header, "GET", "/x", FAR, 0.0).mac == ""


def test_passwords_differ_by_phone_and_by_edge_and_are_long() -> None:
    found = {phone_password(key, mac) for key in (b"a" * 32, b"b" * 32) for mac in (MAC, "020000000201")}
    assert len(found) == 4
    assert all(re.fullmatch("[a-z2-7]{26}", each) for each in found)


@pytest.mark.parametrize(
    ("subject", "mac"),
    [
        ((("commonName", "805ec0000200"),), MAC),
        ((("commonName", "80:5E:C0:00:02:00"),), MAC),
        ((("organizationName", "A vendor"), ("commonName", "CP-8841-805EC0000200")), MAC),
        ((("serialNumber", "PID:CP-8841 SN:805ec0000200"),), MAC),
        ((("commonName", "a phone"),), ""),
        ((("commonName", "805ec0000200ff"),), ""),
    ],
)
def test_the_mac_address_is_found_in_a_factory_certificate(subject: tuple[tuple[str, str], ...], mac: str) -> None:
    assert mac_in({"subject": tuple((each,) for each in subject)}) == mac
    assert mac_in(None) == ""


APPROVED = Access(approved_only=True)
SHARED = "y000000000096.cfg"


def test_where_only_approved_phones_are_served_an_unknown_one_gets_not_even_what_all_share() -> None:
    world = World(APPROVED)
    said = "Yealink SIP-T54W 96.86.0.70 80:5e:c0:99:99:99"
    assert world.ask(name=SHARED, user_agent=said) == Refusal.NOT_APPROVED
    assert world.ask(name="805ec0999999.cfg") == Refusal.NOT_APPROVED
    (unknown,) = [each for each in world.reporter.reports if isinstance(each, UnknownPhoneSeen)]
    assert (unknown.mac, unknown.vendor, unknown.model) == ("805ec0999999", "yealink", "T54W")
    (refused,) = [each for each in world.reporter.reports if isinstance(each, PhoneRefused)]
    assert (refused.reason, refused.mac) == ("not_approved", "805ec0999999")
    assert world.ask(name=SHARED, user_agent=said.replace("99:99:99", "00:02:00")) == SHARED
    assert world.ask() == FILE


def test_who_says_nothing_of_itself_is_known_by_who_has_its_address() -> None:
    world = World(APPROVED)
    world.desk.neighbour = lambda address: {NEAR: MAC, "192.168.1.51": "805ec0999998"}.get(address, "")
    assert world.ask(NEAR, "tftp", SHARED) == SHARED
    assert world.ask("192.168.1.51", "tftp", SHARED) == Refusal.NOT_APPROVED
    assert world.ask("192.168.1.52", "tftp", SHARED) == Refusal.NOT_APPROVED
    (unknown,) = [each for each in world.reporter.reports if isinstance(each, UnknownPhoneSeen)]
    assert (unknown.mac, unknown.certainty["mac"]) == ("805ec0999998", "likely")


def test_an_address_with_two_owners_is_nobodys_and_the_table_is_read_again_for_newcomers() -> None:
    clock, reads = HandClock(), list[int]()

    def read() -> dict[tuple[str, str], str]:
        reads.append(1)
        return {(NEAR, "eth0"): MAC, ("192.168.1.9", "eth0"): MAC, ("192.168.1.9", "eth1"): "805ec0999998"}

    neighbours = Neighbours(clock, read)
    assert [neighbours.mac(each) for each in (NEAR, "192.168.1.9", FAR)] == [MAC, "", ""]
    assert len(reads) == 1
    clock.advance(0.1)
    assert (neighbours.mac(NEAR), len(reads)) == (MAC, 1)
    assert (neighbours.mac(FAR), len(reads)) == ("", 2)
    clock.advance(1)
    assert (neighbours.mac(NEAR), len(reads)) == (MAC, 3)


def test_who_guesses_is_locked_out_where_only_approved_phones_are_served_too() -> None:
    world = World(APPROVED)
    for number in range(30):
        world.ask(name=f"805ec09999{number:02d}.cfg")
    assert world.ask(name="805ec0999990.cfg") == Refusal.TOO_MANY_GUESSES
    assert world.ask() == Refusal.TOO_MANY_GUESSES
