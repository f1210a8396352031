"""Whose lamps are on a user's phones, by the keys of his devices."""

from contract.dialplan import compile_plan
from contract.snapshot import (
    Device,
    DeviceGroup,
    DeviceLevels,
    Line,
    SettingValue,
    Site,
    Snapshot,
    User,
)
from edge_agent.lamp_lists import lamp_lists


def lists(
    *devices: dict[str, SettingValue], levels: DeviceLevels | None = None, groups: tuple[str, ...] = ()
) -> dict[str, tuple[str, ...]]:
    """Users 200 to 203; 200 has these devices, 203 the first of them as well."""
    snapshot = Snapshot(
        version=1,
        site=Site(site_id="site-1", tenant_id="tenant-1", name="Office", domain="demo.tandem.test", realm="realm-1"),
        users=tuple(
            User(user_id=f"user-{name}", username=f"u{name}", extension=name, display_name=name)
            for name in ("200", "201", "202", "203")
        ),
        devices=tuple(
            Device(
                device_id=f"device-{number}",
                mac=f"00041300000{number}",
                model="snom/d717",
                settings=settings,
                groups=groups,
            )
            for number, settings in enumerate(devices)
        ),
        lines=(
            *(
                Line(
                    line_id=f"line-{number}",
                    user_id="user-200",
                    device_id=f"device-{number}",
                    auth_username=f"auth{number}",
                    password=f"s-{number}:1",
                )
                for number in range(len(devices))
            ),
            Line(
                line_id="line-9",
                user_id="user-203",
                device_id="device-0",
                position=2,
                auth_username="auth9",
                password="s-9:1",
            ),
        ),
        device_levels=levels or DeviceLevels(),
    )
    return lamp_lists(snapshot, compile_plan(snapshot))


def key(number: int, value: str, kind: str = "blf") -> dict[str, SettingValue]:
    return {f"line_key/{number}/type": kind, f"line_key/{number}/value": value}


def test_the_lamps_of_a_phone_are_the_list_of_each_of_its_users_in_the_order_of_the_keys() -> None:
    found = lists({**key(10, "201"), **key(2, "202")})
    assert found == {"user-200": ("user-202", "user-201"), "user-203": ("user-202", "user-201")}


def test_keys_that_are_no_lamps_and_lamps_of_nobody_are_left_out() -> None:
    found = lists({**key(1, "201", "speed_dial"), **key(2, "*85"), **key(3, "202"), "line_key/4/value": "203"})
    assert found["user-200"] == ("user-202",)


def test_extensions_user_names_and_addresses_name_the_same_user_once() -> None:
    assert lists({**key(1, "201"), **key(2, "u201"), **key(3, "201@demo.tandem.test")})["user-200"] == ("user-201",)


def test_lamps_that_have_no_type_count() -> None:
    assert lists({"busy_lamp/1/number": "201", "busy_lamp/2/number": ""})["user-200"] == ("user-201",)


def test_a_user_with_two_phones_has_the_lamps_of_both() -> None:
    assert lists(key(1, "201"), key(1, "202"))["user-200"] == ("user-201", "user-202")


def test_what_is_said_to_many_devices_counts_and_the_stronger_goes_before() -> None:
    levels = DeviceLevels(
        tenant={"*": {**key(1, "203"), **key(3, "201")}, "snom/d717": key(4, "200"), "yealink": key(5, "200")},
        site={"*": key(4, "203"), "snom": key(1, "202"), "snom/d717": key(4, "203")},
        groups=(DeviceGroup(group_id="group-1", name="Reception", weight=1, settings={"snom": key(2, "203")}),),
    )
    assert lists({}, levels=levels)["user-200"] == ("user-202", "user-201", "user-203")
    in_group = lists({"line_key/3/type": "none"}, levels=levels, groups=("group-1",))
    assert in_group["user-200"] == ("user-202", "user-203")  # 203 by key 2, and by key 4 again


def test_users_whose_phones_have_no_lamps_have_no_list() -> None:
    assert lists({}) == {}
