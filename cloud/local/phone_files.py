"""Ask for a phone's file as the phone does, and read its account out of it."""

import shutil
import subprocess
import tempfile
import urllib.request
from pathlib import Path

from cloud.local.baresip import PhoneAccount, PhoneError


def fetch_by_tftp(host: str, port: int, name: str) -> str:
    """The file, by the machine's own TFTP client (Debian package tftp-hpa).

    Raises:
        PhoneError: there is no client, or the server has no such file.
    """
    client = shutil.which("tftp")
    if client is None:
        raise PhoneError("tftp is not on this machine (Debian package: tftp-hpa)")
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "file"
        done = subprocess.run(
            [client, "-m", "octet", host, str(port), "-c", "get", name, str(target)],
            capture_output=True, text=True, timeout=30, check=False,
        )  # fmt: skip
        if not target.exists() or done.stdout.strip().startswith("Error"):
            raise PhoneError(f"tftp://{host}:{port}/{name}: {(done.stdout + done.stderr).strip() or 'nothing came'}")
        return target.read_text(encoding="utf-8")


def fetch_by_http(host: str, port: int, name: str) -> str:
    """The file, by HTTP.

    Raises:
        OSError: no such file, or no such server.
    """
    with urllib.request.urlopen(f"http://{host}:{port}/{name}", timeout=10) as response:
        text: bytes = response.read()
    return text.decode()


def settings_in(file: str) -> dict[str, str]:
    """The `key = value` lines of a phone's file, as both Yealink's and the generic format have them."""
    pairs = (line.split("=", 1) for line in file.splitlines() if "=" in line and not line.lstrip().startswith("#"))
    return {key.strip(): value.strip() for key, value in pairs}


def yealink_account(file: str) -> PhoneAccount:
    """Account 1 of a Yealink `<mac>.cfg`."""
    found = settings_in(file)
    server, port = found["account.1.outbound_proxy.1.address"], found["account.1.outbound_proxy.1.port"]
    return PhoneAccount(
        username=found["account.1.user_name"],
        auth_username=found["account.1.auth_name"],
        password=found["account.1.password"],
        domain=found["account.1.sip_server.1.address"],
        registrar=f"{server}:{port}",
    )


def generic_account(file: str) -> PhoneAccount:
    """Account 1 of a generic phone's `<mac>.conf`."""
    found = settings_in(file)
    return PhoneAccount(
        username=found["account.1.username"],
        auth_username=found["account.1.auth_username"],
        password=found["account.1.password"],
        domain=found["account.1.domain"],
        registrar=f"{found['account.1.registrar']}:{found['account.1.port']}",
        transport=found["account.1.transport"],
    )
