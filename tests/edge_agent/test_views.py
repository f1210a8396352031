"""What each subsystem is told of the snapshot."""

from pydantic import SecretStr

from contract.snapshot import EmergencyRule, SipPolicy, Site, Trunk, TrustedPeer
from contract.sync.state import Stamp, StateRecord
from edge_agent.processes.link import Prepare
from edge_agent.sip.message import ha1
from edge_agent.sip_view import sip_config, trunk_settings
from edge_agent.views import provisioning_config
from tests.support.snapshots import SMALL_SECRETS, small_snapshot

STAMP = Stamp(wall_ms=1, node="edge-1")
SECRETS = {ref: SecretStr(value) for ref, value in SMALL_SECRETS.items()}


def prepare(**changes: object) -> Prepare:
    return Prepare(
        version=1,
        snapshot=small_snapshot(),
        secrets=SECRETS,
        services={"echo_test": "sip:echo@127.0.0.1:5099"},
        sip_host="192.0.2.10",
        sip_ports={"udp": 5060, "tcp": 5060},
        own_hosts=("192.0.2.10", "PBX.example"),
    ).model_copy(update=changes)


def test_each_line_can_prove_itself_with_its_password() -> None:
    config = sip_config(prepare())
    assert config.problems() == []
    credential = config.credentials["auth200"]
    assert (credential.line_id, credential.user_id, credential.device_id) == ("line-1", "user-1", "device-1")
    assert credential.ha1 == {"MD5": ha1("MD5", "auth200", "realm-1", "password-of-200")}


def test_every_digest_algorithm_of_the_site_has_a_hash() -> None:
    both = small_snapshot().model_copy(
        update={"site": Site(site_id="s", tenant_id="t", name="", domain="d.test", realm="r")}
    )
    both = both.model_copy(update={"site": both.site.model_copy(update={"digest_algorithms": ("SHA-256", "MD5")})})
    config = sip_config(prepare(snapshot=both))
    assert config.digest_algorithms == ("SHA-256", "MD5")
    assert set(config.credentials["auth200"].ha1) == {"SHA-256", "MD5"}


def test_the_site_knows_its_own_names_and_trusts_its_own_services() -> None:
    config = sip_config(prepare())
    assert config.hosts == {"192.0.2.10", "pbx.example"}
    assert config.services == {"echo_test": "sip:echo@127.0.0.1:5099"}
    assert config.trusted == {("127.0.0.1", 5099)}


def test_what_the_dial_plan_has_for_help_is_recognised_before_anything_can_refuse_it() -> None:
    rules = (
        EmergencyRule(rule_id="e-1", numbers=("112", "110"), prefix="0"),
        EmergencyRule(rule_id="e-2", numbers=("999",), enabled=False),
    )
    assert sip_config(prepare()).emergency_numbers == ()
    plan = small_snapshot().dial_plan.model_copy(update={"rules": rules})
    config = sip_config(prepare(snapshot=small_snapshot().model_copy(update={"dial_plan": plan})))
    assert config.emergency_numbers == ("112", "110", "0112", "0110")
    assert config.problems() == []


def test_a_trunk_knows_calls_for_help_with_its_own_prefix_too() -> None:
    rules = (EmergencyRule(rule_id="e-1", numbers=("112",), prefix="0"),)
    trunk = Trunk(gateway_id="trunk-1", name="Trunk", host="provider.test", prefix="9")
    plan = small_snapshot().dial_plan.model_copy(update={"rules": rules, "trunks": (trunk,)})
    settings = trunk_settings(prepare(snapshot=small_snapshot().model_copy(update={"dial_plan": plan})))
    assert settings.for_help == {"112", "0112", "9112", "90112"}


def test_what_the_site_decides_about_its_sip_reaches_registrar_and_proxy() -> None:
    trunk = TrustedPeer(name="Trunk", networks=("192.0.2.0/28",))
    policy = SipPolicy(
        from_policy="lenient",
        foreign_hosts=("meet.example",),
        trusted_peers=(trunk,),
        country="DE",
        emergency_numbers=("555", "110"),
    )
    small = small_snapshot()
    site = small.site.model_copy(update={"sip": policy})
    config = sip_config(prepare(snapshot=small.model_copy(update={"site": site})))
    assert (config.from_policy, config.peers) == ("lenient", (trunk,))
    assert config.foreign_hosts == {"meet.example"}
    assert config.emergency_numbers == ("112", "110", "555")
    rules = (EmergencyRule(rule_id="e-1", numbers=("110",), prefix="0"),)
    plan = small.dial_plan.model_copy(update={"rules": rules})
    planned = sip_config(prepare(snapshot=small.model_copy(update={"site": site, "dial_plan": plan})))
    assert planned.emergency_numbers == ("110", "0110", "112", "555")


def test_a_line_without_its_password_is_left_out_and_the_others_go_on() -> None:
    message = prepare(secrets={"s-2:1": SECRETS["s-2:1"]})
    assert set(sip_config(message).credentials) == {"auth201"}
    assert [len(device.accounts) for device in provisioning_config(message).devices] == [0, 1]


def test_what_users_set_at_the_site_is_part_of_the_configuration() -> None:
    records = (
        StateRecord(key="do_not_disturb/user-1", value=True, stamp=STAMP),
        StateRecord(key="forward_busy/user-2", value="201", stamp=STAMP),
    )
    state = sip_config(prepare(state=records)).state
    assert state.do_not_disturb == {"user-1"}
    assert state.forwarding["user-2"].busy == "201"


def test_phones_are_told_where_to_fetch_when_that_is_known() -> None:
    assert provisioning_config(prepare()).server_url == ""
    assert provisioning_config(prepare(), http_port=8090).server_url == "http://192.0.2.10:8090"
    assert provisioning_config(prepare(sip_host="2001:db8::1"), 8090).server_url == "http://[2001:db8::1]:8090"


def test_a_device_is_given_its_accounts_and_where_they_register() -> None:
    config = provisioning_config(prepare())
    yealink = config.devices[0]
    assert (yealink.mac, yealink.model) == ("001565000001", "yealink/t54w")
    assert yealink.admin_password == SECRETS["s-3:1"]
    account = yealink.accounts[0]
    assert (account.username, account.auth_username, account.display_name) == ("200", "auth200", "Reception")
    assert account.password == SECRETS["s-1:1"]
    registrar = account.registrar
    assert (registrar.host, registrar.port, registrar.domain) == ("192.0.2.10", 5060, "demo.tandem.test")


def test_no_view_shows_a_secret() -> None:
    shown = f"{sip_config(prepare())!r} {provisioning_config(prepare())!r}"
    assert "password-of" not in shown
    assert ha1("MD5", "auth200", "realm-1", "password-of-200") not in shown
