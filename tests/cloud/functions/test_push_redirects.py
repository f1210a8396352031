"""Phones at vendors' redirect services: told when added, untold when removed, and a clear problem when refused."""

import xmlrpc.client
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from cloud.functions.push_redirects import handler as push_redirects
from cloud.functions.push_redirects.gdms import configuration
from cloud.functions.push_redirects.hawk import authorization, payload_hash
from cloud.functions.push_redirects.xml_rpc import NoAnswer, decode_answer
from cloud.functions.records import claim_records, failures, sqs_event
from cloud.models import DeviceRedirect, Job, RedirectAccount, Site
from cloud.pbx.audit import Actor
from cloud.pbx.desk import Desk
from cloud.pbx.devices import DeviceFields, change_device, create_device, delete_device
from cloud.pbx.errors import Conflict
from cloud.pbx.redirect_accounts import (
    AccountFields,
    change_account,
    check_account,
    create_account,
    delete_account,
    push_again,
)
from cloud.pbx.redirects import RETRY_SECONDS
from contract.devices import load_catalogue
from tests.cloud.functions.conftest import Functions
from tests.support.customers import TOKENS, Customer, HandClock
from tests.support.postgres import Databases
from tests.support.redirect_services import STAND_INS, FanvilStandIn, StandIn, redirect_service

CATALOGUE = load_catalogue()
MODELS = {
    "yealink": ("yealink/t54w", "001565aabbcc"),
    "snom": ("snom/d785", "000413aabbcc"),
    "gigaset": ("gigaset/n870", "7c2f80aabbcc"),
    "fanvil": ("fanvil/x5u", "0c383eaabbcc"),
    "grandstream": ("grandstream/gxp2160", "000b82aabbcc"),
}


@dataclass
class Redirects:
    """A tenant with an account at one stand-in; `run` does what is due."""

    databases: Databases
    customer: Customer
    clock: HandClock
    keys: Any
    service: StandIn
    name: str
    private_allowed: bool = True

    def __post_init__(self) -> None:
        client = push_redirects.new_client(private_allowed=self.private_allowed, timeout_seconds=5)
        self.handle = push_redirects.compose(
            self.databases.worker, self.keys, self.clock, TOKENS, client, CATALOGUE, (10.0, 60.0)
        )

    @property
    def model(self) -> tuple[str, str]:
        return MODELS[self.name.partition("_")[0]]

    @property
    def url(self) -> str:
        return "https://phones.example:8443/"

    def change(self, what: Any) -> Any:
        with self.databases.api.session(self.customer.scope) as session:
            return what(Desk(session, Actor("test"), self.clock, TOKENS, self.keys))

    def name_server(self, name: str) -> None:
        def change(desk: Desk) -> None:
            desk.session.get_one(Site, self.customer.site_id).provisioning = {"server_name": name}
            desk.publish(self.customer.site_id, "test")

        self.change(change)

    def add_account(self, password: str = "") -> UUID:
        log_in = (self.service.username, SecretStr(password or self.service.secret))
        fields = AccountFields(self.name, *log_in, self.service.api_url, None, enabled=True)
        tenant_id = self.customer.tenant_id
        made: UUID = self.change(lambda desk: create_account(desk, tenant_id, fields, insecure_allowed=True).id)
        return made

    def add_phone(self, serial: str = "SERIAL-1") -> UUID:
        model, mac = self.model
        wanted = DeviceFields(self.customer.site_id, mac, model, "", {}, serial=serial)
        made: UUID = self.change(lambda desk: create_device(desk, CATALOGUE, wanted, []).device.id)
        return made

    def run(self) -> None:
        """Do jobs until none is due."""
        while bodies := claim_records(self.databases.worker, push_redirects.KINDS, self.clock.now()):
            event = sqs_event("push_redirects", bodies)
            assert failures(self.handle(event, Functions.context("push_redirects"))) == []

    @property
    def rows(self) -> list[DeviceRedirect]:
        with self.databases.api.session(self.customer.scope) as session:
            return session.query(DeviceRedirect).order_by(DeviceRedirect.id).all()


def _redirects(databases: Databases, customer: Customer, clock: HandClock, keys: Any, name: str) -> Iterator[Redirects]:
    with redirect_service(name) as service:
        found = Redirects(databases, customer, clock, keys, service, name)
        found.name_server("phones.example")
        yield found


@pytest.fixture(params=STAND_INS)
def each(
    databases: Databases, customer: Customer, clock: HandClock, keys: Any, request: pytest.FixtureRequest
) -> Iterator[Redirects]:
    """Every service in turn."""
    yield from _redirects(databases, customer, clock, keys, request.param)


@pytest.fixture
def yealink(databases: Databases, customer: Customer, clock: HandClock, keys: Any) -> Iterator[Redirects]:
    """Yealink RPS."""
    yield from _redirects(databases, customer, clock, keys, "yealink_rps")


@pytest.fixture
def sraps(databases: Databases, customer: Customer, clock: HandClock, keys: Any) -> Iterator[Redirects]:
    """Snom SRAPS."""
    yield from _redirects(databases, customer, clock, keys, "snom_sraps")


@pytest.fixture
def gdms(databases: Databases, customer: Customer, clock: HandClock, keys: Any) -> Iterator[Redirects]:
    """Grandstream GDMS."""
    yield from _redirects(databases, customer, clock, keys, "grandstream_gdms")


def plain(mac: str) -> str:
    return mac.replace("-", "").replace(":", "").lower()


def test_a_phone_is_told_when_it_is_added_untold_when_it_is_removed_and_told_again(each: Redirects) -> None:
    each.add_account()
    device_id = each.add_phone()
    each.run()
    assert {plain(mac): url for mac, url in each.service.phones.items()} == {each.model[1]: each.url}
    (row,) = each.rows
    assert (row.state, row.problem, row.url) == ("pushed", "", each.url)
    each.change(lambda desk: delete_device(desk, device_id, None))
    each.run()
    assert each.service.phones == {}
    assert each.rows == []
    each.add_phone()
    each.run()
    assert [plain(mac) for mac in each.service.phones] == [each.model[1]]
    if isinstance(each.service, FanvilStandIn):
        assert list(each.service.servers.values()) == [each.url]


def test_a_phone_of_another_account_is_named_as_the_problem_and_not_asked_again(each: Redirects) -> None:
    upper = each.model[1].upper()
    each.service.others = {each.model[1], upper, "-".join(upper[place : place + 2] for place in range(0, 12, 2))}
    each.add_account()
    device_id = each.add_phone()
    each.run()
    (row,) = each.rows
    assert (row.state, row.problem) == ("failed", "claimed")
    assert "Another account" in row.problem_text
    asked = len(each.service.calls)
    each.clock.advance(1_000_000)
    each.run()
    assert len(each.service.calls) == asked
    each.service.others = set()
    each.change(lambda desk: push_again(desk, device_id))
    each.run()
    assert [row.state for row in each.rows] == ["pushed"]


def test_a_wrong_log_in_is_named_and_the_right_one_tells_what_was_left(each: Redirects) -> None:
    account_id = each.add_account("wrong")
    each.add_phone()
    each.change(lambda desk: check_account(desk, account_id))
    each.run()
    assert [(row.state, row.problem) for row in each.rows] == [("failed", "credentials")]
    with each.databases.api.session(each.customer.scope) as session:
        assert session.get_one(RedirectAccount, account_id).check_state == "bad"
    each.change(
        lambda desk: change_account(
            desk, account_id, {"password": SecretStr(each.service.secret)}, None, insecure_allowed=True
        )
    )
    each.change(lambda desk: check_account(desk, account_id))
    each.run()
    assert [row.state for row in each.rows] == ["pushed"]
    with each.databases.api.session(each.customer.scope) as session:
        account = session.get_one(RedirectAccount, account_id)
        assert (account.check_state, account.check_text) == ("good", "")


def test_a_service_that_is_away_is_asked_again_later_and_given_up_in_the_end(each: Redirects) -> None:
    each.add_account()
    each.add_phone()
    each.service.instead = [(503, {}, b"")]
    each.run()
    (row,) = each.rows
    assert (row.state, row.problem, row.attempts) == ("pending", "unreachable", 1)
    each.run()
    assert each.rows[0].attempts == 1
    each.clock.advance(12)
    each.run()
    assert each.rows[0].state == "pushed"


def test_what_answers_nonsense_is_a_problem_and_not_a_failure(each: Redirects) -> None:
    each.add_account()
    each.add_phone()
    each.service.instead = [(200, {}, b"<html>sorry</html>")]
    each.run()
    assert [(row.state, row.problem) for row in each.rows] == [("failed", "refused")]


def test_after_the_last_attempt_the_push_has_failed(yealink: Redirects) -> None:
    yealink.add_account()
    yealink.add_phone()
    yealink.service.instead = [(500, {}, b"")] * 3
    for _ in range(3):
        yealink.run()
        yealink.clock.advance(100)
    assert [(row.state, row.problem) for row in yealink.rows] == [("failed", "unreachable")]
    assert len(RETRY_SECONDS) == 8


def test_retry_after_puts_the_next_push_off(yealink: Redirects) -> None:
    yealink.add_account()
    yealink.add_phone()
    yealink.service.instead = [(429, {"retry-after": "600"}, b"")]
    yealink.run()
    yealink.clock.advance(599)
    yealink.run()
    assert yealink.rows[0].state == "pending"
    yealink.clock.advance(2)
    yealink.run()
    assert yealink.rows[0].state == "pushed"


def test_a_site_without_a_server_name_says_so_and_tells_when_it_has_one(yealink: Redirects) -> None:
    yealink.name_server("")
    yealink.add_account()
    device_id = yealink.add_phone()
    yealink.run()
    assert [(row.state, row.problem) for row in yealink.rows] == [("failed", "no_server_name")]
    with pytest.raises(Conflict, match="no server name"):
        yealink.change(lambda desk: push_again(desk, device_id))
    yealink.name_server("other.example")
    yealink.run()
    assert list(yealink.service.phones.values()) == ["https://other.example:8443/"]


def test_a_phone_without_a_serial_number_says_so_and_is_told_of_once_it_has_one(gdms: Redirects) -> None:
    gdms.add_account()
    device_id = gdms.add_phone(serial="")
    gdms.run()
    assert [(row.state, row.problem) for row in gdms.rows] == [("failed", "no_serial")]
    assert gdms.service.calls == []
    with pytest.raises(Conflict, match="serial number"):
        gdms.change(lambda desk: push_again(desk, device_id))
    gdms.change(lambda desk: change_device(desk, CATALOGUE, device_id, {"serial": "SERIAL-1"}, None))
    gdms.run()
    assert list(gdms.service.phones.values()) == [gdms.url]


def test_gdms_has_two_log_ins_and_says_so_where_one_is_missing(gdms: Redirects) -> None:
    gdms.add_account("only a password")
    gdms.add_phone()
    gdms.run()
    (row,) = gdms.rows
    assert (row.state, row.problem) == ("failed", "credentials")
    assert "<API secret>/<password>" in row.problem_text
    assert gdms.service.calls == []


@pytest.mark.parametrize("data", [b"{}", b'{"retCode": 0, "data": {"result": []}}', b'{"retCode": 7, "msg": "no"}'])
def test_whatever_gdms_answers_is_a_problem_and_no_failure(gdms: Redirects, data: bytes) -> None:
    gdms.add_account()
    gdms.add_phone()
    gdms.service.instead = [(200, {}, b'{"access_token": "t-1"}'), (200, {}, data)]
    gdms.run()
    assert [(row.state, row.problem) for row in gdms.rows] == [("failed", "refused")]


def test_what_a_grandstream_is_told_names_its_server_and_is_xml_whatever_the_name() -> None:
    found = ElementTree.fromstring(configuration("000b82aabbcc", "http://phones.example:8090/a&b/"))
    assert {one.tag: one.text for one in found.iter() if one.tag.startswith("P")} == {
        "P212": "1",
        "P237": "phones.example:8090/a&b",
    }


def test_a_phone_whose_server_moves_is_told_again(yealink: Redirects) -> None:
    yealink.add_account()
    yealink.add_phone()
    yealink.run()
    yealink.name_server("new.example")
    yealink.run()
    assert list(yealink.service.phones.values()) == ["https://new.example:8443/"]
    asked = len(yealink.service.calls)
    yealink.name_server("new.example")
    yealink.run()
    assert len(yealink.service.calls) == asked


def test_a_disabled_account_takes_back_what_was_told_and_can_then_be_deleted(yealink: Redirects) -> None:
    account_id = yealink.add_account()
    yealink.add_phone()
    yealink.run()
    with pytest.raises(Conflict, match="disable the account first"):
        yealink.change(lambda desk: delete_account(desk, account_id, None))
    yealink.change(lambda desk: change_account(desk, account_id, {"enabled": False}, None, insecure_allowed=True))
    yealink.run()
    assert yealink.service.phones == {}
    yealink.change(lambda desk: delete_account(desk, account_id, None))
    assert yealink.rows == []


def test_pushes_to_one_account_are_paced(yealink: Redirects) -> None:
    yealink.add_account()
    model, _ = yealink.model
    for number in range(3):
        fields = DeviceFields(yealink.customer.site_id, f"00156500000{number}", model, "", {})
        yealink.change(lambda desk, fields=fields: create_device(desk, CATALOGUE, fields, []))
    yealink.run()
    assert len(yealink.service.phones) == 1
    yealink.clock.advance(0.5)
    yealink.run()
    assert len(yealink.service.phones) == 2
    yealink.clock.advance(0.5)
    yealink.run()
    assert len(yealink.service.phones) == 3


def test_a_phone_that_is_deleted_while_it_is_being_told_is_untold(yealink: Redirects) -> None:
    yealink.add_account()
    device_id = yealink.add_phone()
    (compare,) = claim_records(yealink.databases.worker, push_redirects.KINDS, yealink.clock.now())
    yealink.handle(sqs_event("push_redirects", [compare]), Functions.context("push_redirects"))
    original = yealink.service.answer

    def deleting(method: str, path: str, headers: dict[str, str], body: bytes) -> Any:
        yealink.service.answer = original  # type: ignore[method-assign]
        yealink.change(lambda desk: delete_device(desk, device_id, None))
        return original(method, path, headers, body)

    yealink.service.answer = deleting  # type: ignore[method-assign]
    yealink.run()
    assert yealink.service.phones == {}
    assert yealink.rows == []


def test_private_addresses_are_refused_unless_a_lab_allows_them(
    databases: Databases, customer: Customer, clock: HandClock, keys: Any
) -> None:
    with redirect_service("yealink_rps") as service:
        strict = Redirects(databases, customer, clock, keys, service, "yealink_rps", private_allowed=False)
        strict.name_server("phones.example")
        strict.add_account()
        strict.add_phone()
        strict.run()
        assert [(row.problem, row.state) for row in strict.rows] == [("unreachable", "pending")]
        assert service.calls == []


def test_a_link_to_another_host_is_not_followed(sraps: Redirects) -> None:
    sraps.add_account()
    sraps.add_phone()
    away = b'{"links": {"company": "http://169.254.169.254/latest"}}'
    sraps.service.instead = [(200, {}, away)]
    sraps.run()
    (row,) = sraps.rows
    assert (row.state, row.problem) == ("failed", "refused")
    assert "another host" in row.problem_text


def test_no_password_is_in_jobs_rows_or_logs(yealink: Redirects, capsys: pytest.CaptureFixture[str]) -> None:
    yealink.add_account("planted-secret")
    yealink.add_phone()
    yealink.run()
    with yealink.databases.worker.session(yealink.customer.scope) as session:
        kept = str([(job.payload, job.error) for job in session.query(Job)])
    assert "planted-secret" not in kept + str([row.problem_text for row in yealink.rows]) + capsys.readouterr().out


def test_a_tenant_without_an_account_causes_no_work(
    databases: Databases, customer: Customer, clock: HandClock, keys: Any
) -> None:
    with redirect_service("yealink_rps") as service:
        idle = Redirects(databases, customer, clock, keys, service, "yealink_rps")
        idle.add_phone()
        with databases.worker.session(customer.scope) as session:
            assert session.query(Job).where(Job.kind.in_(push_redirects.KINDS)).count() == 0


def test_hawk_signs_as_its_specification_shows() -> None:
    """The example of the specification (request with a payload), without `ext`, reckoned by its rules."""
    assert payload_hash(b"Thank you for flying Hawk", "text/plain") == "Yi9LfIIFRtBEPt74PVmbTF/xVAwPn7ub15ePICfgnuY="
    one = authorization("get", "https://a.example/x?y=1", None, "", key_id="i", key="k", timestamp=1, nonce="n")
    other = authorization("GET", "https://a.example:443/x?y=1", None, "", key_id="i", key="k", timestamp=1, nonce="n")
    assert one == other
    assert one != authorization("GET", "https://a.example/x?y=2", None, "", key_id="i", key="k", timestamp=1, nonce="n")


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE a [<!ENTITY b "c">]><methodResponse/>',
        xmlrpc.client.dumps((["ok", "no boolean"],), methodresponse=True).encode(),
        b"<methodResponse/>",
        b"x" * 70000,
    ],
)
def test_a_hostile_answer_is_refused(body: bytes) -> None:
    with pytest.raises(NoAnswer):
        decode_answer(body)


@given(st.binary(max_size=400) | st.text(alphabet="<>/&!methodRsponvalu;x", max_size=200).map(str.encode))
def test_any_bytes_are_an_answer_or_our_one_error(body: bytes) -> None:
    try:
        done, text = decode_answer(body)
    except NoAnswer:
        return
    assert isinstance(done, bool)
    assert isinstance(text, str)
