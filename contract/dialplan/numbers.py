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
    return form.prefix + number.removeprefix(form.strip)
