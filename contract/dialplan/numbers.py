"""Numbers as a gateway writes them, and as the dial plan does."""

from contract.snapshot import IncomingNumbers, NumberFormat


def written(form: NumberFormat, number: str) -> str:
    """A number as the gateway wants it; only numbers of E.164, with their plus, are changed.

    Args:
        form: of the gateway.
        number: as the dial plan's rule gives it.
    """
    if number[:1] != "+" or form.style == "plus":
        return number
    digits = number[1:]
    if form.style == "digits":
        return digits
    if form.country_code and digits.startswith(form.country_code):
        return form.national_prefix + digits[len(form.country_code) :]
    return form.international_prefix + digits


def arrived(form: IncomingNumbers, number: str) -> str:
    """The number of the dial plan for one that a gateway sent.

    Args:
        form: of the gateway.
        number: user part of the Request-URI.
    """
    return in_e164(form, form.prefix + number.removeprefix(form.strip))


def in_e164(form: IncomingNumbers, number: str) -> str:
    """A number that a gateway wrote in its own way in E.164, with its plus; one that is no such number as it is."""
    if form.style == "as_sent" or not (number.isascii() and number.isdigit()):
        return number
    if form.style == "digits":
        return "+" + number
    if form.international_prefix and number.startswith(form.international_prefix):
        return "+" + number[len(form.international_prefix) :]
    if form.country_code and number.startswith(form.national_prefix):
        return "+" + form.country_code + number[len(form.national_prefix) :]
    return number
