"""Device plug-ins packed into archives, good and bad."""

import io
import zipfile
from collections.abc import Mapping

from tests.contract.devices.test_loading import DESCRIPTION, SETTINGS

GOOD: Mapping[str, bytes] = {
    "plugin.toml": DESCRIPTION.encode(),
    "settings.xml": SETTINGS.encode(),
    "templates/device.j2": b"name = {{ device.name }}\n{% for account in accounts.values() %}\n"
    b"user = {{ account.auth_username }}\npassword = {{ account.password }}\n{% endfor %}\n",
}


def packed(files: Mapping[str, bytes], around: str = "") -> bytes:
    """A ZIP archive of these files; `around` is put before each name."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(around + name, content)
    return data.getvalue()


def changed(**files: bytes) -> dict[str, bytes]:
    """The good plug-in with some files changed, named with `__` for `/` and `_` before the ending for `.`."""
    return {**GOOD, **{name.replace("__", "/"): content for name, content in files.items()}}
