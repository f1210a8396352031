"""What a hub process is told, read once from the environment at its start; every problem is reported together."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from cloud.hub.errors import HubError

PREFIX: Final = "TANDEM_HUB_"


class SettingsWrong(HubError):
    """Some settings are missing or cannot be used; the text names each."""


class Settings(BaseModel):
    """Settings of a hub process; each is the environment variable in capitals after `TANDEM_HUB_`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    database_url: SecretStr
    """The database as role `tandem_hub`; variable `DATABASE_URL` without prefix, or with it."""
    host: str = "0.0.0.0"
    """The address to listen on."""
    names: str = ""
    """Host names and IP addresses by which edges reach this hub, separated by commas; in the certificate that the hub
    issues itself from `authority_file`. Empty: `host`."""
    quic_port: int = Field(default=8444, ge=0, le=65535)
    """UDP; 0 takes a free one."""
    websocket_port: int = Field(default=8444, ge=0, le=65535)
    """TCP; 0 takes a free one."""
    authority_file: Path | None = None
    """The cloud's certificate authority (key and certificate, PEM): the hub's certificate is issued at each start."""
    certificate_file: Path | None = None
    """Or: a certificate that was issued elsewhere by the cloud's authority (PEM, leaf first) …"""
    key_file: Path | None = None
    """… and its private key (PEM)."""
    secrets_key_file: Path | None = None
    """The key file that secrets in the database are wrapped with …"""
    secrets_kms_key: str = ""
    """… or the ARN of the AWS KMS key that they are wrapped with."""
    objects_folder: Path | None = None
    """The folder of large files, such as firmware …"""
    objects_bucket: str = ""
    """… or the bucket of S3 that holds them. Neither: edges get none."""
    blob_threads: int = Field(default=4, ge=1, le=64)
    """Pieces of large files read at once."""
    blob_bytes_per_second: int = Field(default=4 * 1024 * 1024, ge=16 * 1024, le=1024**3)
    """What one edge gets of them."""
    database_threads: int = Field(default=8, ge=1, le=64)
    """Questions to the database at once."""
    lease_seconds: float = Field(default=15.0, ge=3.0, le=300.0)
    """How long an edge counts as online after its hub has died."""
    poll_seconds: float = Field(default=3.0, ge=0.5, le=60.0)
    """How often the database is looked at for changes that no notification announced."""
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    """What is not worth a line of the log."""
    log_format: Literal["human", "json"] = "human"
    """One line per event: for people, or a JSON object for a log service."""

    @model_validator(mode="after")
    def _is_complete(self) -> "Settings":
        if (self.certificate_file is None) != (self.key_file is None):
            raise ValueError("certificate_file and key_file go together")
        if (self.authority_file is None) == (self.certificate_file is None):
            raise ValueError("give either authority_file or certificate_file with key_file")
        if (self.secrets_key_file is None) == (not self.secrets_kms_key):
            raise ValueError("give either secrets_key_file or secrets_kms_key")
        if self.objects_folder is not None and self.objects_bucket:
            raise ValueError("objects_folder and objects_bucket exclude each other")
        return self


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings in the environment.

    Args:
        environment: instead of the process's own.

    Raises:
        SettingsWrong: naming every variable that is missing, unknown or wrong.
    """
    source = os.environ if environment is None else environment
    given = {name.removeprefix(PREFIX).lower(): value for name, value in source.items() if name.startswith(PREFIX)}
    if "database_url" not in given and "DATABASE_URL" in source:
        given["database_url"] = source["DATABASE_URL"]
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        problems = [
            f"{PREFIX + '_'.join(map(str, e['loc'])).upper() if e['loc'] else 'settings'}: {e['msg']}"
            for e in error.errors(include_input=False)
        ]
        raise SettingsWrong("; ".join(problems)) from None
