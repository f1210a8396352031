"""What the API process is told, read once at start; every problem is reported together."""

import base64
import binascii
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretBytes,
    SecretStr,
    ValidationError,
    model_validator,
)

from cloud.errors import CloudError

PREFIX: Final = "TANDEM_API_"


class WrongSettings(CloudError):
    """The settings cannot be used; the text names each problem."""


def _from_base64(value: Any) -> Any:
    if isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except binascii.Error:
            raise ValueError("not base64") from None
    return value


class Settings(BaseModel):
    """Settings of the API; each is the environment variable `TANDEM_API_<NAME>`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    database_url: SecretStr
    """`postgresql+psycopg://tandem_api:…@host/database`; the role must be tandem_api."""
    token_key: Annotated[SecretBytes, BeforeValidator(_from_base64), Field(min_length=32, max_length=128)]
    """Signs access tokens; base64 of at least 32 bytes."""
    database_pool: Annotated[int, Field(ge=1, le=100)] = 8
    """Connections kept open to the database; one in Lambda."""
    key_file: Path | None = None
    """Holds the key that wraps secrets' data keys; made when missing. Or:"""
    kms_key_arn: str | None = None
    """The AWS KMS key that does."""
    ca_file: Path | None = None
    """PEM file with the certificate of the cloud's CA. Or:"""
    ca_pem: str | None = None
    """the certificate itself."""
    hub_host: str = "localhost"
    """The host by which edges reach the hub."""
    hub_quic_port: Annotated[int, Field(ge=1, le=65535)] = 4433
    """The hub's UDP port."""
    hub_websocket_url: str = "wss://localhost:4434/channel"
    """Where edges reach the hub when UDP does not get through."""
    public_url: Annotated[str, Field(pattern=r"^https?://[^/]+$")] = "http://localhost:8080"
    """Where browsers and scripts reach this API."""
    enrollment_url: Annotated[str | None, Field(pattern=r"^https://[^/]+$")] = None
    """Where new edges enroll, by a certificate of the cloud's CA; None: at the public URL."""
    installer_url: str | None = None
    """Where install.sh is fetched; None: /install.sh at the public URL."""
    objects_folder: Path | None = None
    """The folder of large files such as firmware, whose parent is there. Or:"""
    objects_bucket: Annotated[str | None, Field(min_length=3, max_length=63)] = None
    """the bucket of S3 that holds them. Neither: there are none."""
    files_quota_bytes: Annotated[int, Field(ge=1024 * 1024)] = 4 * 1024**3
    """How much of them a tenant may keep."""
    insecure_webhooks: bool = False
    """Webhook endpoints may be plain http; for labs and tests."""
    allowed_origin: str | None = None
    """The portal's origin, where that is not this API's own (CORS)."""
    portal_dir: Path | None = None
    """The built portal, to be served beside the API; None in AWS."""
    installer_dir: Path | None = None
    """Holds install.sh and the agent's bundles, to be served beside the API."""

    @model_validator(mode="after")
    def _is_complete(self) -> Self:
        missing = [
            f"one of {' and '.join(PREFIX + name.upper() for name in names)} is needed"
            for names in (("key_file", "kms_key_arn"), ("ca_file", "ca_pem"))
            if sum(getattr(self, name) is not None for name in names) != 1
        ]
        if self.objects_folder is not None and self.objects_bucket is not None:
            missing.append(f"only one of {PREFIX}OBJECTS_FOLDER and {PREFIX}OBJECTS_BUCKET can be given")
        if missing:
            raise ValueError("; ".join(missing))
        return self

    def ca_pem_text(self) -> str:
        """The CA's certificate, from wherever it is kept."""
        return self.ca_pem if self.ca_file is None else self.ca_file.read_text()  # type: ignore[return-value]


def read_settings(environ: Mapping[str, str] | None = None) -> Settings:
    """The settings, from the environment.

    Raises:
        WrongSettings: naming every setting that is missing, wrong or unknown.
    """
    source = os.environ if environ is None else environ
    given = {name[len(PREFIX) :].lower(): value for name, value in source.items() if name.startswith(PREFIX)}
    try:
        return Settings.model_validate(given)
    except ValidationError as error:
        problems = [
            f"{PREFIX}{'.'.join(map(str, one['loc'])).upper()}: {one['msg']}"
            for one in error.errors(include_input=False, include_context=False)
        ]
        raise WrongSettings("; ".join(problems)) from None
