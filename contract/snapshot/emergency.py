"""Where help is to be sent to, and who is told that somebody called for it."""

from typing import Annotated, Final

from pydantic import Field

from contract.snapshot.pattern import Dialled
from contract.values import Frozen, Id, Text

CIVIC_ELEMENTS: Final = {
    "country": "country",
    "state": "A1",
    "county": "A2",
    "city": "A3",
    "street": "RD",
    "street_suffix": "STS",
    "house_number": "HNO",
    "house_number_suffix": "HNS",
    "building": "BLD",
    "floor": "FLR",
    "unit": "UNIT",
    "room": "ROOM",
    "place": "LOC",
    "name": "NAM",
    "postal_code": "PC",
}
"""What each part of a civic address is in a location object (RFC 5139 §3, RFC 4119 §2.2.1), in their order."""


class CivicAddress(Frozen):
    """A dispatchable location in its parts (RFC 5139); empty ones are not known."""

    country: Annotated[str, Field(pattern=r"^([A-Z]{2})?$")] = ""
    """ISO 3166-1 alpha-2."""
    state: Text = ""
    """State, canton, province."""
    county: Text = ""
    city: Text = ""
    street: Text = ""
    street_suffix: Text = ""
    house_number: Text = ""
    house_number_suffix: Text = ""
    building: Text = ""
    floor: Text = ""
    unit: Text = ""
    """Apartment, suite."""
    room: Text = ""
    place: Text = ""
    """Anything further that helps to find it, such as `behind the loading bay`."""
    name: Text = ""
    """Who is there: the company."""
    postal_code: Text = ""

    def elements(self) -> list[tuple[str, str]]:
        """Name and value of each element of a location object that is known."""
        return [(element, value) for part, element in CIVIC_ELEMENTS.items() if (value := getattr(self, part))]


class EmergencyLocation(Frozen):
    """A place of the site that emergency services can be sent to."""

    location_id: Id
    name: Text
    caller_id: Dialled
    """The number that stands for the place (ELIN); a call back to it has to reach the phone that called."""
    address: Annotated[str, Field(max_length=1024)] = ""
    """The dispatchable location as people read it: street, building, floor, room."""
    civic: CivicAddress = CivicAddress()
    """The same in its parts, for gateways that pass it on (`Gateway.send_location`)."""


MailAddress = Annotated[str, Field(max_length=254, pattern=r"^[0-9A-Za-z.!#$%&'*+/=?^_`{|}~-]+@[0-9A-Za-z.-]+$")]
"""RFC 5321 §4.1.2, without quotes and address literals."""


class EmergencyPolicy(Frozen):
    """What happens around a call for help."""

    callback_minutes: Annotated[int, Field(ge=0, le=1440)] = 60
    """For so long a call to the number of its place rings the phone that called; 0: never."""
    notified_users: Annotated[tuple[Id, ...], Field(max_length=50)] = ()
    """Users of the site whose phones show at once that somebody called for help, by SIP MESSAGE."""
    mail_to: Annotated[tuple[MailAddress, ...], Field(max_length=50)] = ()
    """Who is told by mail, through the cloud."""
