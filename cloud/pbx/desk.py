"""Where a change is made: the transaction, who makes it, and what it needs (time, ids, keys).

Neighbours may rely on: what a desk saves, its audit rows and its publish jobs are one transaction.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from pydantic import SecretStr
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from sqlalchemy.orm.exc import StaleDataError

from cloud.clock import Clock
from cloud.pbx.audit import Actor, record
from cloud.pbx.database import SITE_CHANNEL, notify
from cloud.pbx.errors import Changed, Conflict
from cloud.pbx.publishing import request_publish
from cloud.pbx.secrets import KeyService, SecretVersion, keep_secret
from cloud.tokens import Tokens


@dataclass(frozen=True, slots=True)
class Desk:
    """What every changing function is handed first."""

    session: Session
    actor: Actor
    clock: Clock
    tokens: Tokens
    keys: KeyService

    def flush(self) -> None:
        """Write what was changed so far, so that the database's own rules speak now.

        Raises:
            Changed: somebody else changed the same row meanwhile.
            Conflict: somebody else took the same name meanwhile.
        """
        try:
            self.session.flush()
        except StaleDataError:
            raise Changed from None
        except IntegrityError:
            raise Conflict("Something that this needs was changed, or its name taken, at the same moment") from None

    def record(
        self,
        action: str,
        resource: str,
        resource_id: UUID,
        changes: Mapping[str, list[Any]],
        tenant_id: UUID | None = None,
        msp_id: UUID | None = None,
    ) -> None:
        """Write who did what into the audit.

        Args:
            action: such as `user.changed`.
            changes: field → [before, after]; never a secret's value.
        """
        record(
            self.session,
            self.tokens,
            self.actor,
            action,
            resource,
            resource_id,
            tenant_id=tenant_id,
            msp_id=msp_id,
            changes=changes,
        )

    def publish(self, site_id: UUID, cause: str) -> None:
        """Have a site compiled and published once this transaction is committed."""
        request_publish(self.session, self.tokens, site_id, cause)

    def wake_hub(self, site_id: UUID) -> None:
        """Tell the hub that something of a site's edges changed."""
        notify(self.session, SITE_CHANNEL, str(site_id))

    def keep_secret(self, tenant_id: UUID, value: SecretStr, secret_id: UUID | None = None) -> SecretVersion:
        """Keep a secret, as the next version of `secret_id` or as a new one."""
        return keep_secret(self.session, self.keys, self.tokens, tenant_id, value, secret_id)
