"""What the functions need to know from the environment, read once per cold start; every problem is told at once."""

import json
import os
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, field_validator

from cloud.errors import CloudError
from cloud.pbx.secrets import FileKeyService, KeyService, KmsKeyService
from cloud.pbx.webhooks import RETRY_SECONDS
from cloud.tokens import Tokens

PREFIX = "TANDEM_"


class SettingsProblem(CloudError):
    """The environment does not say what a function needs."""


class FunctionSettings(BaseModel):
    """What every function needs.

    Each field is the environment variable `TANDEM_<NAME>`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    database_url: SecretStr
    """The database, as the role tandem_worker."""
    pool_size: Annotated[int, Field(ge=1, le=50)] = 1
    """Connections kept open to the database; a Lambda works on one message batch at a time."""

    @classmethod
    def from_environment(cls) -> Self:
        """Read the environment.

        Raises:
            SettingsProblem: naming every variable that is missing or wrong.
        """
        given = {
            name: os.environ[PREFIX + name.upper()] for name in cls.model_fields if PREFIX + name.upper() in os.environ
        }
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            wrong = [f"{PREFIX}{str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors(include_input=False)]
            raise SettingsProblem("; ".join(wrong)) from None


class SecretsSettings(FunctionSettings):
    """What a function needs that opens secrets."""

    kms_key_arn: str = ""
    """The KMS key that wraps data keys; empty where a key file does."""
    key_file: str = ""
    """The key file that does it on one machine."""

    def key_service(self, tokens: Tokens) -> KeyService:
        """What opens secrets.

        Raises:
            SettingsProblem: neither is set.
        """
        if self.kms_key_arn:
            return KmsKeyService(self.kms_key_arn)
        if self.key_file:
            return FileKeyService.open(Path(self.key_file), tokens)
        raise SettingsProblem("TANDEM_KMS_KEY_ARN or TANDEM_KEY_FILE: one of them must be set")


class RedirectSettings(SecretsSettings):
    """What telling redirect services needs besides."""

    redirect_allow_private: bool = False
    """Reach services at private and loopback addresses too, and by http: for tests and labs only."""
    redirect_timeout_seconds: Annotated[float, Field(gt=0, le=30)] = 15.0
    """For each request, from connecting to the end of the answer."""


class DeliverySettings(SecretsSettings):
    """What delivering webhooks needs besides."""

    webhook_allow_private: bool = False
    """Deliver to private and loopback addresses too, and by http: for tests and labs only."""
    webhook_timeout_seconds: Annotated[float, Field(gt=0, le=30)] = 15.0
    """For one whole attempt, from connecting to the end of the answer."""
    webhook_retry_seconds: tuple[float, ...] = RETRY_SECONDS
    """Pauses after each failed attempt, as a JSON list in the environment."""

    @field_validator("webhook_retry_seconds", mode="before")
    @classmethod
    def _parse(cls, value: Any) -> Any:
        return json.loads(value) if isinstance(value, str) else value


class RelaySettings(FunctionSettings):
    """What carrying jobs to queues needs besides."""

    publish_sites_queue_url: str
    """The SQS queue that feeds publish_sites."""
    deliver_webhooks_queue_url: str
    """The SQS queue that feeds deliver_webhooks."""
    push_redirects_queue_url: str
    """The SQS queue that feeds push_redirects."""
    renew_certificates_queue_url: str
    """The SQS queue that feeds renew_certificates."""
    send_mails_queue_url: str
    """The SQS queue that feeds send_mails."""
    ingest_events_queue_url: str
    """The SQS queue that feeds ingest_events."""
