"""Telephone numbers by the numbering plans of all countries (ITU-T E.164), as libphonenumber knows them.

The edge has no such library: what it needs to know of a number is written into the snapshot.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import NumberParseException, PhoneMetadata, PhoneNumber, PhoneNumberFormat

from contract import snapshot as contract

COUNTRIES: Final = frozenset(phonenumbers.SUPPORTED_REGIONS)
"""ISO 3166-1 alpha-2."""
_USUAL_PREFIX: Final = "00"
"""For calls abroad (ITU-T E.123 §3.4)."""


def e164(number: str, country: str | None) -> str | None:
    """A number with its plus and country code; None: it is no number of any numbering plan.

    Args:
        number: as people of the country write or dial it.
        country: whose; None: only what begins with a plus is understood.
    """
    found = _parsed(number, country)
    return None if found is None else phonenumbers.format_number(found, PhoneNumberFormat.E164)


def shown(number: str, country: str | None) -> str:
    """A number as people of the country write it to each other; as it is where it is none."""
    found = _parsed(number, country)
    if found is None:
        return number
    own = phonenumbers.region_code_for_number(found) == country
    return phonenumbers.format_number(found, PhoneNumberFormat.NATIONAL if own else PhoneNumberFormat.INTERNATIONAL)


def writings(number: str, country: str | None) -> tuple[str, ...]:
    """How else a provider may send a number: with and without plus, prefix for abroad, trunk prefix, country code.

    Args:
        number: as it was configured.
        country: where it is called from; None: that of the number.
    """
    found = _parsed(number, country)
    if found is None:
        return ()
    whole = phonenumbers.format_number(found, PhoneNumberFormat.E164)
    region = country or phonenumbers.region_code_for_number(found)
    ways = [whole, whole[1:], _abroad(region) + whole[1:]]
    if phonenumbers.region_code_for_number(found) == region:
        national = phonenumbers.national_significant_number(found)
        ways += [_digits(phonenumbers.format_number(found, PhoneNumberFormat.NATIONAL)), national]
    return tuple(dict.fromkeys(way for way in ways if way and way != number))


def with_writings(plan: contract.DialPlan, country: str | None) -> contract.DialPlan:
    """A dial plan whose inward numbers say how else they are written in a country.

    Args:
        plan: as it was saved.
        country: of the site.
    """
    numbers = tuple(
        one.model_copy(update={"also": tuple(dict.fromkeys((*one.also, *writings(one.number, country))))[:8]})
        for one in plan.numbers
    )
    return plan.model_copy(update={"numbers": numbers})


def doubtful(plan: contract.DialPlan, users: Iterable[contract.User], country: str | None) -> list[str]:
    """What of a plan is no telephone number though it should be one, each in a sentence.

    Args:
        plan: its inward numbers and places.
        users: their caller IDs.
        country: of the site; None: nothing is known of numbers without a plus.
    """
    named = [(one.number, "is called by a gateway") for one in plan.numbers]
    named += [(one.caller_id, f"is the caller ID of {one.name}") for one in plan.locations]
    named += [(one.caller_id, f"is the caller ID of {one.username}") for one in users if one.caller_id]
    return [
        f"{number} {what}, but is no telephone number{f' of {country}' if country and number[:1] != '+' else ''}"
        for number, what in named
        if (country or number.startswith("+")) and e164(number, country) is None
    ]


@lru_cache(maxsize=20_000)
def _parsed(number: str, country: str | None) -> PhoneNumber | None:
    if len(number) > 32:
        return None
    try:
        found = phonenumbers.parse(number, country)
    except NumberParseException:
        return None
    return found if phonenumbers.is_valid_number(found) else None


def _abroad(region: str | None) -> str:
    metadata = PhoneMetadata.metadata_for_region(region) if region else None
    if metadata is None:
        return _USUAL_PREFIX
    prefix = metadata.preferred_international_prefix or metadata.international_prefix or _USUAL_PREFIX
    return prefix if prefix.isdigit() else _USUAL_PREFIX


def _digits(text: str) -> str:
    return "".join(one for one in text if one.isascii() and one.isdigit())
