"""The files that phones get, as they were last reviewed; `python -m tests.golden.devices` writes them anew."""

from pathlib import Path

from contract.devices import load_catalogue
from edge_agent.provisioning.render import Renderer
from tests.support.site_phones import account, generic, phone, site, yealink

FOLDER = Path(__file__).parent

SPECIMENS = {
    "yealink_t41u_one_line": yealink("t41u", "805ec0000001"),
    "yealink_t46s_two_lines": yealink(
        "t46s", "805ec0000002", accounts=(account(1), account(3, "201", "Workshop", "another-password"))
    ),
    "yealink_t43u_settings": yealink(
        "t43u",
        "805ec0000003",
        settings={
            "sip/transport": "tcp",
            "calls/voicemail_number": "*98",
            "codes/pickup": "*78",
            "time/time_format": "12",
            "screen/language": "German",
            "network/vlan": True,
            "network/vlan_id": 42,
            "line_key/1/type": "none",
            "line_key/2/type": "line",
            "line_key/3/type": "blf",
            "line_key/3/value": "201",
            "line_key/3/label": "Workshop",
            "calls/record_key": True,
        },
    ),
    "yealink_t54w_no_line": yealink("t54w", "805ec0000004", accounts=()),
    "yealink_t57w_one_line": yealink("t57w", "805ec0000006"),
    "generic_sip": generic("020000000005"),
    "snom_d717_settings": phone(
        "snom/d717",
        "000413000001",
        settings={
            "calls/voicemail_number": "*98",
            "network/vlan": True,
            "line_key/2/type": "blf",
            "line_key/2/value": "201",
            "line_key/2/label": "Workshop",
            "line_key/3/type": "none",
            "calls/record_key": True,
        },
    ),
    "grandstream_gxp2140_two_lines": phone(
        "grandstream/gxp2140",
        "000b82000001",
        settings={"calls/voicemail_number": "*98", "sip/transport": "tcp"},
        accounts=(account(1), account(3, "201", "Workshop", "another-password")),
    ),
    "grandstream_ht802_one_line": phone("grandstream/ht802", "000b82000002"),
    "grandstream_ht814_one_line": phone("grandstream/ht814", "000b82000003"),
    "polycom_vvx250_settings": phone(
        "polycom/vvx250",
        "0004f2000001",
        settings={
            "calls/voicemail_number": "*98",
            "network/vlan": True,
            "busy_lamp/1/number": "201",
            "busy_lamp/1/label": "Workshop",
        },
    ),
    "polycom_edge_e100_no_line": phone("polycom/edge_e100", "482567000001", accounts=()),
    "fanvil_x3u_one_line": phone("fanvil/x3u", "0c383e000001", settings={"calls/voicemail_number": "*98"}),
    "cisco_spa504g_settings": phone(
        "cisco/spa504g",
        "0002fd000001",
        settings={
            "calls/voicemail_number": "*98",
            "line_key/2/type": "blf",
            "line_key/2/value": "201",
            "line_key/2/label": "Workshop",
            "line_key/3/type": "speed_dial",
            "line_key/3/value": "0301234",
        },
    ),
    "cisco_cp8841_two_lines": phone(
        "cisco/cp8841", "00562b000001", accounts=(account(1), account(3, "201", "Workshop", "another-password"))
    ),
    "htek_uc903_one_line": phone("htek/uc903", "001fc1000001", settings={"calls/voicemail_number": "*98"}),
    "mitel_6863i_settings": phone(
        "mitel/6863i", "00085d000001", settings={"calls/voicemail_number": "*98", "network/vlan": True}
    ),
    "mitel_6731i_two_lines": phone(
        "mitel/6731i", "00085d000002", accounts=(account(1), account(3, "201", "Workshop", "another-password"))
    ),
    "gigaset_n870_two_lines": phone(
        "gigaset/n870",
        "7c2f80000001",
        settings={"calls/voicemail_number": "*98"},
        accounts=(account(1), account(3, "201", "Workshop", "another-password")),
    ),
    "algo_8301_one_line": phone("algo/8301", "0022ee000001"),
    "audiocodes_405hd_one_line": phone("audiocodes/405hd", "00908f000001", settings={"calls/voicemail_number": "*98"}),
    "panasonic_kx_hdv130_one_line": phone(
        "panasonic/kx_hdv130", "0080f0000001", settings={"calls/voicemail_number": "*98", "network/vlan": True}
    ),
    "avaya_j179_one_line": phone("avaya/j179", "c81fea000001", settings={"calls/voicemail_number": "*98"}),
    "yealink_t23g_one_line": yealink("t23g", "001565000007"),
    "yealink_w70b_two_handsets": yealink(
        "w70b", "001565000008", accounts=(account(1), account(3, "201", "Workshop", "another-password"))
    ),
    "yealink_cp960_one_line": yealink("cp960", "001565000009"),
    "yealink_t88w_one_line": yealink("t88w", "00156500000a", settings={"sip/backup_host": "192.0.2.11"}),
    "snom_m900_two_handsets": phone(
        "snom/m900", "000413000002", accounts=(account(1), account(3, "201", "Workshop", "another-password"))
    ),
    "polycom_spip650_one_line": phone("polycom/spip650", "0004f2000002"),
    "polycom_trio8800_one_line": phone("polycom/trio8800", "64167f000001"),
    "grandstream_gxw4216_two_ports": phone(
        "grandstream/gxw4216",
        "000b82000004",
        accounts=(account(1), account(16, "201", "Workshop", "another-password")),
    ),
    "cisco_cp7965_settings": phone(
        "cisco/cp7965",
        "00562b000002",
        settings={
            "calls/voicemail_number": "*98",
            "sip/backup_host": "192.0.2.11",
            "line_key/2/type": "blf",
            "line_key/2/value": "201",
            "line_key/2/label": "Workshop",
        },
    ),
    "audiocodes_mp118_two_ports": phone(
        "audiocodes/mp118", "00908f000002", accounts=(account(1), account(3, "201", "Workshop", "another-password"))
    ),
    "audiocodes_mediant_500l_two_ports": phone(
        "audiocodes/mediant_500l",
        "00908f000003",
        settings={"sip/backup_host": "192.0.2.11"},
        accounts=(account(1), account(3, "201", "Workshop", "another-password")),
    ),
    "patton_sn4112_one_line": phone("patton/sn4112", "00a0ba000001"),
}
"""Golden folder → the device whose files are in it."""


def rendered() -> dict[str, bytes]:
    """Path inside this folder → what the code gives now."""
    renderer = Renderer(load_catalogue())
    found: dict[str, bytes] = {}
    for folder, device in SPECIMENS.items():
        library = renderer.render(site(device))
        for name in library.names:
            file = library.find(name)
            assert file is not None
            found[f"{folder}/{name}"] = file.body
    return found


def reviewed() -> dict[str, bytes]:
    """Path inside this folder → what is checked in."""
    return {
        path.relative_to(FOLDER).as_posix(): path.read_bytes()
        for folder in SPECIMENS
        for path in sorted((FOLDER / folder).glob("*"))
    }
