"""`make run`: the whole system on this machine, with a demo site; Ctrl-C stops it, its data stays."""

import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from cloud.errors import CloudError
from cloud.local.demo_site import DemoSite
from cloud.local.running import RunningSystem, read_running
from cloud.local.settings import LocalSettings
from cloud.local.system import ADMIN_EMAIL, LocalSystem
from tools.build_portal import NoPortal, build


def main() -> int:
    """0 after Ctrl-C, 1 when something did not start, 2 when it runs already."""
    settings = LocalSettings.from_arguments(sys.argv[1:])
    if running := read_running(settings.state_dir):
        print(f"Tandem runs already in {settings.state_dir} (process {running.pid}): {running.api_url}")
        return 2
    began = time.monotonic()  # noqa: TID251  only for the line that says how long it took
    try:
        system = LocalSystem(settings, _portal() if settings.portal else None, settings.state_dir / "installer", _show)
    except CloudError as problem:
        print(f"Tandem cannot start:\n{problem}", file=sys.stderr)
        return 1

    def stop(*_: object) -> None:
        system.ended.put(None)

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    try:
        system.start()
        _print_addresses(system)
        print(f"ready after {time.monotonic() - began:.1f} s; Ctrl-C stops it", flush=True)  # noqa: TID251  as above
        if settings.installer:
            threading.Thread(target=_build_installer, args=(system,), daemon=True).start()
        system.supervise()
    except CloudError as problem:
        print(f"Tandem cannot start:\n{problem}", file=sys.stderr)
        return 1
    finally:
        print("stopping", flush=True)
        system.stop()
    print("stopped; the data stays in", settings.state_dir)
    return 0


def _show(line: str) -> None:
    print(f"  {line}", flush=True)


def _portal() -> Path | None:
    try:
        return build()
    except NoPortal as problem:
        print(f"The portal is not built, the API runs all the same: {problem}")
        return None


def _build_installer(system: LocalSystem) -> None:
    """The folder with install.sh and the agent's bundle; wheels are fetched once."""
    folder = system.settings.state_dir / "installer"
    command = [
        sys.executable,
        "-m",
        "cloud.installer.build_bundle",
        "--out",
        str(folder),
        "--cloud-url",
        system.api_url,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        _show(f"installer: not served: {(done.stdout + done.stderr).strip()[-400:]}")
    else:
        _show(f"installer: curl -fsSL {system.api_url}/install.sh | sh -s -- --enroll CODE (the portal makes the code)")


def _print_addresses(system: LocalSystem) -> None:
    host = system.settings.host
    lines = [
        ("portal and API", system.api_url),
        ("log-in", f"{ADMIN_EMAIL}  {system.keys.admin_password}"),
        ("enrollment (TLS)", system.secure_url),
        ("hub", f"{host}, QUIC {system.ports['hub_quic']}/udp, WebSocket {system.ports['hub_websocket']}/tcp"),
    ]
    if system.running is not None and system.site is not None:
        lines += _demo_lines(system.running, system.site)
    lines.append(("state and logs", str(system.settings.state_dir)))
    print()
    for name, value in lines:
        print(f"{name:>18}  {value}")
    print(flush=True)


def _demo_lines(running: RunningSystem, site: DemoSite) -> list[tuple[str, str]]:
    edge = running.sip_host
    lines = [("edge", f"SIP {edge}:{running.sip_port} (UDP, TCP), domain {site.domain}; echo test: dial *99")]
    for phone, account in zip(running.phones, site.phones, strict=True):
        lines += [
            (
                phone.name,
                f"user {account.username}, authentication {account.auth_username}, password {account.password}",
            ),
            ("", f"tftp://{edge}:{phone.tftp_port}/{phone.file}  http://{edge}:{phone.http_port}/{phone.file}"),
        ]
    return lines


if __name__ == "__main__":
    sys.exit(main())
