"""Make the cloud's certificate authority for a deployment, and certificates of it for the hub and for enrollment.

`python -m tools.issue_certificates --authority FILE --out DIR NAME…` keeps the authority (key and certificate) in FILE,
which is made when missing and belongs in a safe; DIR gets `ca.pem`, and `NAME.pem` and `NAME.key` for each name.
"""

import argparse
import sys
from pathlib import Path

from cloud.clock import SystemClock
from cloud.pbx.authority import Authority, AuthorityUnreadable, FileAuthorityStore


def issue(authority_file: Path, out: Path, names: list[str]) -> list[Path]:
    """Issue a certificate for each name; the files that were written.

    Raises:
        AuthorityUnreadable: the file holds something else.
    """
    now = SystemClock().now()
    authority = Authority.open(FileAuthorityStore(authority_file), now)
    out.mkdir(parents=True, exist_ok=True)
    (out / "ca.pem").write_text(authority.certificate_pem)
    written = [out / "ca.pem"]
    for name in names:
        leaf = authority.issue([name], now)
        (out / f"{name}.pem").write_bytes(leaf.certificate_pem)
        key = out / f"{name}.key"
        key.touch(mode=0o600)
        key.write_bytes(leaf.key_pem)
        written += [out / f"{name}.pem", key]
    return written


def main(arguments: list[str] | None = None) -> int:
    """0 when every certificate was issued."""
    parser = argparse.ArgumentParser(description="Issue certificates of the cloud's own authority")
    parser.add_argument("--authority", type=Path, required=True, help="file of the authority; made when missing")
    parser.add_argument("--out", type=Path, required=True, help="folder to write certificates and keys to")
    parser.add_argument("names", nargs="+", metavar="NAME", help="a host name")
    given = parser.parse_args(arguments)
    try:
        written = issue(given.authority, given.out, given.names)
    except AuthorityUnreadable as unreadable:
        sys.stderr.write(f"{unreadable}\n")
        return 1
    for path in written:
        sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
