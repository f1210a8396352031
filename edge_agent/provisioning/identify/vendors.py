"""How phones of vendors without a plug-in are recognised, so that the portal can say what an unknown phone seems to be.

Patterns are matched without regard to case. From the vendors' administration guides; firmware differs, so that a
pattern keeps to what has been stable.
"""

import re
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Vendor:
    """What gives one vendor's phones away."""

    name: str
    ouis: frozenset[str]
    user_agents: tuple[re.Pattern[str], ...]
    file_names: tuple[re.Pattern[str], ...]


_MAC = r"(?P<mac>[0-9a-f]{12})"
_ANY_MAC = r"(?P<mac>[0-9a-f]{2}(?:[:-]?[0-9a-f]{2}){5})"


def _vendor(name: str, ouis: str = "", user_agents: tuple[str, ...] = (), file_names: tuple[str, ...] = ()) -> Vendor:
    return Vendor(
        name,
        frozenset(ouis.split()),
        tuple(re.compile(text, re.IGNORECASE) for text in user_agents),
        tuple(re.compile(text, re.IGNORECASE) for text in file_names),
    )


KNOWN_VENDORS: Final = (
    _vendor(
        "polycom",
        "0004f2 64167f 482567",
        (r"Poly(?:com)?(?P<model>[A-Z]+[-_][\w]+)-UA/(?P<firmware>[\d.]+)",),
        (rf"{_MAC}-(?:phone|web|app|boot|license|directory)\.\w+$", r"0{12}\.cfg$"),
    ),
    _vendor(
        "snom",
        "000413",
        (
            rf"compatible; snom(?P<model>\w+)-SIP (?P<firmware>[\d.]+).*?\b{_MAC}\b",
            rf"compatible; snom (?P<model>M\d+) (?P<firmware>[\d.]+) {_MAC}",
            r"compatible; snom(?P<model>\w+)-SIP (?P<firmware>[\d.]+)",
        ),
        (rf"snom\w+-{_MAC}\.(?:htm|xml)$", r"snom\w+\.htm$"),
    ),
    _vendor(
        "grandstream",
        "000b82 c074ad ec74d7",
        (rf"Grandstream Model HW (?P<model>\S+) SW (?P<firmware>\S+) DevId {_MAC}",),
        (rf"cfg{_MAC}$",),
    ),
    _vendor(
        "cisco",
        "",
        (
            rf"Cisco-CP-(?P<model>[\w-]+)/(?P<firmware>[\w.-]+) \({_MAC}\)",
            rf"Cisco/(?P<model>SPA\w+)-(?P<firmware>\S+) \({_MAC}\)",
            rf"Linksys/(?P<model>[\w-]+?)-(?P<firmware>\d\S*) \({_MAC}\)",
        ),
        (rf"(?:SEP|ATA){_MAC}\.cnf\.xml$", rf"(?:CTLSEP|ITLSEP){_MAC}\.tlv$", rf"SIP{_MAC}\.cnf$", rf"spa{_MAC}\.\w+$"),
    ),
    _vendor(
        "mitel",
        "00085d",
        (rf"(?:Aastra|Mitel)(?P<model>\w+) MAC:{_ANY_MAC} V:(?P<firmware>\S+)",),
        (rf"MN_{_MAC}\.cfg$", rf"{_MAC}\.tuz$", r"(?:aastra|startup)\.cfg$"),
    ),
    _vendor("fanvil", "00a859 0c383e", (rf"Fanvil (?P<model>\S+) (?P<firmware>[\d.]+) {_MAC}",)),
    _vendor("htek", "001fc1", (rf"Htek (?P<model>\S+) (?P<firmware>\S+) {_ANY_MAC}",)),
    _vendor(
        "panasonic",
        "0080f0",
        (rf"Panasonic_(?P<model>[\w-]+)/(?P<firmware>\S+) \({_MAC}\)",),
        (rf"Config{_MAC}\.cfg$", r"KX-\w+\.cfg$"),
    ),
    _vendor(
        "gigaset",
        "7c2f80 002104 589ec6",
        (rf"Gigaset (?P<model>[^/;]+)/(?P<firmware>[^;]+);{_MAC}", r"Gigaset (?P<model>[^/;]+)/(?P<firmware>[^;]+)"),
    ),
    _vendor("audiocodes", "00908f", (rf"AUDC-IPPhone/(?P<firmware>\S+) \((?P<model>[\w-]+); {_MAC}\)",)),
    _vendor("avaya", "", (rf"AVAYA/(?P<model>\w+)-(?P<firmware>\S+) \(MAC:{_MAC}\)",), (r"J100Supgrade\.txt$",)),
    _vendor("ale", "", (rf"ALE (?P<model>\S+) (?P<firmware>\S+) {_MAC}",), (rf"config\.{_MAC}\.xml$",)),
    _vendor("flyingvoice", "0021f2", (rf"Flyingvoice (?P<model>\S+) V?(?P<firmware>\S+) {_ANY_MAC}",)),
    _vendor("algo", "", (), (rf"algom?{_MAC}\.conf$",)),
    _vendor("patton", "", (r"SmartNode \(Model:(?P<model>[^;]+);.*?Software Version:(?P<firmware>[^);]+)",)),
)
