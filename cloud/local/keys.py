"""The keys of one machine, made at the first start and kept: certificate authority, token key, secrets' key, log-in."""

import base64
import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Self

from cloud.pbx.authority import Authority, FileAuthorityStore, Leaf
from cloud.tokens import Tokens


@dataclass(frozen=True, slots=True)
class LocalKeys:
    """Files in one folder that only this user may read."""

    folder: Path
    authority_file: Path
    authority_certificate_file: Path
    secrets_key_file: Path
    token_key: str
    admin_password: str

    def __repr__(self) -> str:
        return f"LocalKeys({self.folder})"

    @classmethod
    def open(cls, folder: Path, tokens: Tokens, now: datetime) -> Self:
        """The keys in `folder`; what is missing is made."""
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        authority_file = folder / "authority.pem"
        certificate = folder / "authority-certificate.pem"
        certificate.write_text(_authority(authority_file, now).certificate_pem, encoding="ascii")
        return cls(
            folder=folder,
            authority_file=authority_file,
            authority_certificate_file=certificate,
            secrets_key_file=folder / "secrets.key",
            token_key=_kept(folder / "token.key", base64.b64encode(tokens.secret(32)).decode()),
            admin_password=_kept(
                folder / "admin.password", base64.b32encode(tokens.secret(15)).decode().rstrip("=").lower()
            ),
        )

    def issue(self, name: str, host: str, now: datetime) -> Leaf:
        """A certificate of the cloud's authority for a server that is reached at `host` or by its `name`."""
        names = [name, host, *(["localhost"] if host == "127.0.0.1" else [])]
        return _authority(self.authority_file, now).issue(names, now)


def _authority(path: Path, now: datetime) -> Authority:
    return Authority.open(FileAuthorityStore(path), now)


def _kept(path: Path, new: str) -> str:
    """The text in the file; `new` is put there when there is none."""
    if not path.exists():
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(new)
    return path.read_text(encoding="ascii")
