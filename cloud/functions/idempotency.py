"""Powertools' idempotency records in PostgreSQL: what was done for a message is not done again for its copy."""

from aws_lambda_powertools.utilities.idempotency.exceptions import (
    IdempotencyItemAlreadyExistsError,
    IdempotencyItemNotFoundError,
)
from aws_lambda_powertools.utilities.idempotency.persistence.base import BasePersistenceLayer
from aws_lambda_powertools.utilities.idempotency.persistence.datarecord import STATUS_CONSTANTS, DataRecord
from sqlalchemy import and_, delete, or_, update
from sqlalchemy.dialects.postgresql import insert

from cloud.clock import Clock
from cloud.models import IdempotencyRecord
from cloud.pbx.database import Database


class PostgresPersistence(BasePersistenceLayer):
    """Keeps the records in the table `idempotency`; parameter names are Powertools'."""

    def __init__(self, database: Database, clock: Clock) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self._database = database
        self._clock = clock

    def _get_record(self, idempotency_key: str) -> DataRecord:
        with self._database.session() as session:
            row = session.get(IdempotencyRecord, idempotency_key)
            if row is None:
                raise IdempotencyItemNotFoundError
            return DataRecord(
                idempotency_key=row.key,
                status=row.status,
                expiry_timestamp=row.expires_at,
                in_progress_expiry_timestamp=row.in_progress_until_ms,
                response_data=row.data or "",
                payload_hash=row.payload_hash,
            )

    def _put_record(self, data_record: DataRecord) -> None:
        now = self._clock.now().timestamp()
        values = {
            "status": data_record.status,
            "expires_at": data_record.expiry_timestamp,
            "in_progress_until_ms": data_record.in_progress_expiry_timestamp,
            "data": None,
            "payload_hash": data_record.payload_hash or "",
        }
        write = insert(IdempotencyRecord).values(key=data_record.idempotency_key, **values)
        given_up = and_(
            IdempotencyRecord.status == STATUS_CONSTANTS["INPROGRESS"],
            IdempotencyRecord.in_progress_until_ms < int(now * 1000),
        )
        with self._database.session() as session:
            written = session.execute(
                write.on_conflict_do_update(
                    index_elements=["key"],
                    set_=values,
                    where=or_(IdempotencyRecord.expires_at < int(now), given_up),
                ).returning(IdempotencyRecord.key)
            ).scalar_one_or_none()
        if written is None:
            raise IdempotencyItemAlreadyExistsError(old_data_record=self._get_record(data_record.idempotency_key))

    def _update_record(self, data_record: DataRecord) -> None:
        with self._database.session() as session:
            session.execute(
                update(IdempotencyRecord)
                .where(IdempotencyRecord.key == data_record.idempotency_key)
                .values(
                    status=data_record.status,
                    expires_at=data_record.expiry_timestamp,
                    data=data_record.response_data,
                )
            )

    def _delete_record(self, data_record: DataRecord) -> None:
        with self._database.session() as session:
            session.execute(delete(IdempotencyRecord).where(IdempotencyRecord.key == data_record.idempotency_key))
