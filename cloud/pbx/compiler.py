"""Rows of one site → the snapshot that its edge runs on. The same rows give the same snapshot."""

import json
from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from cloud.models import (
    Device,
    DeviceGroup,
    DeviceGroupMember,
    DevicePlugin,
    DialPlan,
    Line,
    PhonebookEntry,
    Site,
    Tenant,
    User,
)
from cloud.pbx.default_dial_plan import default_dial_plan
from cloud.pbx.device_models import ANNOUNCED
from cloud.pbx.errors import NotFound
from cloud.pbx.firmware_targets import Target, in_snapshot, targets_of
from cloud.pbx.other_sites import other_sites
from cloud.pbx.secrets import SecretVersion
from cloud.pbx.site_policies import in_force
from cloud.pbx.sound_blobs import with_sounds
from cloud.pbx.telephone_numbers import with_writings
from cloud.pbx.trunk_secrets import with_passwords
from contract import snapshot as contract


def compile_site(
    session: Session, site_id: UUID, version: int, dial_plan: contract.DialPlan | None = None
) -> contract.Snapshot:
    """The site's configuration as it is saved now.

    The transaction must see one state of the database throughout (REPEATABLE READ).

    Args:
        version: what the snapshot is to be called.
        dial_plan: in the place of the one that is saved.

    Raises:
        NotFound: there is no such site in this scope.
        pydantic.ValidationError: the rows contradict each other; what saves them is to prevent that.
    """
    site = session.get(Site, site_id)
    if site is None:
        raise NotFound
    tenant = session.get_one(Tenant, site.tenant_id)
    users = session.execute(select(User).where(User.site_id == site_id)).scalars()
    lines = session.execute(select(Line).where(Line.site_id == site_id)).scalars()
    devices = session.execute(select(Device).where(Device.site_id == site_id)).scalars()
    members = _members(session, site_id)
    others = other_sites(session, site)
    # A phone whose model is still to be seen has no file; until then it is an unknown one to the edge.
    known = {device.id: device for device in devices if device.model != ANNOUNCED}
    targets = targets_of(session, site.tenant_id, list(known.values()), members)
    firmware, blobs = in_snapshot(session, site.tenant_id, targets.values())
    plan = with_writings(dial_plan or dial_plan_of(session, site_id), country_of(site))
    shown = tuple(sorted(map(_user, users), key=lambda user: user.user_id))
    return contract.Snapshot(
        version=version,
        site=_site(site, tenant, tenant.sip_authority if others else None),
        other_sites=others,
        users=shown,
        lines=tuple(sorted((_line(line, known) for line in lines), key=lambda line: line.line_id)),
        devices=tuple(
            sorted(
                (_device(one, members.get(one.id, ()), targets.get(one.id)) for one in known.values()),
                key=lambda device: device.device_id,
            )
        ),
        device_plugins=_device_plugins(session, site.tenant_id),
        phonebook=_phonebook(session, site_id),
        device_levels=_device_levels(session, site, tenant, members),
        dial_plan=plan,
        firmware=firmware,
        blobs=with_sounds(session, site.tenant_id, plan, shown, blobs),
    )


def country_of(site: Site) -> str | None:
    """Where a site is, as its SIP policy says (ISO 3166-1); None: it does not."""
    return in_force(contract.SipPolicy, site.sip).country


def _site(site: Site, tenant: Tenant, authority: str | None) -> contract.Site:
    return contract.Site.model_validate(
        {
            "site_id": str(site.id),
            "tenant_id": str(tenant.id),
            "name": site.name,
            "domain": tenant.domain,
            "former_domains": tuple(tenant.former_domains),
            "realm": tenant.realm,
            "digest_algorithms": tuple(site.digest_algorithms),
            "time_zone": site.time_zone,
            "provisioning": in_force(contract.ProvisioningPolicy, site.provisioning),
            "sip": in_force(contract.SipPolicy, site.sip),
            "voicemail": in_force(contract.VoicemailPolicy, site.voicemail),
            "recording": in_force(contract.RecordingPolicy, site.recording),
            "sip_certificate": _sip_certificate(site),
            "authority": authority,
        }
    )


def _sip_certificate(site: Site) -> contract.SipCertificate | None:
    if site.sip_certificate is None or site.sip_key_id is None or site.sip_key_version is None:
        return None
    key = SecretVersion(site.sip_key_id, site.sip_key_version)
    return contract.SipCertificate(chain=site.sip_certificate, key=key.ref)


def _user(user: User) -> contract.User:
    return contract.User(
        user_id=str(user.id),
        username=user.username,
        display_name=user.display_name,
        extension=user.extension,
        aliases=tuple(user.aliases),
        permissions=tuple(sorted(user.permissions)),
        enabled=user.enabled,
        caller_id=user.caller_id,
        anonymous=user.anonymous,
        appearances=user.appearances,
        music=contract.OwnMusic.model_validate(user.music) if user.music is not None else None,
    )


def _line(line: Line, devices: Mapping[UUID, Device]) -> contract.Line:
    return contract.Line(
        line_id=str(line.id),
        user_id=str(line.user_id),
        device_id=str(line.device_id) if line.device_id in devices else None,
        position=line.position,
        label=line.label,
        auth_username=line.auth_username,
        password=SecretVersion(line.secret_id, line.secret_version).ref,
    )


def _members(session: Session, site_id: UUID) -> dict[UUID, tuple[UUID, ...]]:
    """The groups of each of the site's devices that is in any."""
    query = (
        select(DeviceGroupMember)
        .join(Device, Device.id == DeviceGroupMember.device_id)
        .where(Device.site_id == site_id)
        .order_by(DeviceGroupMember.group_id)
    )
    found: dict[UUID, tuple[UUID, ...]] = {}
    for member in session.scalars(query):
        found[member.device_id] = (*found.get(member.device_id, ()), member.group_id)
    return found


def _device_plugins(session: Session, tenant_id: UUID) -> tuple[contract.DevicePlugin, ...]:
    rows = session.execute(
        select(DevicePlugin.vendor, DevicePlugin.digest, DevicePlugin.content).where(
            DevicePlugin.tenant_id == tenant_id
        )
    )
    plugins = (contract.DevicePlugin(vendor=row.vendor, digest=row.digest, content=row.content) for row in rows)
    return tuple(sorted(plugins, key=lambda plugin: plugin.vendor))


def _phonebook(session: Session, site_id: UUID) -> tuple[contract.PhonebookEntry, ...]:
    rows = session.scalars(select(PhonebookEntry).where(PhonebookEntry.site_id == site_id))
    entries = (contract.PhonebookEntry(entry_id=str(row.id), name=row.name, numbers=tuple(row.numbers)) for row in rows)
    return tuple(sorted(entries, key=lambda entry: entry.entry_id))


def _device_levels(
    session: Session, site: Site, tenant: Tenant, members: Mapping[UUID, tuple[UUID, ...]]
) -> contract.DeviceLevels:
    ids = {group_id for groups in members.values() for group_id in groups}
    rows = session.scalars(select(DeviceGroup).where(DeviceGroup.id.in_(ids))) if ids else ()
    groups = (
        contract.DeviceGroup(group_id=str(row.id), name=row.name, weight=row.weight, settings=row.settings)
        for row in rows
    )
    return contract.DeviceLevels(
        tenant=tenant.device_settings,
        site=site.device_settings,
        groups=tuple(sorted(groups, key=lambda group: group.group_id)),
    )


def _device(device: Device, groups: tuple[UUID, ...], target: Target | None) -> contract.Device:
    password = None
    if device.admin_secret_id is not None and device.admin_secret_version is not None:
        password = SecretVersion(device.admin_secret_id, device.admin_secret_version).ref
    return contract.Device(
        device_id=str(device.id),
        mac=device.mac,
        model=device.model,
        name=device.name,
        settings=device.settings,
        groups=tuple(map(str, groups)),
        admin_password=password,
        emergency_location_id=device.emergency_location_id,
        firmware=None
        if target is None
        else contract.DeviceFirmware(firmware_id=str(target.firmware.id), not_before=target.starts_at),
    )


def dial_plan_of(session: Session, site_id: UUID) -> contract.DialPlan:
    """The dial plan that is saved for a site, or the default; members of groups who are gone are left out."""
    row = session.get(DialPlan, site_id)
    if row is None:
        return default_dial_plan(site_id)
    plan = with_passwords(session, site_id, contract.DialPlan.model_validate_json(json.dumps(row.document)))
    there = {str(user_id) for user_id in session.scalars(select(User.id).where(User.site_id == site_id))}
    groups = tuple(
        group.model_copy(update={"members": tuple(one for one in group.members if one in there)})
        for group in plan.hunt_groups
    )
    pickup_groups = tuple(
        group.model_copy(update={"members": tuple(one for one in group.members if one in there)})
        for group in plan.pickup_groups
    )
    services = tuple(_with_those(there, one) for one in plan.voice_services)
    return plan.model_copy(update={"hunt_groups": groups, "pickup_groups": pickup_groups, "voice_services": services})


def _with_those(there: Collection[str], service: contract.VoiceService) -> contract.VoiceService:
    """A voice service without the users who are gone."""
    if isinstance(service, contract.Conference) and service.owner not in {None, *there}:
        return service.model_copy(update={"owner": None})
    if isinstance(service, contract.Paging):
        return service.model_copy(update={"members": tuple(one for one in service.members if one in there)})
    if isinstance(service, contract.CallQueue):
        agents = tuple(one for one in service.agents if one.user_id in there)
        supervisors = tuple(one for one in service.supervisors if one in there)
        return service.model_copy(update={"agents": agents, "supervisors": supervisors})
    if isinstance(service, contract.GroupMailbox | contract.Fax):
        return service.model_copy(update={"owners": tuple(one for one in service.owners if one in there)})
    return service
