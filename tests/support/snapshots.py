"""Small snapshots for tests of the edge."""

from contract.snapshot import Device, DialPlan, InternalRule, Line, ServiceRule, Site, Snapshot, User


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


SMALL_SECRETS = {"s-1:1": "password-of-200", "s-2:1": "password-of-201", "s-3:1": "password-of-the-phone"}
