"""What providers of SIP trunks publish of their settings, as trunks that only lack the customer's own data.

Each names where it was read; what a contract with a provider says goes before it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final


@dataclass(frozen=True, slots=True)
class TrunkTemplate:
    """A provider's settings.

    Args:
        key: names it.
        provider: for people.
        countries: where it is sold, ISO 3166; empty: many.
        settings: fields of `contract.snapshot.Trunk` with their values.
        asks_for: fields that the customer knows: his account, his own host at the provider.
        notes: what else is to be known, for people.
        source: address of the page that it was read from; empty: of no provider in particular.
    """

    key: str
    provider: str
    countries: Sequence[str]
    settings: Mapping[str, object]
    asks_for: Sequence[str]
    notes: Sequence[str] = field(default_factory=tuple)
    source: str = ""


TEMPLATES: Final = (
    TrunkTemplate(
        "registered",
        "Any provider, with registration",
        (),
        {"register_seconds": 600, "options_seconds": 60, "called_number_in": "to"},
        ("host", "username", "password"),
        ("Where the number that is called stands (called_number_in) differs between providers.",),
    ),
    TrunkTemplate(
        "static",
        "Any provider, by the site's address",
        (),
        {"register_seconds": 0, "options_seconds": 60},
        ("host", "networks"),
        ("The provider has to know the public address of the site, and the port that trunks have at the edge.",),
    ),
    TrunkTemplate(
        "sipgate_trunking",
        "sipgate trunking",
        ("DE",),
        {
            "host": "sipconnect.sipgate.de",
            "register_seconds": 600,
            "identity_in": "preferred",
            "caller_id_in": "asserted",
            "called_number_in": "to",
            "numbers": {"style": "digits"},
            "incoming": {"style": "digits"},
        },
        ("username", "password"),
        ("The caller's number goes in P-Preferred-Identity, with country code and without plus or zeros.",),
        "https://help.sipgate.de/trunking/wie-setze-ich-bei-sipgate-trunking-die-absenderrufnummer",
    ),
    TrunkTemplate(
        "telnyx",
        "Telnyx, connection with credentials",
        (),
        {
            "host": "sip.telnyx.com",
            "register_seconds": 600,
            "identity_in": "asserted",
            "called_number_in": "to",
            "numbers": {"style": "plus"},
        },
        ("username", "password"),
        ("Numbers come in the format that the connection's inbound settings say; E.164 with plus suits here.",),
        "https://support.telnyx.com/en/articles/4404448-sip-connection-inbound-outbound-settings",
    ),
    TrunkTemplate(
        "twilio",
        "Twilio Elastic SIP Trunking",
        (),
        {"register_seconds": 0, "identity_in": "from_only", "numbers": {"style": "plus"}},
        ("host", "username", "password", "networks"),
        (
            "The host is the trunk's termination domain, such as example.pstn.twilio.com.",
            "Calls come from Twilio's signalling addresses, which belong into networks.",
        ),
        "https://www.twilio.com/docs/sip-trunking/sending-sip-to-twilio-best-practices",
    ),
)
