"""Who asks: facts from the name asked for, the MAC address and the User-Agent, each with how certain it is.

Nothing is guessed into a configuration: facts choose no file, they tell the portal what an unknown phone seems to be.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Final, Literal

from contract.devices import Catalogue
from contract.sync.events import Certainty as CertaintyName
from edge_agent.provisioning.identify.vendors import KNOWN_VENDORS, Vendor

MAX_NAME: Final = 256
MAX_USER_AGENT: Final = 255

_MAC_ANYWHERE = re.compile(
    r"(?<![0-9a-f])([0-9a-f]{2}(?:([:-]?)[0-9a-f]{2})(?:\2[0-9a-f]{2}){4})(?![0-9a-f])", re.IGNORECASE
)
_SEPARATORS = re.compile(r"[:-]")
_NO_PHONE: Final = frozenset({"000000000000", "ffffffffffff"})


class Certainty(IntEnum):
    """How far a fact may be trusted; greater is more certain."""

    UNKNOWN = 0
    HINT = 1
    """From the form of the name asked for, which other vendors may use as well."""
    LIKELY = 2
    """From the first half of the MAC address."""
    CLAIMED = 3
    """The phone says so in its User-Agent."""
    ASKED = 4
    """The name that was asked for cannot mean anything else."""
    PROVEN = 5
    """A certificate of the vendor's says so."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing known about who asks; empty when unknown."""

    value: str = ""
    certainty: Certainty = Certainty.UNKNOWN

    def better(self, other: "Fact") -> "Fact":
        """The more certain of two; the first when they are equal."""
        return other if other.certainty > self.certainty else self


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything known about who asks."""

    mac: Fact = Fact()
    """Twelve lower-case hexadecimal digits."""
    vendor: Fact = Fact()
    model: Fact = Fact()
    firmware: Fact = Fact()
    switch_port: Fact = Fact()
    """Where it is plugged in, as a switch or relay said."""

    def certainties(self) -> "dict[FactName, CertaintyName]":
        """How certain each fact is that is known."""
        facts: tuple[tuple[FactName, Fact], ...] = (
            ("mac", self.mac),
            ("vendor", self.vendor),
            ("model", self.model),
            ("firmware", self.firmware),
        )
        return {name: _NAMES[fact.certainty] for name, fact in facts if fact.certainty in _NAMES}


FactName = Literal["mac", "vendor", "model", "firmware"]
_NAMES: Final[Mapping[Certainty, CertaintyName]] = {
    Certainty.HINT: "hint",
    Certainty.LIKELY: "likely",
    Certainty.CLAIMED: "claimed",
    Certainty.ASKED: "asked",
    Certainty.PROVEN: "proven",
}


class Identifier:
    """Tells from a request what kind of phone asks."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._vendors: Sequence[Vendor] = ()
        self.learn(catalogue)

    def learn(self, catalogue: Catalogue) -> None:
        """Know these plug-ins' phones from now on, and no others."""
        plugins = tuple(
            Vendor(plugin.vendor, plugin.ouis, plugin.user_agents, plugin.file_names, plugin.dhcp_vendor_classes)
            for plugin in catalogue.plugins.values()
        )
        described = {vendor.name for vendor in plugins}
        self._vendors = (*plugins, *(each for each in KNOWN_VENDORS if each.name not in described))

    def identify(
        self,
        name: str,
        user_agent: str = "",
        options: Mapping[str, str] | None = None,
        certificate_of: str = "",
        vendor_class: str = "",
    ) -> Facts:
        """What a request tells.

        Args:
            name: the file asked for, in any case, without a leading slash; empty where none is.
            user_agent: as the phone sent it; empty where the protocol has none.
            options: TFTP options by lower-case name.
            certificate_of: the MAC address in a certificate that was checked; empty without one.
            vendor_class: DHCP option 60; empty without one.
        """
        facts = self._from_name(name[:MAX_NAME])
        facts = self._from_user_agent(user_agent[:MAX_USER_AGENT], facts)
        facts = self._from_options(options or {}, facts)
        facts = self._from_vendor_class(vendor_class[:MAX_USER_AGENT], facts)
        if certificate_of:
            facts = replace(facts, mac=facts.mac.better(Fact(certificate_of, Certainty.PROVEN)))
        return self.with_vendor(facts)

    def subscribed(self, mac: str, vendor: str, model: str, firmware: str) -> Facts:
        """What a phone says of itself by plug and play, in its own words."""
        words = f"{vendor} {model}".strip().lower()
        known = next((each.name for each in self._vendors if each.name in words or words.startswith(each.name[:4])), "")
        bare = re.sub(rf"^{re.escape(vendor)}[\s_-]*", "", model, flags=re.IGNORECASE) if vendor else model
        facts = Facts(
            mac=Fact(mac, Certainty.CLAIMED) if mac else Fact(),
            vendor=_claimed(known or vendor.strip().lower()),
            model=_claimed(bare.strip()),
            firmware=_claimed(firmware.strip()),
        )
        return self.with_vendor(facts)

    def by_dhcp(self, mac: str, vendor_class: str) -> Facts:
        """What a phone's DHCP message tells."""
        facts = self.identify("", vendor_class=vendor_class)
        return self.with_vendor(replace(facts, mac=Fact(mac, Certainty.CLAIMED)))

    def with_vendor(self, facts: Facts) -> Facts:
        """The vendor by the first half of the MAC address, where nothing better is known."""
        oui = facts.mac.value[:6]
        for vendor in self._vendors:
            if oui and oui in vendor.ouis:
                return replace(facts, vendor=facts.vendor.better(Fact(vendor.name, Certainty.LIKELY)))
        return facts

    def _from_options(self, options: Mapping[str, str], facts: Facts) -> Facts:
        """Grandstream phones say in their TFTP requests what they are."""
        told = {name.removeprefix("grandstream_"): value for name, value in options.items() if "grandstream_" in name}
        if not told:
            return facts
        mac = _SEPARATORS.sub("", told.get("id", "")).lower()
        firmware = next((value for name, value in sorted(told.items()) if name.startswith("rev_prog")), "")
        return replace(
            facts,
            mac=facts.mac.better(_claimed(mac if re.fullmatch("[0-9a-f]{12}", mac) else "")),
            vendor=facts.vendor.better(_claimed("grandstream")),
            model=facts.model.better(_claimed(told.get("model", "").strip()[:64])),
            firmware=facts.firmware.better(_claimed(firmware.strip()[:64])),
        )

    def _from_vendor_class(self, vendor_class: str, facts: Facts) -> Facts:
        for vendor in self._vendors:
            if vendor_class and any(pattern.search(vendor_class) for pattern in vendor.vendor_classes):
                return replace(facts, vendor=facts.vendor.better(_claimed(vendor.name)))
        return facts

    def _from_name(self, name: str) -> Facts:
        matches = [
            (vendor.name, match)
            for vendor in self._vendors
            for pattern in vendor.file_names
            if (match := pattern.match(name.rpartition("/")[2])) is not None
        ]
        mac = next((_mac(match) for _, match in matches if _mac(match)), "")
        if not matches and (found := _MAC_ANYWHERE.search(name)):
            mac = _SEPARATORS.sub("", found[1]).lower()
        vendors = {vendor for vendor, _ in matches}
        return Facts(
            mac=Fact(mac, Certainty.ASKED) if mac else Fact(),
            vendor=Fact(vendors.pop(), Certainty.HINT) if len(vendors) == 1 else Fact(),
        )

    def _from_user_agent(self, user_agent: str, facts: Facts) -> Facts:
        for vendor in self._vendors:
            for pattern in vendor.user_agents:
                if (match := pattern.search(user_agent)) is not None:
                    return Facts(
                        mac=facts.mac.better(_claimed(_mac(match))),
                        vendor=_claimed(vendor.name),
                        model=_claimed(_group(match, "model")),
                        firmware=_claimed(_group(match, "firmware")),
                    )
        return facts


def _claimed(value: str) -> Fact:
    return Fact(value, Certainty.CLAIMED) if value else Fact()


def _group(match: re.Match[str], name: str) -> str:
    return (match.groupdict().get(name) or "").strip()


def _mac(match: re.Match[str]) -> str:
    mac = _SEPARATORS.sub("", _group(match, "mac")).lower()
    return "" if mac in _NO_PHONE else mac
