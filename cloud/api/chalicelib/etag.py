"""Entity tags: `"<version>.<digest>"` for one thing, `"<digest>"` for a list (RFC 9110 §8.8.3).

The digest changes with anything that is shown, so If-None-Match tells a poller truly whether something is new. The
version changes with configuration only, and If-Match asks for nothing else: an edge that comes online while
someone edits its site does not refuse the edit.
"""

import hashlib
import json
import re
from typing import Any, Final

_IF_MATCH: Final = re.compile(r'^(?:W/)?"?(\d{1,9})(?:\.[0-9a-f]+)?"?$')


def etag_of(body: Any) -> str:
    """The tag of a JSON body, quoted as the header wants it."""
    text = json.dumps(body, sort_keys=True, separators=(",", ":"), default=str)
    digest = hashlib.sha256(text.encode()).hexdigest()[:20]
    version = body.get("version") if isinstance(body, dict) else None
    return f'"{version}.{digest}"' if isinstance(version, int) else f'"{digest}"'


def is_known(if_none_match: str | None, etag: str) -> bool:
    """Whether the client holds what `etag` names already (RFC 9110 §13.1.2, weak comparison)."""
    if not if_none_match:
        return False
    tags = [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")[:50]]
    return "*" in tags or etag in tags


def expected_version(if_match: str | None) -> int | None:
    """The version that the client says it changes; None when it does not say, -1 for a tag that was never ours."""
    if if_match is None or if_match.strip() == "*":
        return None
    match = _IF_MATCH.match(if_match.strip())
    return int(match[1]) if match else -1
