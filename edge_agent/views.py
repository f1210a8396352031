"""The snapshot, joined with secrets and surroundings, as provisioning and voice services want to see it.

Pure: what a process prepares is made here; what SIP sees, in `sip_view`. A line whose password is not at hand is left
out (its phone is refused until the cloud has sent it) rather than holding up the site.
"""

import logging
from collections import defaultdict
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Network

from pydantic import SecretStr

from contract.devices import Level, feature_code_level, multicast_level, record_key_level
from contract.dialplan import feature_codes
from contract.dialplan.compiled import zone_of
from contract.dialplan.voicemail import HAS_MAILBOX
from contract.mailbox_state import GREETING, LIST_DIGITS, PIN, list_key, members_of
from contract.snapshot import DhcpService, GroupMailbox, Snapshot, listened
from contract.sync.state import StateRecord
from edge_agent.media.applications.voicemail.config import STANDARD_GREETING, Mailbox, VoicemailConfig
from edge_agent.media.mailbox.store import MailboxLimits
from edge_agent.processes.link import Prepare
from edge_agent.provisioning.access import Access, networks, phone_password
from edge_agent.provisioning.config import (
    Account,
    DeviceConfig,
    DirectoryEntry,
    PluginPackage,
    ProvisioningConfig,
    Registrar,
)
from edge_agent.provisioning.dhcp.config import DhcpConfig, Range
from edge_agent.provisioning.firmware import Hours, Image

log = logging.getLogger(__name__)


def voicemail_config(snapshot: Snapshot, state: Mapping[str, StateRecord]) -> VoicemailConfig:
    """Whose mailboxes there are, and how they answer.

    Args:
        snapshot: the site's.
        state: what users set at the site, as `contract.mailbox_state` names it.
    """
    site, policy = snapshot.site, snapshot.site.voicemail

    def kept(kind: str, user_id: str) -> str:
        record = state.get(f"{kind}/{user_id}")
        return record.value if record is not None and isinstance(record.value, str) else ""

    def lists(mailbox: str) -> dict[str, tuple[str, ...]]:
        found = ((digit, state.get(list_key(mailbox, digit))) for digit in LIST_DIGITS)
        return {digit: members for digit, one in found if one is not None and (members := members_of(one.value))}

    def mailbox(user_id: str, username: str, extension: str, owners: tuple[str, ...] = ()) -> Mailbox:
        return Mailbox(
            user_id=user_id,
            username=username,
            extension=extension,
            greeting=kept(GREETING, user_id) or STANDARD_GREETING,
            language=policy.language,
            pin=kept(PIN, user_id),
            owners=owners,
            lists=lists(user_id),
        )

    found = [
        mailbox(user.user_id, user.username, user.extension or user.username)
        for user in snapshot.users
        if user.enabled and HAS_MAILBOX in user.permissions
    ]
    found += [
        mailbox(service.service_id, service.extension, service.extension, service.owners)
        for service in snapshot.dial_plan.voice_services
        if isinstance(service, GroupMailbox)
    ]
    return VoicemailConfig(
        mailboxes={one.user_id: one for one in found},
        zone=zone_of(site.time_zone),
        longest_seconds=policy.longest_seconds,
        shortest_seconds=policy.shortest_seconds,
        silence_seconds=policy.silence_seconds,
        operator=policy.operator,
        lists={one.number: one.members for one in policy.lists},
    )


def mailbox_limits(snapshot: Snapshot) -> MailboxLimits:
    """What a mailbox of the site may hold."""
    policy = snapshot.site.voicemail
    return MailboxLimits(policy.messages, policy.deleted_days, policy.kept_days)


def provisioning_config(
    message: Prepare, http_port: int = 0, https_port: int = 0, key: bytes = b""
) -> ProvisioningConfig:
    """What phones are handed.

    Args:
        message: the snapshot and its surroundings.
        http_port: where phones fetch by HTTP, on the host that they register with; 0: not known yet.
        https_port: where they fetch by HTTPS with a certificate that they can check; 0: nowhere.
        key: the edge's own secret, from which the passwords are made that phones fetch with; empty: they have none.
    """
    snapshot = message.snapshot
    registrar = Registrar(host=message.sip_host, domain=snapshot.site.domain, port=message.sip_ports.get("udp", 5060))
    users = {user.user_id: user for user in snapshot.users}
    accounts: dict[str, list[Account]] = defaultdict(list)
    users_of: dict[str, list[str]] = defaultdict(list)
    for line in snapshot.lines:
        if line.device_id is None:
            continue
        users_of[line.device_id].append(line.user_id)
        password = message.secrets.get(line.password)
        if password is None:
            log.warning("password_missing", extra={"line_id": line.line_id})
            continue
        user = users[line.user_id]
        accounts[line.device_id].append(
            Account(
                position=line.position,
                username=user.username,
                auth_username=line.auth_username,
                password=password,
                display_name=user.display_name,
                registrar=registrar,
                label=line.label,
                appearances=user.appearances,
            )
        )
    plan_says, site_wide, groups = _levels(snapshot)
    heard = listened(snapshot.dial_plan.voice_services, ((line.device_id, line.user_id) for line in snapshot.lines))
    devices = tuple(
        DeviceConfig(
            device_id=device.device_id,
            mac=device.mac,
            model=device.model,
            name=device.name,
            settings=dict(device.settings),
            accounts=tuple(sorted(accounts[device.device_id], key=lambda account: account.position)),
            admin_password=message.secrets.get(device.admin_password) if device.admin_password else None,
            fetch_password=SecretStr(phone_password(key, device.mac)) if key else None,
            levels=(
                plan_says,
                multicast_level(heard.get(device.device_id, ())),
                record_key_level(users[one].permissions for one in users_of[device.device_id]),
                *site_wide,
                *(level for group_id, level in groups if group_id in device.groups),
            ),
            firmware=(device.firmware.firmware_id, device.firmware.not_before) if device.firmware else None,
        )
        for device in snapshot.devices
    )
    host = f"[{message.sip_host}]" if ":" in message.sip_host else message.sip_host
    policy = snapshot.site.provisioning
    secure_host = policy.server_name or host
    return ProvisioningConfig(
        version=snapshot.version,
        time_zone=snapshot.site.time_zone,
        devices=devices,
        server_url=f"http://{host}:{http_port}" if host and http_port else "",
        secure_url=f"https://{secure_host}:{https_port}" if secure_host and https_port else "",
        access=Access(
            served=networks(policy.served_networks),
            clear_text=networks(policy.clear_text_networks),
            proof_required=policy.proof_required,
            answer_unknown=policy.answer_unknown,
            approved_only=policy.approved_only,
            requests_per_address=policy.requests_per_minute_per_address,
            requests_per_phone=policy.requests_per_minute_per_phone,
        ),
        firmware={
            one.firmware_id: Image(one.version, tuple((file.name, file.digest) for file in one.files))
            for one in snapshot.firmware
        },
        firmware_hours=tuple(Hours(frozenset(one.days), one.start, one.end) for one in policy.firmware_hours),
        dhcp=_dhcp(policy.dhcp, approved_only=policy.approved_only),
        plugins=tuple(PluginPackage(one.vendor, one.digest, one.content) for one in snapshot.device_plugins),
        directory=tuple(
            sorted(
                (
                    *(
                        DirectoryEntry(user.display_name, user.extension)
                        for user in snapshot.users
                        if user.enabled and user.extension
                    ),
                    *(DirectoryEntry(entry.name, entry.numbers[0]) for entry in snapshot.phonebook),
                ),
                key=lambda entry: (entry.name.casefold(), entry.number),
            )
        ),
    )


def _dhcp(service: DhcpService | None, *, approved_only: bool) -> DhcpConfig | None:
    if service is None:
        return None
    return DhcpConfig(
        tuple(
            Range(
                IPv4Network(each.network),
                IPv4Address(each.first),
                IPv4Address(each.last),
                IPv4Address(each.router) if each.router else None,
                tuple(map(IPv4Address, each.name_servers)),
                tuple(map(IPv4Address, each.ntp_servers)),
                each.lease_seconds,
                {one.mac: IPv4Address(one.address) for one in each.reservations},
            )
            for each in service.ranges
        ),
        service.voice_vlan,
        service.known_only or approved_only,
        service.proxy_offers,
    )


def _levels(snapshot: Snapshot) -> tuple[Level, tuple[Level, ...], tuple[tuple[str, Level], ...]]:
    """What is said to many devices: the dial plan's codes; tenant and site; and the groups with their ids, each the
    weakest first."""
    levels = snapshot.device_levels
    groups = sorted(levels.groups, key=lambda group: (group.weight, group.group_id))
    return (
        feature_code_level(feature_codes(snapshot.dial_plan)),
        (Level("tenant", levels.tenant), Level("site", levels.site)),
        tuple((group.group_id, Level("group", group.settings, group.name)) for group in groups),
    )
