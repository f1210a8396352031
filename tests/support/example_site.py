"""Snapshots for tests: a small site by hand, and any site by Hypothesis."""

from datetime import UTC, datetime
from typing import Any

from hypothesis import strategies as st

from contract.snapshot import (
    Blob,
    Colleague,
    Device,
    DeviceFirmware,
    DialPlan,
    EdgeAddress,
    Firmware,
    FirmwareFile,
    InternalRule,
    Line,
    OtherSite,
    ServiceRule,
    Site,
    SiteToSiteRule,
    Snapshot,
    User,
)

NOON = datetime(2026, 6, 1, 12, 0, tzinfo=UTC)

SITE = Site(site_id="site-1", tenant_id="tenant-1", name="Main", domain="demo.tandem.test", realm="r3alm")
RECEPTION = User(
    user_id="user-200",
    username="200",
    display_name="Reception",
    extension="200",
    aliases=("front",),
    permissions=("EchoTest",),
)
WORKSHOP = User(user_id="user-201", username="workshop", display_name="Workshop", extension="201")
INTERNAL = InternalRule(rule_id="rule-internal")
ECHO = ServiceRule(rule_id="rule-echo", name="Echo test", code="*99", service="echo_test")


def other_site(number: int) -> OtherSite:
    """Another site of the tenant, with one edge and one user, whose extension begins with 4."""
    return OtherSite(
        site_id=f"other-{number}",
        name=f"Other {number}",
        certificate_name=f"other-{number}.tenant-1.tandem-sites.invalid",
        edges=(EdgeAddress(edge_id=f"edge-{number}", host=f"192.0.2.{number + 1}"),),
        colleagues=(Colleague(name=f"Colleague {number}", dialled=(f"40{number}",), number=f"+4144111220{number}"),),
    )


def with_other_site() -> dict[str, Any]:
    """What `small_site` has when there is another site, and a rule that leads there."""
    return {
        "site": SITE.model_copy(update={"authority": "-----BEGIN CERTIFICATE-----"}),
        "other_sites": (other_site(0),),
        "dial_plan": DialPlan(rules=(INTERNAL, ECHO, SiteToSiteRule(rule_id="rule-sites"))),
    }


def small_site(**changes: Any) -> Snapshot:
    """Two users with a line each, one device, the two rules of the default dial plan."""
    content: dict[str, Any] = {
        "version": 1,
        "site": SITE,
        "users": (RECEPTION, WORKSHOP),
        "lines": (
            Line(
                line_id="line-1", user_id="user-200", device_id="device-1", auth_username="200", password="secret-1:1"
            ),
            Line(line_id="line-2", user_id="user-201", auth_username="201", password="secret-2:1"),
        ),
        "devices": (Device(device_id="device-1", mac="805ec0000001", model="yealink/t54w"),),
        "dial_plan": DialPlan(rules=(INTERNAL, ECHO)),
    }
    return Snapshot(**{**content, **changes})


@st.composite
def snapshots(draw: st.DrawFn) -> Snapshot:
    """Any valid snapshot of at most a few users, lines and devices, drawn from a small world so that two overlap."""
    numbers = sorted(draw(st.sets(st.integers(0, 7), max_size=6)))
    text = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8)
    users = tuple(
        User(
            user_id=f"u{number}",
            username=f"20{number}",
            display_name=draw(text),
            extension=draw(st.sampled_from([None, f"30{number}"])),
            aliases=draw(st.sampled_from([(), (f"a{number}",), (f"a{number}", f"b{number}")])),
            permissions=draw(st.sampled_from([(), ("Voicemail",)])),
            enabled=draw(st.booleans()),
        )
        for number in numbers
    )
    images = sorted(draw(st.sets(st.integers(0, 3), max_size=3)))
    firmware = tuple(
        Firmware(
            firmware_id=f"f{number}",
            vendor="yealink",
            models=("t54w",),
            version=f"96.86.0.{number}",
            files=(FirmwareFile(name="t54w.rom", digest=f"{number:064x}"),),
        )
        for number in images
    )
    wanted = (
        st.none()
        | st.builds(DeviceFirmware, firmware_id=st.sampled_from(firmware).map(_id_of), not_before=st.just(NOON))
        if firmware
        else st.none()
    )
    macs = sorted(draw(st.sets(st.integers(0, 5), max_size=4)))
    devices = tuple(
        Device(
            device_id=f"d{number}",
            mac=f"{number:012x}",
            model=(model := draw(st.sampled_from(["yealink/t54w", "generic/sip"]))),
            firmware=draw(wanted) if model == "yealink/t54w" else None,
            settings=draw(
                st.dictionaries(st.sampled_from(["time/ntp", "lcd/light"]), text | st.integers(0, 9) | st.booleans())
            ),
        )
        for number in macs
    )
    lines = tuple(
        Line(
            line_id=f"l{place}",
            user_id=draw(st.sampled_from(users)).user_id,
            device_id=device.device_id,
            auth_username=f"login{place}",
            password=f"s{place}:{draw(st.integers(1, 3))}",
        )
        for place, device in enumerate(devices)
        if users
    )
    rules = draw(st.sampled_from([(), (INTERNAL,), (INTERNAL, ECHO), (ECHO, INTERNAL)]))
    site = SITE.model_copy(update={"name": draw(text), "time_zone": draw(st.sampled_from(["UTC", "Europe/Zurich"]))})
    return Snapshot(
        version=draw(st.integers(1, 1000)),
        site=site,
        users=users,
        lines=lines,
        devices=devices,
        firmware=firmware,
        blobs=tuple(Blob(digest=f"{number:064x}", size_bytes=1 + draw(st.integers(0, 9))) for number in images),
        other_sites=tuple(other_site(number) for number in sorted(draw(st.sets(st.integers(0, 3), max_size=2)))),
        dial_plan=DialPlan(rules=rules),
    )


def _id_of(firmware: Firmware) -> str:
    return firmware.firmware_id
