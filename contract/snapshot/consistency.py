"""What must hold between the sections of one snapshot: references lead somewhere, names are taken once."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from contract.snapshot.attendant import Attendant
from contract.snapshot.authorization import Authorization
from contract.snapshot.blob import Blob
from contract.snapshot.conference import conference_problems
from contract.snapshot.device import Device
from contract.snapshot.device_levels import DeviceLevels
from contract.snapshot.dial_plan import (
    DialPlan,
    EmergencyRule,
    FeatureRule,
    OutsideRule,
    Rule,
    ServiceRule,
    SiteToSiteRule,
    VoicemailRule,
)
from contract.snapshot.fax import fax_problems
from contract.snapshot.firmware import Firmware
from contract.snapshot.line import Line
from contract.snapshot.mailbox import mailbox_problems
from contract.snapshot.other_site import OtherSite
from contract.snapshot.paging import Paging, multicast_problems
from contract.snapshot.queue import queue_problems
from contract.snapshot.schedule import During
from contract.snapshot.sounds import sounds_of
from contract.snapshot.trunk import Trunk
from contract.snapshot.user import PERMISSIONS, User

_SHOWN: Final = 3
"""Who has a name that is taken twice: so many are told."""


def reference_problems(
    users: Sequence[User], lines: Sequence[Line], devices: Sequence[Device], levels: DeviceLevels, plan: DialPlan
) -> Iterable[str]:
    """Ids that nothing in the snapshot has."""
    user_ids = {user.user_id for user in users}
    device_ids = {device.device_id for device in devices}
    location_ids = {location.location_id for location in plan.locations}
    for line in lines:
        if line.user_id not in user_ids:
            yield f"lines: {line.line_id} names user {line.user_id}, which is not in the snapshot"
        if line.device_id is not None and line.device_id not in device_ids:
            yield f"lines: {line.line_id} names device {line.device_id}, which is not in the snapshot"
    for user in users:
        for permission in user.permissions:
            if permission not in PERMISSIONS:
                yield f"users: {user.user_id} has the unknown permission {permission!r}"
        for find_me in user.forwarding.find_me:
            yield from _schedule_problems(f"users: {user.user_id}", find_me.during, plan)
    group_ids = {group.group_id for group in levels.groups}
    for device in devices:
        for group_id in device.groups:
            if group_id not in group_ids:
                yield f"devices: {device.device_id} is in group {group_id}, which is not in the snapshot"
        if device.emergency_location_id not in {None, *location_ids}:
            yield f"devices: {device.device_id} is at the unknown location {device.emergency_location_id}"
    if plan.default_location_id not in {None, *location_ids}:
        yield f"dial_plan: the default location {plan.default_location_id} is not in the snapshot"
    for user_id in plan.emergency.notified_users:
        if user_id not in user_ids:
            yield f"dial_plan: emergency notifies the unknown user {user_id}"
    yield from _rule_problems(plan)
    yield from _trunk_problems(plan)
    for group in plan.hunt_groups:
        for member in group.members:
            if member not in user_ids:
                yield f"dial_plan: hunt group {group.group_id} has the unknown member {member}"
    for pickup in plan.pickup_groups:
        for member in pickup.members:
            if member not in user_ids:
                yield f"dial_plan: pickup group {pickup.group_id} has the unknown member {member}"
    for service in plan.voice_services:
        if service.permission not in {None, *PERMISSIONS}:
            yield f"dial_plan: {service.name} asks for the unknown permission {service.permission!r}"
        if isinstance(service, Attendant):
            yield from _attendant_problems(service, plan)
        if isinstance(service, Authorization):
            for permission in service.permissions:
                if permission not in PERMISSIONS:
                    yield f"dial_plan: {service.name} has the unknown permission {permission!r}"
            for code_id, count in Counter(code.code_id for code in service.codes).items():
                if count > 1:
                    yield f"dial_plan: {service.name} has the code {code_id} twice"
        if isinstance(service, Paging):
            for member in service.members:
                if member not in user_ids:
                    yield f"dial_plan: paging group {service.name} has the unknown member {member}"
    yield from queue_problems(plan.voice_services, users)
    yield from mailbox_problems(plan.voice_services, users)
    yield from fax_problems(plan.voice_services, users)


def _attendant_problems(attendant: Attendant, plan: DialPlan) -> Iterable[str]:
    where = f"dial_plan: attendant {attendant.name}"
    for permission in attendant.permissions:
        if permission not in PERMISSIONS:
            yield f"{where} has the unknown permission {permission!r}"
    for timed in attendant.by_time:
        yield from _schedule_problems(where, timed.during, plan)
    if attendant.mailboxes and not any(isinstance(r, VoicemailRule) and r.enabled and r.prefix for r in plan.rules):
        yield f"{where} leads to a mailbox, and no voicemail rule that is switched on has a prefix"


def _rule_problems(plan: DialPlan) -> Iterable[str]:
    gateways = {gateway.gateway_id for gateway in (*plan.gateways, *plan.trunks)}
    for rule in plan.rules:
        where = f"dial_plan: rule {rule.rule_id}"
        if isinstance(rule, OutsideRule | EmergencyRule | SiteToSiteRule):
            for gateway in rule.gateways:
                if gateway not in gateways:
                    yield f"{where} names gateway {gateway}, which is not in the snapshot"
        if isinstance(rule, OutsideRule):
            yield from _schedule_problems(where, rule.during, plan)
            for permission in rule.permissions:
                if permission not in PERMISSIONS:
                    yield f"{where} asks for the unknown permission {permission!r}"
        if isinstance(rule, FeatureRule) and rule.permission not in {None, *PERMISSIONS}:
            yield f"{where} asks for the unknown permission {rule.permission!r}"


def _schedule_problems(where: str, during: During | None, plan: DialPlan) -> Iterable[str]:
    if during is not None and all(one.schedule_id != during.schedule_id for one in plan.schedules):
        yield f"{where} goes by schedule {during.schedule_id}, which is not in the snapshot"


def firmware_problems(devices: Sequence[Device], firmware: Sequence[Firmware], blobs: Sequence[Blob]) -> Iterable[str]:
    """Firmware whose files are in no manifest, and phones that are to have what is not there or does not fit."""
    digests = {blob.digest for blob in blobs}
    for one in firmware:
        for file in one.files:
            if file.digest not in digests:
                yield f"firmware: {one.firmware_id} names blob {file.digest}, which is not in the snapshot"
    by_id = {one.firmware_id: one for one in firmware}
    for device in devices:
        if device.firmware is None:
            continue
        wanted = by_id.get(device.firmware.firmware_id)
        if wanted is None:
            yield (
                f"devices: {device.device_id} is to have firmware {device.firmware.firmware_id}, which is not in the"
                " snapshot"
            )
        elif not wanted.fits(device.model):
            yield f"devices: {device.device_id} is a {device.model}, which firmware {wanted.firmware_id} does not fit"


def sound_problems(plan: DialPlan, users: Sequence[User], blobs: Sequence[Blob]) -> Iterable[str]:
    """Sound files that are in no manifest."""
    digests = {blob.digest for blob in blobs}
    for digest, who in sounds_of(plan, users):
        if digest not in digests:
            yield f"dial_plan: {who} names blob {digest}, which is not in the snapshot"


def site_problems(site_id: str, others: Sequence[OtherSite], plan: DialPlan) -> Iterable[str]:
    """Other sites that cannot be told apart."""
    names = Counter(one.certificate_name for one in others)
    yield from (f"other_sites: certificate name {name} is used twice" for name, count in names.items() if count > 1)
    ids = Counter(edge.edge_id for one in others for edge in one.edges)
    ids.update(gateway.gateway_id for gateway in (*plan.gateways, *plan.trunks))
    edges = {edge.edge_id for one in others for edge in one.edges}
    yield from (f"other_sites: the id {one} of an edge is used twice" for one in sorted(edges) if ids[one] > 1)
    if any(one.site_id == site_id for one in others):
        yield f"other_sites: {site_id} is this site itself"


def name_problems(
    users: Sequence[User], lines: Sequence[Line], devices: Sequence[Device], plan: DialPlan
) -> Iterable[str]:
    """Names and places that are taken twice."""
    who: dict[str, list[str]] = {}
    for user in users:
        for name in {user.username, *user.aliases, *((user.extension,) if user.extension else ())}:
            who.setdefault(name, []).append(f"user {user.username}")
    for group in plan.hunt_groups:
        for name in {group.extension, *group.aliases}:
            who.setdefault(name, []).append(f"hunt group {group.name}")
    for service in plan.voice_services:
        for name in set(service.names):
            who.setdefault(name, []).append(f"{service.kind} {service.name}")
    enabled = [rule for rule in plan.rules if rule.enabled]
    voicemail = [rule for rule in enabled if isinstance(rule, VoicemailRule)]
    names = frozenset(who)
    for rule in enabled:
        if isinstance(rule, ServiceRule | FeatureRule | VoicemailRule) and rule.code:
            who.setdefault(rule.code, []).append(f"rule {rule.name}")
    yield from _code_problems(enabled, voicemail, names, frozenset(who))
    yield from conference_problems(plan.voice_services, users, who)
    yield from multicast_problems(plan.voice_services)
    for name, several in who.items():
        if len(several) > 1:
            by = ", ".join(several[:_SHOWN]) + (f" and {len(several) - _SHOWN} more" if len(several) > _SHOWN else "")
            yield f"dialled: {name!r} is used more than once: by {by}"
    places = Counter((line.device_id, line.position) for line in lines if line.device_id)
    yield from (f"lines: position {p} of device {d} is used twice" for (d, p), count in places.items() if count > 1)
    logins = Counter(line.auth_username for line in lines)
    yield from (f"lines: auth_username {name!r} is used twice" for name, count in logins.items() if count > 1)
    macs = Counter(device.mac for device in devices)
    yield from (f"devices: MAC {mac} is used twice" for mac, count in macs.items() if count > 1)
    for what, ids in (
        ("rule", [rule.rule_id for rule in plan.rules]),
        ("gateway", [gateway.gateway_id for gateway in (*plan.gateways, *plan.trunks)]),
        ("schedule", [schedule.schedule_id for schedule in plan.schedules]),
        ("hunt group", [group.group_id for group in plan.hunt_groups]),
        ("voice service", [service.service_id for service in plan.voice_services]),
        ("location", [location.location_id for location in plan.locations]),
        ("number", [number.number for number in plan.numbers]),
        ("pickup group", [group.group_id for group in plan.pickup_groups]),
        ("speed dial", [one.slot for one in plan.speed_dials]),
    ):
        yield from (f"dial_plan: {what} {one} stands there twice" for one, count in Counter(ids).items() if count > 1)


def _trunk_problems(plan: DialPlan) -> Iterable[str]:
    """Trunks that share connections have to agree on who may sign the certificate of whom they lead to."""
    first: dict[str, Trunk] = {}
    for trunk in (one for one in plan.trunks if one.may_be_encrypted):
        host = trunk.outbound_proxy or trunk.host
        other = first.setdefault(host, trunk)
        if other.certificate_authorities.split() != trunk.certificate_authorities.split():
            yield f"dial_plan: trunks {other.gateway_id} and {trunk.gateway_id} lead to {host} by other authorities"


def _code_problems(
    enabled: Sequence[Rule], voicemail: Sequence[VoicemailRule], names: frozenset[str], dialled: frozenset[str]
) -> Iterable[str]:
    """Codes behind which more is dialled, and what begins like them.

    Args:
        enabled: rules that count.
        voicemail: those of them.
        names: of users, hunt groups and voice services.
        dialled: those, and the codes.
    """
    starred = sorted(one for one in dialled if one[0] in "*#")
    for rule in enabled:
        if isinstance(rule, FeatureRule):
            for other in starred:
                if other != rule.code and other.startswith(rule.code):
                    yield f"dial_plan: {other} cannot be dialled: it begins with the feature code {rule.code}"
    for prefix in dict.fromkeys(rule.prefix for rule in voicemail if rule.prefix):
        for other in sorted(dialled):
            behind = other.removeprefix(prefix)
            if other.startswith(prefix) and (not behind or behind in names):
                yield f"dial_plan: {other} cannot be dialled: it begins with the voicemail prefix {prefix}"
        for rule in enabled:
            if isinstance(rule, FeatureRule) and prefix.startswith(rule.code):
                yield f"dial_plan: {prefix} cannot be dialled: it begins with the feature code {rule.code}"
