"""Small snapshots for tests of the edge."""

from collections.abc import Iterable, Sequence
from typing import Final
from uuid import UUID

from cloud.pbx.default_dial_plan import default_dial_plan
from contract.snapshot import (
    Device,
    DialPlan,
    InternalRule,
    Line,
    ServiceRule,
    Site,
    Snapshot,
    User,
    VoicemailPolicy,
    VoiceService,
)


def small_snapshot(version: int = 1, domain: str = "demo.tandem.test") -> Snapshot:
    """Two users with a line each: 200 on a Yealink phone, 201 on a generic one; *99 is the echo test."""
    return Snapshot(
        version=version,
        site=Site(site_id="site-1", tenant_id="tenant-1", name="Head office", domain=domain, realm="realm-1"),
        users=(
            User(user_id="user-1", username="200", display_name="Reception", extension="200"),
            User(user_id="user-2", username="201", display_name="Workshop", extension="201"),
        ),
        lines=(
            Line(line_id="line-1", user_id="user-1", device_id="device-1", auth_username="auth200", password="s-1:1"),
            Line(line_id="line-2", user_id="user-2", device_id="device-2", auth_username="auth201", password="s-2:1"),
        ),
        devices=(
            Device(device_id="device-1", mac="001565000001", model="yealink/t54w", admin_password="s-3:1"),
            Device(device_id="device-2", mac="02000a000002", model="generic/sip"),
        ),
        dial_plan=DialPlan(
            rules=(
                InternalRule(rule_id="rule-1"),
                ServiceRule(rule_id="rule-2", name="Echo test", code="*99", service="echo_test"),
            )
        ),
    )


OFFICE_ID: Final = "6f2c1f6e-54a5-4d6c-9a35-0c53a4a2f7a1"


def voice_office(
    numbers: Iterable[str],
    services: Sequence[VoiceService] = (),
    voicemail: VoicemailPolicy | None = None,
    permissions: tuple[str, ...] = ("Voicemail",),
) -> Snapshot:
    """A site with the dial plan that every site begins with.

    Args:
        numbers: of its users, `user-<number>`, who have a phone each that `PeerSite` knows.
        services: voice services that it has besides.
        voicemail: None: as every site begins.
        permissions: of each user; with "Voicemail" they have mailboxes.
    """
    numbers = tuple(numbers)
    return Snapshot(
        version=1,
        site=Site(
            site_id=OFFICE_ID,
            tenant_id="tenant-1",
            name="Office",
            domain="demo.tandem.test",
            realm="realm-1",
            voicemail=voicemail or VoicemailPolicy(),
        ),
        users=tuple(
            User(user_id=f"user-{n}", username=n, display_name=f"Desk {n}", extension=n, permissions=permissions)
            for n in numbers
        ),
        lines=tuple(
            Line(line_id=f"line-{n}", user_id=f"user-{n}", auth_username=f"auth{n}", password=f"s-{n}:1")
            for n in numbers
        ),
        dial_plan=default_dial_plan(UUID(OFFICE_ID)).model_copy(
            update={"voice_services": tuple(services)} if services else {}
        ),
    )


SMALL_SECRETS = {"s-1:1": "password-of-200", "s-2:1": "password-of-201", "s-3:1": "password-of-the-phone"}
