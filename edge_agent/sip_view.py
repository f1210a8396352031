"""The snapshot, joined with secrets and this machine's settings, as registrar, proxy and trunks want to see it.

Pure, and apart from `views`, so that the SIP process loads nothing of phones' files and of voice services. A line whose
password is not at hand is left out (its phone is refused until the cloud has sent it) rather than holding up the site.
"""

import logging
import re
from typing import Final

from contract.dialplan import compile_plan
from contract.dialplan.site_state import site_state
from contract.snapshot import EmergencyRule, Line, Site, Snapshot
from edge_agent.lamp_lists import lamp_lists
from edge_agent.processes.link import Prepare
from edge_agent.settings import SipSettings
from edge_agent.sip.config import Credential, LockoutRules, OverloadRules, SipConfig
from edge_agent.sip.message import Limits, ha1
from edge_agent.sip.relaying.recording import RECORD_CALLS
from edge_agent.sip.relaying.rules import MediaRules
from edge_agent.sip.transaction import Timers
from edge_agent.sip.trunks import Account as TrunkAccount
from edge_agent.sip.trunks import TrunkSettings

log = logging.getLogger(__name__)

_ADMINISTERS: Final = "SuperAdmin"
_SERVICE_ADDRESS: Final = re.compile(r"@([^:;]+):([0-9]+)")


def sip_config(message: Prepare, settings: SipSettings | None = None) -> SipConfig:
    """What registrar and proxy run on.

    Args:
        message: the snapshot and its surroundings.
        settings: of this machine; None: as they are without a file.
    """
    settings = settings or SipSettings()
    site = message.snapshot.site
    credentials = (_credential(message, line, site) for line in message.snapshot.lines)
    addresses = (_SERVICE_ADDRESS.search(uri) for uri in message.services.values())
    plan = compile_plan(message.snapshot)
    return SipConfig(
        domain=site.domain,
        realm=site.realm,
        plan=plan,
        credentials={credential.auth_username: credential for credential in credentials if credential},
        lists=lamp_lists(message.snapshot, plan),
        device_locations={
            device.device_id: device.emergency_location_id
            for device in message.snapshot.devices
            if device.emergency_location_id is not None
        },
        notified_of_emergencies=message.snapshot.dial_plan.emergency.notified_users,
        hosts=frozenset(host.lower() for host in (*message.own_hosts, message.sip_host) if host),
        former_domains=site.former_domains,
        digest_algorithms=site.digest_algorithms,
        state=site_state(message.state, plan.users),
        services=dict(message.services),
        administrators=frozenset(user.user_id for user in message.snapshot.users if _ADMINISTERS in user.permissions),
        trusted=frozenset((found[1], int(found[2])) for found in addresses if found),
        emergency_numbers=_emergency_numbers(message.snapshot),
        peers=site.sip.trusted_peers,
        from_policy=site.sip.from_policy,
        qualify_phones_seconds=site.sip.qualify_phones_seconds,
        qualify_phones=site.sip.qualify_phones,
        qualify_gateways_seconds=site.sip.qualify_gateways_seconds,
        media=MediaRules(
            relay=site.sip.relay_media,
            exceptions=site.sip.media_exceptions,
            local_networks=site.sip.local_networks,
            direct_behind_one_nat=site.sip.direct_behind_one_nat,
        ),
        public_host=settings.public_host,
        remote_tls_only=site.sip.remote_tls_only,
        **settings.registrar.model_dump(),
        **settings.calls.model_dump(exclude={"foreign_hosts"}),
        foreign_hosts=frozenset((*settings.calls.foreign_hosts, *site.sip.foreign_hosts)),
        overload=OverloadRules(**settings.overload.model_dump()),
        lockout=LockoutRules(**settings.lockout.model_dump()),
        limits=limits_of(settings),
        timers=Timers(**settings.timers.model_dump()),
    )


def trunk_settings(message: Prepare) -> TrunkSettings:
    """The site's trunks that are switched on, each with its password where that has come."""
    snapshot = message.snapshot
    accounts: dict[str, TrunkAccount] = {}
    for trunk in snapshot.dial_plan.trunks:
        if not trunk.enabled:
            continue
        password = message.secrets.get(trunk.password_ref) if trunk.password_ref else None
        if trunk.password_ref and password is None:
            log.warning("password_missing", extra={"trunk_id": trunk.gateway_id})
        accounts[trunk.gateway_id] = TrunkAccount(trunk, password)
    # What reaches a trunk has the trunk's own prefix.
    plain, ahead = _emergency_numbers(snapshot), {"", *(trunk.prefix for trunk in snapshot.dial_plan.trunks)}
    for_help = frozenset(prefix + number for prefix in ahead for number in plain)
    recorders = frozenset(user.user_id for user in snapshot.users if RECORD_CALLS in user.permissions)
    groups: dict[str, frozenset[str]] = {}
    plan = snapshot.dial_plan
    members = [(one.group_id, one.members) for one in plan.hunt_groups]
    for group_id, users in (*members, *((one.group_id, one.members) for one in plan.pickup_groups)):
        groups[group_id] = groups.get(group_id, frozenset()).union(users)
    return TrunkSettings(snapshot.site.domain, accounts, snapshot.site.recording, for_help, recorders, groups)


def limits_of(settings: SipSettings) -> Limits:
    """Bounds on what peers can push, at this machine."""
    return Limits(**settings.limits.model_dump())


def _emergency_numbers(snapshot: Snapshot) -> tuple[str, ...]:
    """What is dialled for help: by the dial plan, with and without the outside line, and by the site and its country.

    The dial plan's first number comes first: it has a way out, and stands for `urn:service:sos`.
    """
    rules = [rule for rule in snapshot.dial_plan.rules if isinstance(rule, EmergencyRule) and rule.enabled]
    planned = (prefix + number for rule in rules for prefix in ("", rule.prefix) for number in rule.numbers)
    return tuple(dict.fromkeys((*planned, *snapshot.site.sip.numbers_for_help)))


def _credential(message: Prepare, line: Line, site: Site) -> Credential | None:
    password = message.secrets.get(line.password)
    if password is None:
        log.warning("password_missing", extra={"line_id": line.line_id})
        return None
    clear = password.get_secret_value()
    hashes: dict[str, str] = {name: ha1(name, line.auth_username, site.realm, clear) for name in site.digest_algorithms}
    return Credential(line.auth_username, line.line_id, line.user_id, line.device_id, hashes, password)
