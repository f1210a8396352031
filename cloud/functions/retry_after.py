"""When a receiver that is busy wants to be asked again."""

from datetime import datetime
from email.utils import parsedate_to_datetime


def parse_retry_after(value: str, now: datetime) -> float | None:
    """Seconds that a `Retry-After` header asks for (RFC 9110 §10.2.3): a number or a date; None for anything else."""
    value = value.strip()
    if value.isascii() and value.isdigit() and len(value) <= 9:
        return float(value)
    try:
        at = parsedate_to_datetime(value)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    if at.tzinfo is None:
        return None
    return max(0.0, (at - now).total_seconds())
