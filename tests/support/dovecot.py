"""Dovecot (Debian package dovecot-imapd) on the loopback, with accounts and mail of its own in a folder."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from string import Template
from typing import Final, Self

from tests.support.certificates import Authority
from tests.support.waiting import eventually

_MAIL_USER: Final = "nobody"
"""Where the test runs as root, Dovecot gives mail to nobody else."""
# Wrong passwords are answered at once, and so is who comes after them: no penalty.
_CONFIG: Final = Template("""
protocols = imap
listen = 127.0.0.1
base_dir = $folder/run
log_path = $folder/log
ssl = required
ssl_cert = <$folder/imap.pem
ssl_key = <$folder/imap.key
disable_plaintext_auth = yes
auth_mechanisms = plain login
mail_location = maildir:$folder/mail/%u:UTF-8
mail_plugins = quota
$users
passdb {
  driver = passwd-file
  args = $folder/accounts
}
userdb {
  driver = static
  args = uid=$uid gid=$gid home=$folder/mail/%u
}
namespace inbox {
  inbox = yes
}
plugin {
  quota = maildir:User quota
  quota_rule = *:storage=2M
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
service imap-login {
  inet_listener imap {
    port = $plain
  }
  inet_listener imaps {
    port = $encrypted
    ssl = yes
  }
}
""")


class Dovecot:
    """A running one; its certificate is for `imap.test`, of an authority of its own.

    Args:
        accounts: passwords by user name.
    """

    host: Final = "imap.test"

    def __init__(self, accounts: Mapping[str, str]) -> None:
        self._accounts = accounts
        self.starttls_port, self.tls_port = _free_port(), _free_port()

    def __enter__(self) -> Self:
        self._folder = Path(tempfile.mkdtemp(prefix="tandem-dovecot-"))
        self._folder.chmod(0o755)
        mail = self._folder / "mail"
        mail.mkdir()
        authority = Authority(self._folder)
        authority.issue(self.host, "imap")
        self.authority = authority.file
        lines = [f"{name}:{{PLAIN}}{password}" for name, password in self._accounts.items()]
        (self._folder / "accounts").write_text("\n".join(lines) + "\n", encoding="utf-8")
        (self._folder / "accounts").chmod(0o644)  # Dovecot's own user reads it, whatever the umask is
        me = pwd.getpwuid(os.getuid())
        owner, users = me, f"default_internal_user = {me.pw_name}\ndefault_login_user = {me.pw_name}"
        if os.getuid() == 0:
            owner, users = pwd.getpwnam(_MAIL_USER), ""
            os.chown(mail, owner.pw_uid, owner.pw_gid)
        text = _CONFIG.substitute(
            folder=self._folder,
            users=users,
            uid=owner.pw_uid,
            gid=owner.pw_gid,
            plain=self.starttls_port,
            encrypted=self.tls_port,
        )
        (self._folder / "dovecot.conf").write_text(text, encoding="utf-8")
        program = shutil.which("dovecot") or "/usr/sbin/dovecot"
        command = [program, "-F", "-c", str(self._folder / "dovecot.conf")]
        with (self._folder / "output").open("wb") as output:
            self._process = subprocess.Popen(command, stdout=output, stderr=output)
        eventually(self._is_up, 20, "Dovecot listens")
        return self

    def _is_up(self) -> bool:
        assert self._process.poll() is None, self.said()
        try:
            socket.create_connection(("127.0.0.1", self.tls_port), 1).close()
        except OSError:
            return False
        return True

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    def messages(self, user: str, folder: str = "INBOX") -> list[tuple[str, EmailMessage]]:
        """What is in a folder: the flags of each message and the message."""
        at = self._folder / "mail" / user / ("" if folder == "INBOX" else f".{folder}")
        found = [*at.glob("new/*"), *at.glob("cur/*")]
        read = [(one.name, message_from_bytes(one.read_bytes(), policy=policy.default)) for one in sorted(found)]
        return [(name.partition(":2,")[2], message) for name, message in read if isinstance(message, EmailMessage)]

    @contextmanager
    def without_its_accounts(self) -> Iterator[None]:
        """For as long, it cannot read its accounts; it sees so within a second."""
        file = self._folder / "accounts"
        kept = file.with_suffix(".kept")
        file.rename(kept)
        file.touch(mode=0)
        yield
        kept.replace(file)

    def said(self) -> str:
        """The end of what it logged."""
        files = [self._folder / name for name in ("output", "log")]
        return "".join(one.read_text("utf-8", "replace")[-3000:] for one in files if one.exists())


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
